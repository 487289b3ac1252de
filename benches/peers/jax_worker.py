"""A process that compiles one workload in jax and times it on request: a line in is a number of seconds, a line out a
JSON object. Usage: jax_worker.py ARRAYS WORKLOAD ROUTE"""
import json
import sys
import time

import jax
import jax.numpy as jnp
import optax
import shapes

arrays, workload, route = sys.argv[1:4]
kind, *rest = workload.split()
name = {"W1": "tiny", "W2": "small", "W3": "medium"}.get(kind) or (rest + ["tiny"])[0]
x, y, layers = shapes.read(arrays, name)
x, y = jnp.asarray(x), jnp.asarray(y)
population = tuple((jnp.asarray(w), jnp.asarray(b)) for w, b in layers)


def loss(params, x, y):
    (w1, b1), (w2, b2) = params
    z = jnp.tanh(x @ w1 + b1) @ w2 + b2
    return optax.softmax_cross_entropy_with_integer_labels(z, y).mean()


def five_steps(params):
    for _ in range(5):
        gradient = jax.grad(loss)(params, x, y)
        params = jax.tree.map(lambda p, g: p - 0.1 * g, params, gradient)
    return loss(params, x, y)


def swing_up(weights):
    """Return of 1000 steps of the pole, 5-10-1 tanh units, single precision; the equations of src/task/control/swing_up.rs."""
    w1, b1, w2, b2 = weights

    def step(state, _):
        x, v, angle, turn = state
        s, c = jnp.sin(angle), jnp.cos(angle)
        seen = jnp.stack((x, v, c, s, turn))
        u = 10 * jnp.tanh(jnp.tanh(seen @ w1 + b1) @ w2 + b2)
        pull = -0.6 * turn * turn * s
        to_x = (pull + 14.73 * s * c + 4 * u - 0.4 * v) / (4 - 1.5 * c * c)
        to_angle = (1.5 * pull * c + 58.92 * s + 6 * (u - 0.1 * v) * c) / (2.4 - 0.9 * c * c)
        state = (x + 0.01 * v, v + 0.01 * to_x, angle + 0.01 * turn, turn + 0.01 * to_angle)
        return state, (jnp.cos(state[2]) + 1) / 2 * jnp.cos(jnp.pi * state[0] / 4.8)

    start = (jnp.float32(0), jnp.float32(0), jnp.float32(3.0), jnp.float32(0))
    return jax.lax.scan(step, start, None, length=1000)[1].sum()


def scorer(one):
    if route == "vmap":
        return jax.jit(jax.vmap(one))
    return jax.jit(lambda population: jax.lax.map(one, population))


if kind in ("W1", "W2", "W3", "W4"):
    score = scorer(five_steps if kind == "W4" else lambda params: loss(params, x, y))
    work = len(layers[0][0]) * len(x)

    def call():
        return float(jax.block_until_ready(score(population)).mean())
elif kind == "W7":
    draw = lambda key, *shape: 0.02 * jax.random.normal(key, (256, *shape))
    keys = jax.random.split(jax.random.key(7), 4)
    # As in the workload: one unit pulls the cart back to the middle.
    weights = (draw(keys[0], 5, 10).at[:, 0:2, 0].set(-1), draw(keys[1], 10), draw(keys[2], 10).at[:, 0].set(1), draw(keys[3]))
    score = scorer(swing_up)
    work = 256 * 1000

    def call():
        return float(jax.block_until_ready(score(weights)).mean())
else:
    batch = 32 if rest[1] == "b32" else 0
    optimizer = optax.adam(1e-3)
    count = len(x)
    epochs = 1 if batch else max(1, 70_000 // count)
    batches = count // batch if batch else 1
    work = epochs * batches * (batch or count)

    @jax.jit
    def run(state, key):
        def epoch(state, key):
            def step(state, rows):
                params, memory = state
                inputs, targets = (x, y) if rows is None else (x[rows], y[rows])
                value, gradient = jax.value_and_grad(loss)(params, inputs, targets)
                update, memory = optimizer.update(gradient, memory)
                return (optax.apply_updates(params, update), memory), value
            if not batch:
                return step(state, None)
            order = jax.random.permutation(key, count)[:batches * batch].reshape(batches, batch)
            return jax.lax.scan(step, state, order)
        return jax.lax.scan(epoch, state, jax.random.split(key, epochs))

    params = jax.tree.map(lambda a: a[0], population)
    held = [(params, optimizer.init(params))]

    def call():
        held[0], losses = jax.block_until_ready(run(held[0], jax.random.key(0)))
        return float(losses.reshape(-1)[-1])

check = call()
call()
print(json.dumps({"ready": True, "check": check}), flush=True)
for line in sys.stdin:
    deadline, timings = time.perf_counter() + float(line), []
    while len(timings) < 3 or time.perf_counter() < deadline:
        start = time.perf_counter()
        call()
        timings.append(time.perf_counter() - start)
    timings.sort()
    print(json.dumps({"rate": work / timings[len(timings) // 2]}), flush=True)
