"""Steps of the classic control environments of Gymnasium, one a line: state, action, next state, observation, reward,
end (0 or 1). Half of them are random walks from random starts, half begin at random states, limits and goals included.
Usage: gymnasium_steps.py FOLDER   (gymnasium 1.3.0, numpy 2)"""
import sys
from pathlib import Path

import gymnasium
import numpy as np

rng = np.random.default_rng(1)
u = lambda *bounds: np.array([rng.uniform(-b, b) if np.isscalar(b) else rng.uniform(*b) for b in bounds])

# name, id, near starts, wild states, action
ENVIRONMENTS = [
    ("cart_pole", "CartPole-v1", lambda: u(0.05, 0.05, 0.05, 0.05), lambda: u(2.5, 4, 0.23, 4),
     lambda: int(rng.integers(2))),
    ("pendulum", "Pendulum-v1", lambda: u(np.pi, 1), lambda: u(12, 8),
     lambda: np.array([rng.uniform(-3, 3)], np.float32)),
    ("acrobot", "Acrobot-v1", lambda: u(0.1, 0.1, 0.1, 0.1), lambda: u(np.pi, np.pi, 4 * np.pi, 9 * np.pi),
     lambda: int(rng.integers(3))),
    ("mountain_car", "MountainCar-v0", lambda: np.array([rng.uniform(-0.6, -0.4), 0.0]),
     lambda: u((-1.2, 0.6), 0.07), lambda: int(rng.integers(3))),
    ("mountain_car_continuous", "MountainCarContinuous-v0", lambda: np.array([rng.uniform(-0.6, -0.4), 0.0]),
     lambda: u((-1.2, 0.6), 0.07), lambda: np.array([rng.uniform(-1, 1)], np.float32)),
]

folder = Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
for name, identity, near, wild, draw in ENVIRONMENTS:
    env = gymnasium.make(identity).unwrapped
    env.reset(seed=1)
    lines, ends = [], 0
    state, walk = near(), 0
    for index in range(240):
        if index >= 120:
            state = wild()
        elif walk == 40:
            state, walk = near(), 0
        if name.startswith("mountain") and index >= 200:  # around the goal and the left wall
            goal = [(0.44, 0.52), (0.0, 0.07)] if index % 2 else [(-1.2, -1.15), (-0.07, 0.0)]
            state = u(*goal)
        action = draw()
        env.state, env.steps_beyond_terminated = np.array(state, np.float64), None
        observation, reward, ended, _, _ = env.step(action)
        after = np.asarray(env.state, np.float64)
        ends += ended
        exact = ",".join(repr(float(x)) for x in state)
        rounded = ",".join(f"{float(x):.9g}" for x in [np.ravel(action)[0], *after, *observation, reward, ended])
        lines.append(f"{exact},{rounded}")
        state, walk = (near(), 0) if ended else (after, walk + 1)
    head = f"# Gymnasium {gymnasium.__version__}, {identity}: state, action, next state, observation, reward, end\n"
    (folder / f"{name}.csv").write_text(head + "\n".join(lines) + "\n")
    print(name, len(lines), "steps,", ends, "ends")
