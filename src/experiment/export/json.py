import json
import numpy as np

model = json.load(open("model.json"))
scaling = model["input_scaling"]
functions = {"Linear": lambda a: a, "Tanh": np.tanh, "Relu": lambda a: np.maximum(a, 0)}  # the others: see npz
if "fill" in scaling:
    x = np.where(np.isnan(x), scaling["fill"], x)
y = (x - np.array(scaling["centre"])) * np.array(scaling["factor"]) + scaling["middle"]
for layer in model["layers"]:
    y = functions[layer["activation"]](y @ np.array(layer["weights"]).T + layer["thresholds"])
if scaling := model.get("output_scaling"):
    y = (y - scaling["middle"]) * np.array(scaling["spread"]) + scaling["centre"]
