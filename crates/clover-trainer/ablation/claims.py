"""What the table of `clover ablate` does not say of its runs, in Markdown and as JSON.

    python crates/clover-trainer/ablation/claims.py runs/ablation claims.json [PROGRAM]

Every trained row finds the test clips by one caption and by all captions of a clip joined to a paragraph, with
PROGRAM (target/release/clover, which must be built) in a folder beside the runs. Then groups of rows are compared: the
mean of what each seed gave, and Student's 95 % interval. Needs nothing but Python.
"""

import json
import pathlib
import statistics
import subprocess
import sys

from tables import half_interval

INFO_NCE = ["ind-a", "comb", "baseline"]
TRI_MODAL = ["tri-modal-alignment", "semantic-masking", "clover"]
# The first group is held against the second.
GROUPS = [(["comb"], ["ind-a"]), (["clover"], ["tri-modal-alignment"]), (TRI_MODAL, INFO_NCE)]
QUERIES = {"one caption": lambda captions: captions[:1], "paragraph": lambda captions: [" ".join(captions)]}


def retrieval(folder, names, program):
    """Text-to-video R@1 of every run and kind of query."""
    items = [json.loads(line) for line in (folder / "benchmark/test/retrieval.jsonl").read_text().splitlines()]
    found = {}
    for kind, queries in QUERIES.items():
        file = kind.replace(" ", "-")
        data = folder / f"{file}.jsonl"
        data.write_text("".join(json.dumps({**item, "captions": queries(item["captions"])}) + "\n" for item in items))
        for name in names:
            out = folder / "claims" / f"{name}-{file}"
            if not (out / "evaluation.json").exists():
                command = [program, "evaluate", "retrieval-custom", "--data", data, "--videos", folder / "benchmark/clips"]
                command += ["--bundle", folder / "runs" / name / "bundle", "--out", out, "test_crop=whole", "text_len=60"]
                subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            evaluation = json.loads((out / "evaluation.json").read_text())["evaluation"]
            metrics = evaluation["metrics"]["retrieval"]["text_to_video"]["metrics"]
            found.setdefault(name, {})[f"R@1, {kind}"] = metrics["recall_at_1"]
    return found


def measured(cell):
    """What the comparison measured of a run: percent, and cosines times 100."""
    return {
        "open-ended": 100 * cell["open_ended"]["accuracy"],
        "multiple choice": 100 * cell["multiple_choice"]["accuracy"],
        **{one["skill"]: 100 * one["accuracy"] for one in cell["skills"]},
        "cosine of pairs": 100 * cell["similarity"]["positive"],
        "its gap to other pairs": 100 * cell["similarity"]["gap"],
    }


def with_deviation(values):
    middle = f"{statistics.mean(values):.1f}"
    return middle if len(values) < 2 else f"{middle} ± {statistics.stdev(values):.1f}"


def with_interval(values):
    if len(values) < 2:
        return "".join(f"{value:+.1f} (too few seeds to say)" for value in values)
    middle, half = statistics.mean(values), half_interval(values)
    if half < 1e-9:
        return f"{middle:+.1f} (each seed the same)"
    return f"{middle:+.1f} ({middle - half:+.1f} to {middle + half:+.1f})"


def main():
    folder, out = map(pathlib.Path, sys.argv[1:3])
    program = sys.argv[3] if len(sys.argv) > 3 else "target/release/clover"
    cells = json.loads((folder / "ablation.json").read_text())["cells"]
    found = retrieval(folder, [f"{cell['row']}-{cell['seed']}" for cell in cells], program)
    for cell in cells:
        found[f"{cell['row']}-{cell['seed']}"].update(measured(cell))
    for run in found.values():
        run["paragraph less one caption"] = run["R@1, paragraph"] - run["R@1, one caption"]
    out.write_text(json.dumps(found, indent=1) + "\n")

    seeds = sorted({cell["seed"] for cell in cells})
    rows = list(dict.fromkeys(cell["row"] for cell in cells))
    print(f"| row | {' | '.join(f'R@1, {kind}' for kind in QUERIES)} | difference |\n|---|---:|---:|---:|")
    for row in rows:
        runs = [found[f"{row}-{seed}"] for seed in seeds if f"{row}-{seed}" in found]
        of_seeds = {name: [run[name] for run in runs] for name in runs[0]}
        spread = [with_deviation(of_seeds[f"R@1, {kind}"]) for kind in QUERIES]
        print(f"| {row} | {' | '.join(spread)} | {with_interval(of_seeds['paragraph less one caption'])} |")
    compared = {row for groups in GROUPS for group in groups for row in group}
    seeds = [seed for seed in seeds if all(f"{row}-{seed}" in found for row in compared)]
    names = list(next(iter(found.values())))
    heads = [f"{', '.join(ours)} less {', '.join(theirs)}" for ours, theirs in GROUPS]
    print(f"\n| | {' | '.join(heads)} |\n|---|{'---:|' * len(heads)}")
    for name in names:
        group = lambda group, seed: statistics.mean(found[f"{row}-{seed}"][name] for row in group)
        differences = [[group(ours, seed) - group(theirs, seed) for seed in seeds] for ours, theirs in GROUPS]
        print(f"| {name} | {' | '.join(map(with_interval, differences))} |")


if __name__ == "__main__":
    main()
