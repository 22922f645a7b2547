"""Imports a ViT-B/32 of random weights and compares both encoders with open_clip's, values and time.

    pip install torch open_clip_torch safetensors
    cargo build --release -p clover-model --example clip_towers
    python3 xtask/pytorch/clip_towers.py [--target target] [--folder FOLDER] [--rounds 9] [--threads 2]

open_clip's model gets random values in every parameter and is saved in its own form (`.pt`) and as
safetensors. The example reads each, embeds 32 random frames of 224 px and two batches of 64 texts, of
77 pieces and of captions' length (15 on average, padded to 77), and fails above 1e-4 of the mean length. Then
it and open_clip, eager and by `torch.compile`, embed the same in turn: so a busy machine is busy for all of
them. The ratio of a round is our time over the better of PyTorch's two; the table has the medians of the
rounds. Both allocators keep what is freed. On a machine that is busy all the time, `--threads 1 --cpu-time`
takes the processor's time of a single thread instead, which waiting has no part in.
"""

import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

from compare_with_pytorch import KEEP_FREED

BOUND = 1e-4
FRAMES, TEXTS, CONTEXT = 32, 64, 77
START, END = 49406, 49407


def randomized(model):
    """Random values everywhere: fresh models have biases of zero and norms of one."""
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.02 * torch.randn_like(parameter))
    return model.eval()


def texts(lengths):
    """Random pieces between the start and the end of a text, zeros behind it."""
    ids = torch.zeros(len(lengths), CONTEXT, dtype=torch.long)
    for row, length in zip(ids, lengths):
        row[0], row[length - 1] = START, END
        row[1 : length - 1] = torch.randint(1, START, (length - 2,))
    return ids


class Program:
    """The example, which embeds whenever it is asked to."""

    def __init__(self, program, weights, activation, inputs, out, threads):
        environment = {**os.environ, "RAYON_NUM_THREADS": str(threads)}
        command = [program, weights, activation, inputs, out]
        self.process = subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        lines = [self.line().split() for _ in range(3)]
        self.figures = {name: float(value) for name, value in lines}

    def line(self):
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"the example ended with {self.process.wait()}")
        return line

    def milliseconds(self, name, cpu_time):
        before = self.cpu_milliseconds()
        self.process.stdin.write(name + "\n")
        self.process.stdin.flush()
        elapsed = float(self.line())
        return self.cpu_milliseconds() - before if cpu_time else elapsed

    def cpu_milliseconds(self):
        """The processor's time of all its threads."""
        threads = pathlib.Path(f"/proc/{self.process.pid}/task").glob("*/schedstat")
        return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e6

    def end(self):
        self.process.stdin.close()
        self.process.wait()


def milliseconds(forward, value, cpu_time):
    clock = time.process_time if cpu_time else time.perf_counter
    start = clock()
    with torch.no_grad():
        forward(value)
    return (clock() - start) * 1e3


def save(model, form, folder):
    path = folder / f"weights.{form}"
    if form == "pt":
        state = {f"module.{name}": value for name, value in model.state_dict().items()}
        torch.save({"epoch": 1, "state_dict": state}, path)
    else:
        save_file(model.state_dict(), path)
    return path


def compare(program, form, activation, wanted, out):
    found = load_file(out)
    deviations = {}
    for name, values in wanted.items():
        length = values.norm(dim=1).mean()
        deviations[name] = ((found[name] - values).abs().max() / length).item()
    cells = [f"{program.figures['read_seconds']:.1f}", f"{program.figures['read_mib']:.0f}"]
    cells += [f"{value:.1e}" for value in deviations.values()]
    print(f"| {form} | {activation} | " + " | ".join(cells) + " |", flush=True)
    return max(deviations.values())


def rounds(program, forwards, inputs, count, cpu_time):
    """Per input, what each of the three took in every round."""
    found = {name: [] for name in inputs}
    for round_ in range(count + 2):
        for name, value in inputs.items():
            times = [milliseconds(forward, value, cpu_time) for forward in forwards[name]]
            times.insert(0, program.milliseconds(name, cpu_time))
            # Compiling, and the first pages.
            if round_ >= 2:
                found[name].append(times)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--target", default="target", type=pathlib.Path)
    parser.add_argument("--folder", type=pathlib.Path)
    parser.add_argument("--rounds", default=9, type=int)
    parser.add_argument("--threads", default=2, type=int)
    parser.add_argument("--cpu-time", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    example = arguments.target / "release" / "examples" / "clip_towers"
    lengths = torch.randint(8, 24, (TEXTS,)).tolist()
    inputs = {
        "frames": torch.randn(FRAMES, 3, 224, 224),
        "texts of 77": texts([CONTEXT] * TEXTS),
        "captions": texts(lengths),
    }
    print("| form | activation | read, s | read, MiB | " + " | ".join(inputs) + " |")
    print("|---" * (4 + len(inputs)) + "|")
    worst = 0.0
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        folder = pathlib.Path(folder)
        save_file({name: value.float() for name, value in inputs.items()}, folder / "inputs.safetensors")
        for model_name, activation in [("ViT-B-32", "gelu"), ("ViT-B-32-quickgelu", "quick_gelu")]:
            model = randomized(open_clip.create_model(model_name))
            forwards = {name: (model.encode_text if value.dim() == 2 else model.encode_image,) for name, value in inputs.items()}
            with torch.no_grad():
                wanted = {name: forwards[name][0](value) for name, value in inputs.items()}
            for form in ["pt", "safetensors"]:
                weights = save(model, form, folder)
                out = folder / "embeddings.safetensors"
                program = Program(
                    example, weights, activation, folder / "inputs.safetensors", out, arguments.threads
                )
                worst = max(worst, compare(program, form, activation, wanted, out))
                if form == "pt":
                    program.end()
                weights.unlink()
            for name, (forward,) in forwards.items():
                forwards[name] = (forward, torch.compile(forward))
            report(activation, rounds(program, forwards, inputs, arguments.rounds, arguments.cpu_time))
            program.end()
    if worst > BOUND:
        raise SystemExit(f"the largest deviation, {worst:.1e}, is above {BOUND:.0e}")


def report(activation, found):
    print(f"\n| {activation} | flex, ms | PyTorch, ms | compiled, ms | ratio, median | ratios |")
    print("|---" * 6 + "|")
    for name, times in found.items():
        best = " | ".join(f"{statistics.median(side):.0f}" for side in zip(*times))
        ratios = sorted(ours / min(theirs) for ours, *theirs in times)
        spread = f"{ratios[0]:.2f} to {ratios[-1]:.2f}"
        print(f"| {name} | {best} | {statistics.median(ratios):.2f} | {spread} |")
    print(flush=True)


if __name__ == "__main__":
    # The allocator reads its settings when the process starts.
    if any(os.environ.get(key) != value for key, value in KEEP_FREED.items()):
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **KEEP_FREED})
    import open_clip
    import torch
    from safetensors.torch import load_file, save_file

    main()
