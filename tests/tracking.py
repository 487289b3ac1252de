"""Reads what a run left for other programs: its event files, its tables, and both by the recipes of the documentation.

Called by tests/interchange.rs in a folder with `results/iris-ga-vs-random-1`: the run, and the page with the recipes. What
needs a package that is not there is skipped with a word.
"""

import csv
import importlib
import json
import re
import sys
from pathlib import Path

run, page = Path(sys.argv[1]), Path(sys.argv[2])


def rows(name):
    with open(run / name, newline="") as file:
        return list(csv.DictReader(file))


for name in ["results", "history", "generations", "health", "predictions"]:
    table = rows(f"{name}.csv")
    lines = [json.loads(line) for line in open(run / f"{name}.jsonl")]
    assert len(table) == len(lines) > 0, name
    for row, line in zip(table, lines):
        assert list(row) == list(line), name
        for cell, value in zip(row.values(), line.values()):
            same = {float: float, int: int}.get(type(value), str)
            assert cell == "" if value is None else same(cell) == value, (name, cell, value)
print("json: 5 tables")

try:
    from tensorboard import __version__ as version
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
except ImportError as missing:
    print(f"tensorboard: skipped, {missing}")
else:
    started = json.load(open(run / "manifest.json"))["started"]
    points = 0
    for result in rows("results.csv"):
        arm, seed = result["arm"], result["seed"]
        everything = {"scalars": 0, "histograms": 0}
        events = EventAccumulator(str(run / "tensorboard" / arm / f"seed-{seed}"), size_guidance=everything)
        events.Reload()

        def close(tag, expected):
            global points
            found = [(event.step, event.value) for event in events.Scalars(tag)]
            assert len(found) == len(expected) > 0, (tag, len(found), len(expected))
            for (step, value), (cost, number) in zip(found, expected):
                # Half a row-pass is rounded away from 0 here, to even numbers in Python.
                assert abs(step - cost) <= 0.5 and abs(value - number) <= 1e-6 * max(1, abs(number)), (tag, step)
            points += len(found)

        own = lambda table: [row for row in table if row["arm"] == arm and row["seed"] == seed]
        history, generations = own(rows("history.csv")), own(rows("generations.csv"))
        pairs = lambda table, x, y: [(float(row[x]), float(row[y])) for row in table if row[y] != ""]
        close("loss/training", pairs(history, "cost", "train_loss"))
        close("loss/validation", pairs(history, "cost", "validation_loss"))
        close("training/epoch", pairs(history, "cost", "epoch"))
        trained = [row for row in history if row["phase"] == "train"]
        close("loss_by_step/training", pairs(trained, "step", "train_loss"))
        close("loss/test", pairs([result], "deployed_cost", "test_loss"))
        wall = [event.wall_time for event in events.Scalars("loss/training")]
        assert all(abs(t - started - float(row["seconds"])) < 1e-3 for t, row in zip(wall, history))
        if generations:
            close("search/best", pairs(generations, "cost", "best"))
        for tag, count in [("weights/layer_1", 16), ("thresholds/layer_2", 3)]:
            histograms = [event.histogram_value for event in events.Histograms(tag)]
            assert len(histograms) == 2 + bool(generations), (arm, len(histograms))
            assert all(sum(h.bucket) == h.num == count and h.min <= h.max == h.bucket_limit[-1] for h in histograms)
    print(f"tensorboard: {points} points of 4 runs {version}")

for recipe in re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL):
    modules = re.findall(r"^(?:import|from) (\w+)", recipe, re.MULTILINE)
    try:
        versions = [f"{name} {importlib.import_module(name).__version__}" for name in modules if name not in ("csv", "json")]
    except ImportError as missing:
        print(f"recipe of {modules[0]}: skipped, {missing}")
        continue
    exec(compile(recipe, f"recipe of {modules[0]}", "exec"), {})
    print(f"recipe of {modules[0]}: ran,", *versions)
