import json, torch
from safetensors import safe_open
from torch import nn

with safe_open("model.safetensors", framework="pt") as file:
    about = json.loads(file.metadata()["precocial"])
    tensors = {name: file.get_tensor(name) for name in file.keys()}
scale = {name[8:]: tensors.pop(name) for name in list(tensors) if name.startswith("scaling.")}
modules = {
    "Linear": nn.Identity, "Logistic": nn.Sigmoid, "Tanh": nn.Tanh, "Relu": nn.ReLU, "LeakyRelu": nn.LeakyReLU,
    "Gelu": nn.GELU, "Silu": nn.SiLU, "Softplus": nn.Softplus, "Softmax": lambda: nn.Softmax(dim=1),
}
model = nn.Sequential()
for layer in about["layers"]:
    slope = [layer["slope"]] if "slope" in layer else []
    model.extend([nn.Linear(layer["inputs"], layer["outputs"]), modules[layer["activation"]](*slope)])
model.load_state_dict(tensors, strict=True)

x = torch.as_tensor(x, dtype=torch.float64)
if "input_fill" in scale:
    x = torch.where(x.isnan(), scale["input_fill"], x)
scaled = (x - scale["input_centre"]) * scale["input_factor"] + scale["input_middle"]
y = model(scaled.float()).double()
if "output_centre" in scale:
    y = (y - scale["output_middle"]) * scale["output_spread"] + scale["output_centre"]
