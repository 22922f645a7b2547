"""Tables of finished runs of `clover demo`, in Markdown, and every figure as JSON.

    python crates/clover-trainer/ablation/tables.py OUT.json RUN...

Each RUN is the `--out` of a demo whose name ends with its seed: `companions-0`, `companions-1`. Runs that
differ in their seed alone are a row: means over seeds, and with three or more seeds Student's 95 % interval
of the mean. The curves are of the pair tests on held-out clips while the model learns.
"""

import json
import pathlib
import statistics
import sys

# Student's t at 97.5 %, by degrees of freedom.
STUDENT = {2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447}


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def run(folder):
    """What one run measured, in percent."""
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


def mean(values):
    if len(values) < 2:
        return f"{values[0]:.1f}"
    middle, spread = statistics.mean(values), statistics.stdev(values)
    reach = STUDENT.get(len(values) - 1)
    if reach is None:
        return f"{middle:.1f} ({min(values):.1f}, {max(values):.1f})"
    half = reach * spread / len(values) ** 0.5
    return f"{middle:.1f} ({middle - half:.1f} to {middle + half:.1f})"


def table(head, rows):
    print(f"| {' | '.join(head)} |\n|{'---|' * len(head)}")
    for row in rows:
        print(f"| {' | '.join(row)} |")
    print()


def main():
    out, folders = pathlib.Path(sys.argv[1]), [pathlib.Path(folder) for folder in sys.argv[2:]]
    rows = {}
    for folder in folders:
        name, seed = folder.name.rsplit("-", 1)
        rows.setdefault(name, {})[seed] = run(folder)
    out.write_text(json.dumps(rows, indent=1) + "\n")
    names = list(dict.fromkeys(metric for runs in rows.values() for one in runs.values() for metric in one["metrics"]))
    of = lambda runs, metric: [one["metrics"][metric] for one in runs.values() if metric in one["metrics"]]
    body = [
        [name, str(len(runs)), *(mean(of(runs, metric)) if of(runs, metric) else "" for metric in names)]
        for name, runs in rows.items()
    ]
    table(["row", "seeds", *names], body)
    if not any(one["curve"] and len(one["curve"][0]) > 1 for runs in rows.values() for one in runs.values()):
        return
    for skill in ("color", "shape", "size", "direction"):
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
