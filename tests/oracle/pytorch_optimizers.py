"""Writes src/train/optimizer/oracle_numbers.rs: ten steps of each optimizer on two functions, in double precision.

By PyTorch; iRprop- by NumPy after Igel & Huesken 2003, and once more by PyTorch's Rprop, which is the same method.
"""
import numpy
import torch

torch.set_default_dtype(torch.float64)
STEPS = 10


def quadratic(x):
    return 0.5 * (x[0] - 0.5) ** 2 + 5.0 * (x[1] + 1.0) ** 2 + 0.05 * x[2] ** 2


def rosenbrock(x):
    return (1.0 - x[0]) ** 2 + 100.0 * (x[1] - x[0] ** 2) ** 2


FUNCTIONS = [("Quadratic", quadratic, [1.0, -2.0, 3.0]), ("Rosenbrock", rosenbrock, [-1.2, 1.0])]


def by_torch(make, function, start):
    x = torch.tensor(start, requires_grad=True)
    optimizer = make([x])
    path = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        function(x).backward()
        optimizer.step()
        path.append(x.tolist())
    return path


def by_paper(function, start, first=0.1, increase=1.2, decrease=0.5, smallest=1e-6, largest=50.0):
    x = numpy.array(start)
    size = numpy.full(len(x), first)
    previous = numpy.zeros(len(x))
    path = []
    for _ in range(STEPS):
        t = torch.tensor(x, requires_grad=True)
        function(t).backward()
        g = t.grad.numpy().copy()
        for i in range(len(x)):
            if previous[i] * g[i] > 0:
                size[i] = min(size[i] * increase, largest)
            elif previous[i] * g[i] < 0:
                size[i] = max(size[i] * decrease, smallest)
                g[i] = 0.0
            x[i] -= numpy.sign(g[i]) * size[i]
            previous[i] = g[i]
        path.append(x.tolist())
    return path


o = torch.optim
CASES = [
    ("Sgd()", lambda p: o.SGD(p)),
    ("Sgd(learning_rate: 0.002)", lambda p: o.SGD(p, lr=0.002)),
    ("Momentum()", lambda p: o.SGD(p, momentum=0.9)),
    ("Momentum(learning_rate: 0.0005, momentum: 0.5)", lambda p: o.SGD(p, lr=0.0005, momentum=0.5)),
    ("Nesterov(momentum: 0.9)", lambda p: o.SGD(p, momentum=0.9, nesterov=True)),
    ("Nesterov(learning_rate: 0.0005, momentum: 0.5)", lambda p: o.SGD(p, lr=0.0005, momentum=0.5, nesterov=True)),
    ("RmsProp()", lambda p: o.RMSprop(p)),
    ("RmsProp(learning_rate: 0.1, decay: 0.9, epsilon: 0.01)", lambda p: o.RMSprop(p, lr=0.1, alpha=0.9, eps=0.01)),
    ("Adam()", lambda p: o.Adam(p)),
    ("Adam(learning_rate: 0.1, beta1: 0.8, beta2: 0.9, epsilon: 0.01)",
     lambda p: o.Adam(p, lr=0.1, betas=(0.8, 0.9), eps=0.01)),
    ("AdamW()", lambda p: o.AdamW(p)),
    ("AdamW(learning_rate: 0.1, weight_decay: 0.5)", lambda p: o.AdamW(p, lr=0.1, weight_decay=0.5)),
    ("Rprop()", None),
    ("Rprop(increase: 1.5, decrease: 0.25, initial_step: 0.29, smallest_step: 0.05, largest_step: 0.4)", None),
]
with open("src/train/optimizer/oracle_numbers.rs", "w") as file:
    file.write(f"// PyTorch {torch.__version__}, NumPy {numpy.__version__}, tests/oracle/pytorch_optimizers.py.\n")
    file.write("#[rustfmt::skip]\nconst PATHS: &[(&str, Function, &[&[f64]])] = &[\n")
    for text, make in CASES:
        for name, function, start in FUNCTIONS:
            if make:
                path = by_torch(make, function, start)
            else:
                own = dict(first=0.29, increase=1.5, decrease=0.25, smallest=0.05, largest=0.4) if "0.25" in text else {}
                path = by_paper(function, start, **own)
                etas = (own.get("decrease", 0.5), own.get("increase", 1.2))
                sizes = (own.get("smallest", 1e-6), own.get("largest", 50.0))
                same = by_torch(
                    lambda p: o.Rprop(p, lr=own.get("first", 0.1), etas=etas, step_sizes=sizes), function, start)
                assert numpy.allclose(path, same, rtol=0, atol=1e-12)
            file.write(f'    ("{text}", Function::{name}, &[\n')
            for x in path:
                file.write("        &[" + ", ".join(repr(v) for v in x) + "],\n")
            file.write("    ]),\n")
    file.write("];\n")
