"""Paths of second-order methods on a quadratic and on Rosenbrock's function, for src/train/optimizer/second_order_numbers.rs.

    python3 -m venv /tmp/oracle && /tmp/oracle/bin/pip install numpy==2.4.6 scipy==1.17.1
    /tmp/oracle/bin/python tests/oracle/second_order.py > src/train/optimizer/second_order_numbers.rs

Written from the papers with numpy and linear algebra of its own, without a look at the Rust code: Moller 1993, Nocedal &
Wright 2006 (algorithms 3.5, 3.6, 7.4), Hagan & Menhaj 1994. SciPy says where the minima are.
"""
import numpy as np
from scipy.optimize import minimize


class Quadratic:
    start = [1.0, -2.0, 3.0]
    scale, centre = np.array([1.0, 10.0, 0.1]), np.array([0.5, -1.0, 0.0])

    def residuals(self, x):
        return np.sqrt(1.5 * self.scale) * (x - self.centre)

    def jacobian(self, x):
        return np.diag(np.sqrt(1.5 * self.scale))

    def hessian(self, x):
        return np.diag(self.scale)


class Rosenbrock:
    start = [-1.2, 1.0]

    def residuals(self, x):
        return np.sqrt(2.0) * np.array([1 - x[0], 10 * (x[1] - x[0] ** 2)])

    def jacobian(self, x):
        return np.sqrt(2.0) * np.array([[-1.0, 0.0], [-20 * x[0], 10.0]])

    def hessian(self, x):
        return np.array([[2 - 400 * (x[1] - 3 * x[0] ** 2), -400 * x[0]], [-400 * x[0], 200.0]])


def value(f, x):
    e = f.residuals(x)
    return float(e @ e) / len(e)


def slope(f, x):
    e = f.residuals(x)
    return 2 * f.jacobian(x).T @ e / len(e)


def damped(f, matrix, pull, trials, first=1e-3):
    """One entry a trial: the loss that holds after it."""
    x, mu, path = np.float32(f.start).astype(float), first, []
    for _ in range(trials):
        while np.linalg.eigvalsh(matrix(x) + mu * np.eye(len(x))).min() <= 0:
            mu *= 10
        trial = x - np.linalg.solve(matrix(x) + mu * np.eye(len(x)), pull(x))
        if value(f, trial) < value(f, x):
            x, mu = trial, mu * 0.1
        else:
            mu *= 10
        path.append(value(f, x))
    return path, x


def levenberg_marquardt(f, trials):
    return damped(f, lambda x: f.jacobian(x).T @ f.jacobian(x), lambda x: f.jacobian(x).T @ f.residuals(x), trials)


def newton(f, trials):
    return damped(f, f.hessian, lambda x: slope(f, x), trials)


def scaled_conjugate_gradient(f, iterations, sigma0=5e-5, lambda1=5e-7):
    w = np.float32(f.start).astype(float)
    n, k = len(w), 0
    lam, lam_bar, success = lambda1, 0.0, True
    r = -slope(f, w)
    p = r.copy()
    path = []
    for _ in range(iterations):
        pp = p @ p
        if pp < 1e-300:
            break
        if success:
            sigma = sigma0 / np.sqrt(pp)
            s = (slope(f, w + sigma * p) - slope(f, w)) / sigma
            delta = p @ s
        delta = delta + (lam - lam_bar) * pp
        if delta <= 0:
            lam_bar = 2 * (lam - delta / pp)
            delta = -delta + lam * pp
            lam = lam_bar
        mu = p @ r
        alpha = mu / delta
        comparison = 2 * delta * (value(f, w) - value(f, w + alpha * p)) / mu**2
        if comparison >= 0:
            w = w + alpha * p
            r_new = -slope(f, w)
            lam_bar, success = 0.0, True
            k += 1
            if k % n == 0:
                p = r_new.copy()
            else:
                p = r_new + (r_new @ r_new - r_new @ r) / mu * p
            r = r_new
            if comparison >= 0.75:
                lam = lam / 4
        else:
            lam_bar, success = lam, False
        if comparison < 0.25:
            lam = lam + delta * (1 - comparison) / pp
        path.append(value(f, w))
    return path, w


class Budget(Exception):
    pass


def lbfgs(f, evaluations, memory=10, c1=1e-4, c2=0.9):
    """One entry an evaluation: the loss of the point that the search stands at after it."""
    path, at = [], {}

    def look(x):
        if len(path) == evaluations:
            raise Budget
        path.append(at["loss"])
        return value(f, x), slope(f, x)

    def cubic(a, fa, da, b, fb, db):
        d1 = da + db - 3 * (fa - fb) / (a - b)
        d2 = np.sign(b - a) * np.sqrt(d1 * d1 - da * db) if d1 * d1 >= da * db else np.nan
        c = b - (b - a) * (db + d2 - d1) / (db - da + 2 * d2)
        low, high = min(a, b), max(a, b)
        good = low + 0.1 * (high - low) <= c <= high - 0.1 * (high - low)
        return c if good else 0.5 * (low + high)

    def search(x, d, loss, g, alpha):
        """Strong Wolfe: algorithm 3.5, which calls 3.6."""
        phi0, dphi0 = loss, g @ d

        def phi(a):
            v, gradient = look(x + a * d)
            return v, gradient @ d, gradient

        def zoom(lo, flo, dlo, hi, fhi, dhi):
            while True:
                a = cubic(lo, flo, dlo, hi, fhi, dhi)
                v, dv, gradient = phi(a)
                if v > phi0 + c1 * a * dphi0 or v >= flo:
                    hi, fhi, dhi = a, v, dv
                else:
                    if abs(dv) <= -c2 * dphi0:
                        return a, v, gradient
                    if dv * (hi - lo) >= 0:
                        hi, fhi, dhi = lo, flo, dlo
                    lo, flo, dlo = a, v, dv

        a0, f0, d0, i = 0.0, phi0, dphi0, 1
        while True:
            v, dv, gradient = phi(alpha)
            if v > phi0 + c1 * alpha * dphi0 or (i > 1 and v >= f0):
                return zoom(a0, f0, d0, alpha, v, dv)
            if abs(dv) <= -c2 * dphi0:
                return alpha, v, gradient
            if dv >= 0:
                return zoom(alpha, v, dv, a0, f0, d0)
            a0, f0, d0 = alpha, v, dv
            alpha, i = 2 * alpha, i + 1

    x = np.float32(f.start).astype(float)
    at["loss"] = value(f, x)
    loss, g = look(x)
    pairs = []
    try:
        while True:
            q = g.copy()
            alphas = []
            for s, y in reversed(pairs):
                a = (s @ q) / (s @ y)
                alphas.append(a)
                q = q - a * y
            if pairs:
                s, y = pairs[-1]
                q = q * (s @ y) / (y @ y)
            for (s, y), a in zip(pairs, reversed(alphas)):
                q = q + s * (a - (y @ q) / (s @ y))
            d = -q
            first = 1.0 if pairs else min(1.0, 1 / np.sqrt(g @ g))
            alpha, new_loss, new_g = search(x, d, loss, g, first)
            pairs = (pairs + [(alpha * d, new_g - g)])[-memory:]
            x, loss, g = x + alpha * d, new_loss, new_g
            at["loss"] = loss
            path[-1] = loss
    except Budget:
        pass
    return path, x


print("/// From `tests/oracle/second_order.py`, numpy %s: method, function, loss after each step." % np.__version__)
print("#[rustfmt::skip]")
print("const LOSSES: &[(&str, Function, &[f64])] = &[")
RUNS = [
    ("LevenbergMarquardt", levenberg_marquardt, {"Quadratic": 4, "Rosenbrock": 30}),
    ("ScaledConjugateGradient", scaled_conjugate_gradient, {"Quadratic": 6, "Rosenbrock": 40}),
    ("Lbfgs", lbfgs, {"Quadratic": 12, "Rosenbrock": 45}),
    ("Newton", newton, {"Quadratic": 4, "Rosenbrock": 45}),
]
for name, method, steps in RUNS:
    for function in [Quadratic(), Rosenbrock()]:
        kind = type(function).__name__
        _, x = method(function, 40 * steps[kind] if method is scaled_conjugate_gradient else steps[kind])
        path, _ = method(function, steps[kind])
        best = minimize(lambda x: value(function, x), function.start, jac=lambda x: slope(function, x), tol=1e-12)
        assert np.allclose(x, best.x, atol=1e-4), (name, kind, x, best.x)
        lines = ["        %s," % ", ".join("%.12e" % loss for loss in path[i : i + 5]) for i in range(0, len(path), 5)]
        print('    ("%s()", Function::%s, &[' % (name, kind))
        print("\n".join(lines))
        print("    ]),")
print("];")
