"""Times precocial beside the best other programs, in turns, and writes results/performance/ratios.csv. See README.md."""
import argparse
import csv
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from statistics import median

import shapes

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PRECOCIAL = os.path.join(os.environ.get("CARGO_TARGET_DIR", os.path.join(ROOT, "target")), "release", "precocial")

# workload: floor and goal at 1 thread, floor and goal at 2
TARGETS = {
    "W1": (2.7, 4, 7, 10), "W2": (1.35, 1.5, 2.6, 3), "W3": (1.1, 1.2, 1.1, 1.25),
    "W4 tiny": (3, 5, 6, 10), "W4 small": (1.5, 1.8, 2.3, 2.8), "W4 medium": (1.0, 1.2, 1.15, 1.35),
    "W5 large": (6, 7, 9, 11), "W5 small": (4, 6, 6, 8),
    "W6 small full": (1.4, 1.7, None, 2.5), "W6 medium full": (1.0, 1.3, None, 1.1),
    "W6 small b32": (3, 4, None, None), "W6 medium b32": (1.2, 1.5, None, None),
    "W7": (5, 8, 10, 16),
    "W8": (None, None, 50, 100),
}


def pinned(threads):
    cores = sorted(os.sched_getaffinity(0))[:threads]
    def pin():
        os.sched_setaffinity(0, cores)
    variables = {name: str(threads) for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
    return {"preexec_fn": pin, "env": {**os.environ, "JAX_PLATFORMS": "cpu", **variables}, "text": True}


class Jax:
    """One compiled workload in a process of its own; idle while it waits."""

    def __init__(self, arrays, workload, route, threads):
        self.name = f"jax {route}"
        command = [sys.executable, f"{HERE}/jax_worker.py", arrays, workload, route]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, **pinned(threads))
        self.check = json.loads(self.process.stdout.readline())["check"]

    def rate(self, seconds):
        self.process.stdin.write(f"{seconds}\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())["rate"]

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Crate:
    """Generations of the crate genetic_algorithm."""

    name, check = "genetic_algorithm", None

    def __init__(self, workload, threads):
        target = os.path.join(ROOT, "target", "peers")
        build = ["cargo", "build", "--quiet", "--release", "--manifest-path", f"{HERE}/generation/Cargo.toml"]
        subprocess.run(build + ["--target-dir", target], check=True,
                       env={**os.environ, "RUSTFLAGS": "-C target-cpu=native"})
        shape = ["1024", "10000"] if workload == "W5 large" else ["256", "67"]
        self.command, self.threads = [f"{target}/release/generation", *shape, str(threads)], threads

    def rate(self, seconds):
        done = subprocess.run(self.command + [str(seconds)], stdout=subprocess.PIPE, check=True, **pinned(self.threads))
        return float(done.stdout)

    def close(self):
        pass


def ours(workload, threads, seconds, arrays):
    command = [PRECOCIAL, "bench", workload, "--exact", "--threads", str(threads), "--seconds", str(seconds), "--json"]
    done = subprocess.run(command + ["--arrays", arrays], stdout=subprocess.PIPE, check=True, **pinned(threads))
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    return next(row for row in rows if row["event"] == "rate")


def busy():
    """Seconds that all cores worked since the machine started, and those of this process and its children."""
    with open("/proc/stat") as file:
        fields = [int(field) for field in file.readline().split()[1:]]
    all_cores = (sum(fields) - fields[3] - fields[4]) / os.sysconf("SC_CLK_TCK")
    return all_cores


def compare(workload, threads, rounds, seconds, arrays):
    if workload.startswith("W5"):
        peers = [Crate(workload, threads)]
    elif workload.startswith("W6"):
        peers = [Jax(arrays, workload, "scan", threads)]
    elif workload == "W7":
        peers = [Jax(arrays, workload, "vmap", threads)]
    else:
        # On the larger shapes `vmap` is two to five times slower than `map` and would take most of the time.
        routes = ("vmap", "map") if workload in ("W1", "W4 tiny") else ("map",)
        peers = [Jax(arrays, workload, route, threads) for route in routes]
    rates, own, other = {peer.name: [] for peer in peers}, [], []
    check = share = None
    for _ in range(rounds):
        for peer in peers:
            rates[peer.name].append(peer.rate(seconds))
        before, start = busy(), time.time()
        row = ours(workload, threads, seconds, arrays)
        other.append((busy() - before) / (time.time() - start) - threads)
        own.append(row["rate"])
        check, share = row["check"], row["share"]
    for peer in peers:
        peer.close()
        if peer.check is not None and workload[:2] in ("W1", "W2", "W3", "W4"):
            assert abs(peer.check - check) < 1e-4 * abs(check), f"{workload}: {peer.name} {peer.check}, ours {check}"
    best = max(rates, key=lambda name: median(rates[name]))
    return best, median(rates[best]), median(own), share, max(0.0, median(other))


def measured(command, environment):
    """Wall seconds and peak MiB of a fresh process; GNU time starts it, or it would inherit the peak of this one."""
    with tempfile.NamedTemporaryFile("r") as report:
        timed = ["time", "--format", "%e %M", "--output", report.name, *command]
        start = time.time()
        subprocess.run(timed, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True, **environment)
        seconds = time.time() - start
        return seconds, int(report.read().split()[1]) / 1024


def whole_job(rounds):
    memory = "/dev/shm" if os.path.isdir("/dev/shm") else None
    theirs, own = [], []
    for turn in range(rounds):
        # The wall time of both holds the millisecond that GNU time takes to start.
        theirs.append(measured([sys.executable, f"{HERE}/deap_job.py", str(turn + 1)], pinned(2)))
        folder = tempfile.mkdtemp(dir=memory)
        command = [PRECOCIAL, "run", f"{HERE}/whole_job.ron", "--seeds", str(turn + 1), "--no-report", "--quiet"]
        own.append(measured(command + ["--out", f"{folder}/out"], pinned(2)))
        shutil.rmtree(folder)
    fields = [median(column) for pairs in (theirs, own) for column in zip(*pairs)]
    print(f"W8: DEAP {fields[0]:.2f} s, {fields[1]:.0f} MiB; precocial {1000 * fields[2]:.1f} ms, {fields[3]:.1f} MiB")
    return fields


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--only", help="one workload, such as `W2` or `W4 tiny`")
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--seconds", type=float, default=1.0)
    arguments.add_argument("--threads", default="1,2")
    arguments.add_argument("--out", default=f"{ROOT}/results/performance")
    options = arguments.parse_args()
    arrays = os.path.join(tempfile.gettempdir(), "precocial-arrays")
    shapes.write(arrays)
    os.makedirs(options.out, exist_ok=True)
    rows = []
    for workload, targets in TARGETS.items():
        if options.only and not workload.startswith(options.only):
            continue
        if workload == "W8":
            theirs, their_memory, seconds, memory = whole_job(max(options.rounds, 5))
            rows.append(dict(workload="W8", threads=2, peer="DEAP", peer_rate=1 / theirs, rate=1 / seconds, ratio=theirs / seconds,
                             floor=targets[2], goal=targets[3], share="", other_cpu="", note=f"{memory:.1f} MiB, DEAP {their_memory:.0f} MiB"))
            continue
        for threads in map(int, options.threads.split(",")):
            peer, peer_rate, rate, share, other = compare(workload, threads, options.rounds, options.seconds, arrays)
            floor, goal = targets[:2] if threads == 1 else targets[2:]
            rows.append(dict(workload=workload, threads=threads, peer=peer, peer_rate=peer_rate, rate=rate, ratio=rate / peer_rate,
                             floor=floor, goal=goal, share=share, other_cpu=round(other, 2), note=""))
            print(f"{workload:15} {threads} thread(s): {rate:10.4g} against {peer} {peer_rate:10.4g}: {rate / peer_rate:6.2f}x "
                  f"(floor {floor}, goal {goal}), {100 * share:.0f} % of the limit, others {other:.2f} cores", flush=True)
    with open(f"{options.out}/ratios.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    subprocess.run([PRECOCIAL, "bench", "--ratios", f"{options.out}/ratios.csv"], check=True)


if __name__ == "__main__":
    main()
