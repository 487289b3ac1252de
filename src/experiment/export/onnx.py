import numpy as np, onnxruntime

session = onnxruntime.InferenceSession("model.onnx")
y = session.run(["outputs"], {"inputs": np.asarray(x, dtype=np.float64)})[0]
