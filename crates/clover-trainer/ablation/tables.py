"""Tables of finished runs of `clover demo`, in Markdown, and every figure as JSON.

    python crates/clover-trainer/ablation/tables.py OUT.json RUN... [--against ROW THAN]...

Each RUN is the `--out` of a demo whose name ends with its seed: `demo-0`, `demo-1`; or a file, `pytorch-0.log`, with
what `xtask/pytorch/train_demo.py` printed. Runs that differ in their seed alone are a row: their means over seeds, and
with three or more seeds Student's 95 % interval of the mean, cut at 0 and 100. `--against` adds what ROW has more than
THAN, seed by seed. The curves are of the pair tests on held-out clips while the model learns.
"""

import argparse
import json
import pathlib
import statistics

SKILLS = ("color", "shape", "size", "direction")
# Student's t at 97.5 %, by degrees of freedom.
STUDENT = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447}


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def run(folder):
    """What one run measured, in percent."""
    if folder.is_file():
        printed = json.loads(folder.read_text().splitlines()[-1])
        *_, last = printed["curve"]
        recall = {"R@1, zero-shot, text to video": last["R@1"]}
        skills = {f"{skill}, zero-shot": last[skill] for skill in SKILLS}
        kept = {key: printed[key] for key in ("settings", "curve")}
        return {**kept, "seconds": {"training": printed["seconds"]}, "metrics": recall | skills}
    report = json.loads((folder / "report.json").read_text())
    metrics = {}
    for one in report["retrieval"]:
        for k in (1, 5, 10):
            metrics[f"R@{k}, {one['name']}"] = one["metrics"][f"recall_at_{k}"]
    for name, accuracy in report["answers"]:
        metrics[name] = 100 * accuracy["accuracy"]
    for table in report["skills"]:
        for one in table["skills"]:
            metrics[f"{one['skill']}, {table['name']}"] = 100 * one["accuracy"]
    curve = [
        {"step": at["step"], **{one["skill"]: 100 * one["accuracy"] for one in at.get("skills") or []}}
        for at in lines(folder / "run" / "validation.jsonl")
    ]
    return {"settings": dict(report["settings"]), "seconds": dict(report["seconds"]), "metrics": metrics, "curve": curve}


def half_interval(values):
    """How far Student's 95 % interval of their mean reaches to either side."""
    return STUDENT[len(values) - 1] * statistics.stdev(values) / len(values) ** 0.5


def mean(values, least):
    """With its interval, cut where no value can lie."""
    if len(values) < 2:
        return "".join(f"{value:.1f}" for value in values)
    middle = statistics.mean(values)
    if len(values) < 3 or len(values) - 1 not in STUDENT:
        return f"{middle:.1f} ({min(values):.1f}, {max(values):.1f})"
    half = half_interval(values)
    return f"{middle:.1f} ({max(middle - half, least):.1f} to {min(middle + half, 100.0):.1f})"


def table(head, rows):
    print(f"| {' | '.join(head)} |\n|{'---|' * len(head)}")
    for row in rows:
        print(f"| {' | '.join(row)} |")
    print()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("runs", type=pathlib.Path, nargs="+")
    parser.add_argument("--against", nargs=2, action="append", default=[], metavar=("ROW", "THAN"))
    arguments = parser.parse_args()
    rows = {}
    for folder in arguments.runs:
        name, seed = folder.stem.rsplit("-", 1)
        rows.setdefault(name, {})[seed] = run(folder)
    arguments.out.write_text(json.dumps(rows, indent=1) + "\n")
    names = list(dict.fromkeys(metric for runs in rows.values() for one in runs.values() for metric in one["metrics"]))
    # What stands in a column, and the least that it can be.
    columns = {
        f"{name}, {len(runs)} seeds": (
            lambda metric, runs=runs: [one["metrics"][metric] for one in runs.values() if metric in one["metrics"]],
            0.0,
        )
        for name, runs in rows.items()
    }
    for row, than in arguments.against:
        one, other = rows[row], rows[than]
        columns[f"{row} less {than}"] = (
            lambda metric, one=one, other=other: [
                one[seed]["metrics"][metric] - other[seed]["metrics"][metric] for seed in one if seed in other
            ],
            -100.0,
        )
    body = [[metric, *(mean(of(metric), least) for of, least in columns.values())] for metric in names]
    table(["in %", *columns], body)
    if not any(one["curve"] and len(one["curve"][0]) > 1 for runs in rows.values() for one in runs.values()):
        return
    for skill in SKILLS:
        steps = sorted({at["step"] for runs in rows.values() for one in runs.values() for at in one["curve"]})
        at_step = lambda runs, step: [
            at[skill] for one in runs.values() for at in one["curve"] if at["step"] == step and skill in at
        ]
        found = {name: [at_step(runs, step) for step in steps] for name, runs in rows.items()}
        body = [
            [name, *(f"{statistics.mean(some):.0f}" if some else "" for some in curve)]
            for name, curve in found.items()
        ]
        table([skill, *(f"{step} steps" for step in steps)], body)


if __name__ == "__main__":
    main()
