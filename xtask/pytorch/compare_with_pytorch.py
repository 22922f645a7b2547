"""Runs a bench of this project and its yardstick in PyTorch in turn, and prints our time over
PyTorch's as a table. Both get the same number of threads, and both allocators keep what is freed:

    python xtask/pytorch/compare_with_pytorch.py block|step|halves|base [rounds] [threads]

The ratio of a round is of its own two runs, one right after the other; the table has the median of
all rounds' ratios and the best time of each side.
"""

import json
import os
import pathlib
import re
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).parent
MILLISECONDS = {"ns": 1e-6, "µs": 1e-3, "ms": 1.0, "s": 1e3}
SIZES = [(16, 4, 28), (8, 4, 56), (4, 8, 112)]
KEEP_FREED = {
    "MIMALLOC_PURGE_DELAY": "100000",
    "MALLOC_MMAP_THRESHOLD_": str(1 << 32),
    "MALLOC_TRIM_THRESHOLD_": str(1 << 34),
    "MALLOC_TOP_PAD_": str(1 << 26),
}


def output(command, threads):
    environment = {**os.environ, **KEEP_FREED, "RAYON_NUM_THREADS": str(threads)}
    done = subprocess.run(
        command, cwd=HERE.parent.parent, env=environment, check=True, text=True, capture_output=True
    )
    return done.stdout


def bench(package, name, features, filters, samples, threads):
    """The fastest time of each bench of ours whose name has a filter in it, in milliseconds."""
    command = ["cargo", "bench", "-q", "-p", package, "--bench", name]
    command += ["--features", features] if features else []
    command += ["--", *filters, "--sample-count", str(samples), "--sample-size", "1"]
    times, path = {}, []
    for line in output(command, threads).splitlines():
        entry = re.match(r"^((?:[│ ]  )*)[├╰]─ (\S+(?: x \d+)*)\s*(?:([\d.]+) (ns|µs|ms|s)\b)?", line)
        if entry:
            indent, label, value, unit = entry.groups()
            path = [*path[: len(indent) // 3], label]
            if value:
                times["/".join(path)] = float(value) * MILLISECONDS[unit]
    return times


def yardstick(script, *arguments, threads):
    """The best time of each line of a script beside this one, in milliseconds."""
    text = output([sys.executable, str(HERE / script), str(threads), *map(str, arguments)], threads)
    return {name: float(best) for name, best in re.findall(r"^(.+): best ([\d.]+) ms", text, re.M)}


def block(threads):
    ours = bench("clover-kernels", "kernels", "flex", ["block_"], 15, threads)
    theirs = yardstick("swin_block.py", 15, threads=threads)
    return {
        "block forward": (ours["block_forward/Kernel"], theirs["block forward"]),
        "block forward + backward": (ours["block_training/Kernel"], theirs["block forward + backward"]),
    }


def step(threads):
    pairs = {}
    ours = bench("clover-trainer", "pretraining_step", None, ["training_step"], 15, threads)
    for size in SIZES:
        label = " x ".join(map(str, size))
        theirs = yardstick("pretraining_step.py", 15, *size, threads=threads)
        pairs[f"tiny step, {label}"] = (ours[f"training_step/{label}"], theirs["training step"])
    return pairs


def halves(threads):
    """Ours in two halves at the same time, `micro_batches_at_once = 2`, a core each."""
    pairs = {}
    for batch, frames, size in SIZES:
        command = ["cargo", "run", "-q", "--release", "-p", "clover-trainer", "--example", "step_time"]
        command += ["--features", "clover-test-backend/flex", "--", "tiny", "f32"]
        command += map(str, (batch, batch // 2, 2, frames, size, 15))
        ours = json.loads(output(command, threads))["best_seconds"] * 1e3
        theirs = yardstick("pretraining_step.py", 15, batch, frames, size, threads=threads)
        pairs[f"tiny step in halves, {batch} x {frames} x {size}"] = (ours, theirs["training step"])
    return pairs


def base(threads):
    command = ["cargo", "run", "-q", "--release", "-p", "clover-model", "--example", "base_forward"]
    text = output([*command, "--", "5"], threads)
    ours = float(re.search(r"best of \d+: ([\d.]+) s", text).group(1)) * 1e3
    theirs = yardstick("base_video_encoder.py", 5, threads=threads)
    return {"base video encoder forward": (ours, theirs["base video encoder forward"])}


def main():
    case = {"block": block, "step": step, "halves": halves, "base": base}[sys.argv[1]]
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    threads = int(sys.argv[3]) if len(sys.argv) > 3 else 2
    found = {}
    for _ in range(rounds):
        for name, pair in case(threads).items():
            found.setdefault(name, []).append(pair)
    print("| | flex, ms | PyTorch, ms | ratio, median | ratios |\n|---|---|---|---|---|")
    for name, pairs in found.items():
        ours, theirs = (min(side) for side in zip(*pairs))
        ratios = sorted(mine / yours for mine, yours in pairs)
        spread = f"{ratios[0]:.2f} to {ratios[-1]:.2f}"
        middle = statistics.median(ratios)
        print(f"| {name} | {ours:.0f} | {theirs:.0f} | {middle:.2f} | {spread} |")


if __name__ == "__main__":
    main()
