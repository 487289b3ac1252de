"""Writes src/train/initializer/nguyen_widrow_numbers.rs: the Nguyen-Widrow rule on fixed directions, by NumPy.

The steps stand in the order of the toolbox: remove constant inputs, magnitude, thresholds, active range, input range.
"""
import numpy


def rule(directions, ranges, active, units):
    ranges = numpy.array(ranges, dtype=float)
    keep = ranges[:, 0] != ranges[:, 1]
    r = int(keep.sum())
    magnitude = 0.7 * units ** (1 / r)
    w = magnitude * directions
    b = numpy.zeros(units) if units == 1 else magnitude * numpy.linspace(-1, 1, units) * numpy.sign(w[:, 0])
    x, y = 0.5 * (active[1] - active[0]), 0.5 * (active[1] + active[0])
    w, b = x * w, x * b + y
    low, high = ranges[keep, 0], ranges[keep, 1]
    x = 2 / (high - low)
    y = 1 - high * x
    b = w @ y + b
    w = w * x
    whole = numpy.zeros((units, len(ranges)))
    whole[:, keep] = w
    return whole, b


def numbers(values):
    return "&[" + ", ".join(repr(float(v)) for v in numpy.ravel(values)) + "]"


cases = [
    (5, [(0, 1), (-3, 5), (2, 2), (100, 101.5)], (-2, 2)),
    (4, [(-1, 1), (-1, 1)], (-4, 4)),
    (1, [(0, 1), (-2, -1), (0, 3)], (-2, 2)),
    (3, [(0.25, 4)], (-1, 3)),
]
with open("src/train/initializer/nguyen_widrow_numbers.rs", "w") as file:
    file.write(f"// NumPy {numpy.__version__}, tests/oracle/nguyen_widrow.py.\n")
    file.write("struct NumpyCase {\n    directions: &'static [f64],\n    ranges: &'static [Range],\n")
    file.write("    active: Range,\n    weights: &'static [f64],\n    biases: &'static [f64],\n}\n")
    file.write("const NUMPY_CASES: &[NumpyCase] = &[\n")
    for units, ranges, active in cases:
        r = sum(low != high for low, high in ranges)
        directions = numpy.array([((i * 7 + 3) % 11) * 0.2 - 1.0 for i in range(units * r)]).reshape(units, r)
        directions /= numpy.linalg.norm(directions, axis=1, keepdims=True)
        weights, biases = rule(directions, ranges, active, units)
        pairs = ", ".join(f"({float(low)}, {float(high)})" for low, high in ranges)
        file.write("    NumpyCase {\n")
        file.write(f"        directions: {numbers(directions)},\n        ranges: &[{pairs}],\n")
        file.write(f"        active: ({float(active[0])}, {float(active[1])}),\n")
        file.write(f"        weights: {numbers(weights)},\n        biases: {numbers(biases)},\n    }},\n")
    file.write("];\n")
