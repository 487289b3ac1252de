"""Shapes and arrays that all programs share. Genomes lie as precocial keeps them: per layer weights [out, in], biases."""
import os

import numpy as np

# name: population, (inputs, hidden, classes), rows
SHAPES = {
    "tiny": (256, (4, 8, 3), 150),
    "small": (128, (64, 64, 10), 1797),
    "medium": (64, (784, 128, 10), 4096),
}


def write(folder):
    """Makes the arrays as raw little-endian f32 files, if they are not there."""
    os.makedirs(folder, exist_ok=True)
    for name, (population, sizes, rows) in SHAPES.items():
        if os.path.exists(f"{folder}/{name}_g.f32"):
            continue
        rng = np.random.default_rng(sizes[0])
        x = rng.standard_normal((rows, sizes[0]))
        y = np.argmax(x @ rng.standard_normal((sizes[0], sizes[-1])), axis=1)
        parts = []
        for fan_in, fan_out in zip(sizes, sizes[1:]):
            parts.append(rng.standard_normal((population, fan_in * fan_out)) / np.sqrt(fan_in))
            parts.append(0.1 * rng.standard_normal((population, fan_out)))
        for kind, array in (("x", x), ("y", y), ("g", np.concatenate(parts, axis=1))):
            np.ascontiguousarray(array, dtype="<f4").tofile(f"{folder}/{name}_{kind}.f32")


def read(folder, name):
    """Rows [n, inputs], classes [n], and per layer (weights [population, in, out], biases [population, out])."""
    population, sizes, rows = SHAPES[name]
    x = np.fromfile(f"{folder}/{name}_x.f32", dtype="<f4").reshape(rows, sizes[0])
    y = np.fromfile(f"{folder}/{name}_y.f32", dtype="<f4").astype(np.int32)
    genomes = np.fromfile(f"{folder}/{name}_g.f32", dtype="<f4").reshape(population, -1)
    layers, at = [], 0
    for fan_in, fan_out in zip(sizes, sizes[1:]):
        weights = genomes[:, at:at + fan_in * fan_out].reshape(population, fan_out, fan_in)
        at += fan_in * fan_out
        layers.append((np.ascontiguousarray(weights.transpose(0, 2, 1)), genomes[:, at:at + fan_out].copy()))
        at += fan_out
    return x, y, layers
