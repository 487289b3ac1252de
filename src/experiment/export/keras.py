import keras, numpy as np

file = np.load("model.keras.npz")
model = keras.models.model_from_json(file["model.json"].decode())
model.set_weights([file[name] for name in file.files if name.startswith("layer_")])
if "input_fill" in file:
    x = np.where(np.isnan(x), file["input_fill"], x)
y = model.predict((x - file["input_centre"]) * file["input_factor"] + file["input_middle"], verbose=0)
if "output_centre" in file:
    y = (y - file["output_middle"]) * file["output_spread"] + file["output_centre"]
