"""Scales of GradInit and MetaInit on a small network, for the tests of src/experiment/arm/grad_init.rs and meta_init.rs.

    python3 -m venv /tmp/oracle && /tmp/oracle/bin/pip install numpy==2.4.6
    /tmp/oracle/bin/python tests/oracle/layer_sizes.py

Written from the papers (Zhu et al. 2021, algorithm 1; Dauphin & Schoenholz 2019, algorithm 1) without a look at the Rust code.
Gradients are propagated by hand in complex numbers, so that one complex step gives exact products with the Hessian.
"""
import numpy as np

X = np.array([((i * 5) % 9 - 4) / 4 for i in range(18)]).reshape(6, 3)
ONE_HOT = np.array([[1.0, 0.0] if row % 3 == 0 else [0.0, 1.0] for row in range(6)])
NUMBERS = np.array([((i * 7) % 5 - 2) / 2 for i in range(12)]).reshape(6, 2)
START = np.array([((i * 7) % 11 - 5) / 8 for i in range(26)])
TENSORS = [slice(0, 12), slice(12, 16), slice(16, 24), slice(24, 26)]


def gradient(theta, softmax):
    w1, b1 = theta[TENSORS[0]].reshape(4, 3), theta[TENSORS[1]]
    w2, b2 = theta[TENSORS[2]].reshape(2, 4), theta[TENSORS[3]]
    hidden = np.tanh(X @ w1.T + b1)
    out = hidden @ w2.T + b2
    if softmax:
        powers = np.exp(out - out.real.max(1, keepdims=True))
        delta = (powers / powers.sum(1, keepdims=True) - ONE_HOT) / len(X)
    else:
        delta = 2 * (out - NUMBERS) / out.size
    back = (delta @ w2) * (1 - hidden**2)
    return np.concatenate([(back.T @ X).ravel(), back.sum(0), (delta.T @ hidden).ravel(), delta.sum(0)])


def bend(theta, direction, softmax):
    return gradient(theta + 1e-30j * direction, softmax).imag / 1e-30


def scaled(scales):
    return np.concatenate([scale * START[tensor] for scale, tensor in zip(scales, TENSORS)])


def grad_init(gamma, signs, eta, softmax, steps=12, rate=0.05):
    scales, moments = np.ones(4), {}
    for _ in range(steps):
        theta = scaled(scales)
        g = gradient(theta, softmax)
        norm = np.abs(g).sum() if signs else np.sqrt(g @ g)
        steep = norm > gamma
        if steep:
            slope = bend(theta, np.sign(g) if signs else g / norm, softmax)
        else:
            slope = gradient(theta - eta * (np.sign(g) if signs else g), softmax) / eta
        pull = np.clip([slope[tensor] @ START[tensor] for tensor in TENSORS], -1, 1)
        t, m, v = moments.get(steep, (0, 0, 0))
        t, m, v = t + 1, 0.9 * m + 0.1 * pull, 0.999 * v + 0.001 * pull**2
        moments[steep] = t, m, v
        scales = scales - rate * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
        scales = np.maximum(scales, [0.01, 0, 0.01, 0])
    return scales, {bool(kind): moments[kind][0] for kind in moments}


def quotient(theta, softmax, epsilon=1e-5):
    weights = np.r_[TENSORS[0], TENSORS[2]]
    g = gradient(theta, softmax)
    direction = np.zeros_like(g)
    direction[weights] = g[weights]
    hg = bend(theta, direction, softmax)[weights]
    g = g[weights]
    return np.abs((g - hg) / (g + epsilon * np.where(g >= 0, 1, -1)) - 1).mean()


def meta_init(softmax, steps=6, rate=0.1, momentum=0.9):
    scales, memory = np.ones(4), [0.0, 0.0]
    first = [np.linalg.norm(START[TENSORS[0]]), np.linalg.norm(START[TENSORS[2]])]
    for _ in range(steps):
        signs = []
        for layer in (0, 2):
            nudge = np.zeros(4)
            nudge[layer] = 1e-6
            signs.append(np.sign(quotient(scaled(scales + nudge), softmax) - quotient(scaled(scales - nudge), softmax)))
        for index, layer in enumerate((0, 2)):
            memory[index] = momentum * memory[index] - rate * signs[index]
            norm = max(scales[layer] * first[index] + memory[index], 0.01 * first[index])
            scales[layer] = norm / first[index]
    return scales


for gamma in (100.0, 0.3, 0.01):
    for signs, eta in ((False, 0.1), (True, 0.01)):
        for softmax in (True, False):
            print("GradInit", gamma, "Sign" if signs else "Gradient", eta, softmax, grad_init(gamma, signs, eta, softmax))
for softmax in (True, False):
    print("MetaInit", softmax, quotient(START, softmax), [meta_init(softmax, steps) for steps in (1, 6, 20)])
