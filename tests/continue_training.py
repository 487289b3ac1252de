"""Goes on training exported models in PyTorch and compares the losses before and after one step of gradient descent.

Called by tests/interchange.rs with a folder: model-*/ with model.safetensors and training.json, which holds scaled rows,
targets, the learning rate and both losses.
"""

import json
import sys
from pathlib import Path

import torch
from safetensors import safe_open
from torch import nn

MODULES = {
    "Linear": nn.Identity, "Logistic": nn.Sigmoid, "Tanh": nn.Tanh, "Relu": nn.ReLU, "LeakyRelu": nn.LeakyReLU,
    "Gelu": nn.GELU, "Silu": nn.SiLU, "Softplus": nn.Softplus, "Softmax": nn.Identity,
}
worst, count = 0.0, 0
for folder in sorted(Path(sys.argv[1]).glob("model-*")):
    with safe_open(folder / "model.safetensors", framework="pt") as file:
        about = json.loads(file.metadata()["precocial"])
        tensors = {name: file.get_tensor(name) for name in file.keys() if not name.startswith("scaling.")}
    model = nn.Sequential()
    for layer in about["layers"]:
        slope = [layer["slope"]] if "slope" in layer else []
        model.extend([nn.Linear(layer["inputs"], layer["outputs"]), MODULES[layer["activation"]](*slope)])
    model.load_state_dict(tensors, strict=True)
    # In double precision, so that what differs is what was rounded here.
    model.double()
    told = json.loads((folder / "training.json").read_text())
    x, t = (torch.tensor(told[name], dtype=torch.float64) for name in ("x", "t"))
    # With softmax the cross-entropy takes the sums before it.
    loss = nn.CrossEntropyLoss() if told["softmax"] else nn.MSELoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=told["rate"])
    found = []
    for _ in range(2):
        optimizer.zero_grad()
        now = loss(model(x), t)
        found.append(now.item())
        now.backward()
        optimizer.step()
    for ours, theirs in zip(told["losses"], found):
        error = abs(ours - theirs) / theirs
        assert error <= 1e-6, (folder.name, ours, theirs, error)
        worst = max(worst, error)
    count += 1
assert count > 0
print(f"{count} models go on from the same loss, largest relative difference {worst:.1e}, torch", torch.__version__)
