"""Ranks of so many queries among as many candidates in NumPy, with R@k and the median rank: the
yardstick of the bench `ranking`.

    python xtask/pytorch/rank_with_numpy.py [ROWS]

A block of queries at a time, since the whole product of 100,000 by 100,000 would be 40 GB: matrix
product, the ten best by partition, and the rank of the own candidate by counting.
"""

import resource
import sys
import time

import numpy as np

WIDTH = 256
BLOCK = 1_000


def unit_rows(rows, seed):
    values = np.random.default_rng(seed).uniform(-1, 1, (rows, WIDTH)).astype(np.float32)
    return values / np.linalg.norm(values, axis=1, keepdims=True)


def main():
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    queries, candidates = unit_rows(rows, 1), unit_rows(rows, 2)
    started = time.perf_counter()
    ranks = np.empty(rows, np.int64)
    for first in range(0, rows, BLOCK):
        last = min(first + BLOCK, rows)
        scores = queries[first:last] @ candidates.T
        own = scores[np.arange(last - first), np.arange(first, last)]
        np.partition(scores, rows - min(10, rows), axis=1)
        ranks[first:last] = (scores > own[:, None]).sum(axis=1)
    recalls = [100 * (ranks < k).mean() for k in (1, 5, 10)]
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{rows} x {rows} x {WIDTH}: {seconds:.2f} s, peak {peak:.0f} MiB")
    print(f"R@1/5/10 {recalls}, median rank {np.median(ranks) + 1}")


if __name__ == "__main__":
    main()
