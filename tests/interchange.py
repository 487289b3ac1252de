"""Reads exported models by the recipes of their formats and compares with what was predicted.

Called by tests/interchange.rs with a folder: model-*/ with the files, x.txt and y.txt, and a recipe for each format.
Formats whose packages are not there are skipped with a word.
"""

import importlib
import os
import sys
from pathlib import Path

import numpy as np

os.environ.setdefault("KERAS_BACKEND", "torch")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
root = Path(sys.argv[1])
# Modules each recipe imports, the file it opens, and activations for which the recipe spells out no function.
FORMATS = {
    "npz": (["numpy"], "model.npz", 0),
    "json": (["numpy"], "model.json", 16),
    "onnx": (["onnx", "onnxruntime"], "model.onnx", 0),
    "safetensors": (["torch", "safetensors"], "model.safetensors", 7),
    "keras": (["torch", "keras"], "model.keras.npz", 0),
}
print("numpy", np.__version__)
for word, (modules, file, without) in FORMATS.items():
    try:
        versions = [f"{name} {importlib.import_module(name).__version__}" for name in modules if name != "numpy"]
    except ImportError as missing:
        print(f"{word}: skipped, {missing}")
        continue
    recipe = compile((root / f"{word}.py").read_text(), f"{word}.py", "exec")
    worst, count, unknown = 0.0, 0, 0
    for folder in sorted(root.glob("model-*")):
        if not (folder / file).exists():
            continue
        os.chdir(folder)
        x, expected = np.loadtxt("x.txt", ndmin=2), np.loadtxt("y.txt", ndmin=2)
        if word == "onnx":
            import onnx

            onnx.checker.check_model(onnx.load(file), full_check=True)
        scope = {"x": x}
        try:
            exec(recipe, scope)
        except KeyError:
            unknown += 1
            continue
        y = scope["y"]
        y = np.asarray(y.detach() if hasattr(y, "detach") else y, dtype=np.float64)
        assert y.shape == expected.shape, (word, folder.name, y.shape, expected.shape)
        error = np.max(np.abs(y - expected) / np.maximum(1, np.abs(expected)))
        assert error <= 1e-6, (word, folder.name, error)
        worst, count = max(worst, error), count + 1
    assert count > 0 and unknown == without, (word, count, unknown)
    print(f"{word}: {count} models, largest error {worst:.1e}", *versions)
