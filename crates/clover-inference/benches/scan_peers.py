"""One query against every row in FAISS and NumPy: the yardstick of the bench `scan`.

    python3 benches/scan_peers.py [ROWS [DIM]]

FAISS: the flat index in 32 bits, and in 16 (a scalar quantizer without search structure). NumPy: a product
in 32 bits. The best of ten queries, one at a time, on all cores.
"""

import sys
import time

import faiss
import numpy as np

QUERIES = 10


def best(work):
    seconds = []
    for _ in range(QUERIES):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return 1000 * min(seconds)


def main():
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    dim = int(sys.argv[2]) if len(sys.argv) > 2 else 512
    values = np.random.default_rng(1).uniform(-1, 1, (rows, dim)).astype(np.float32)
    faiss.normalize_L2(values)
    query = values[:1].copy()

    print(f"  NumPy f32: {best(lambda: values @ query[0]):.1f} ms a query")
    flat = faiss.IndexFlatIP(dim)
    flat.add(values)
    print(f"  FAISS flat f32: {best(lambda: flat.search(query, 10)):.1f} ms a query")
    del flat
    half = faiss.IndexScalarQuantizer(dim, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT)
    half.train(values)
    half.add(values)
    print(f"  FAISS flat f16: {best(lambda: half.search(query, 10)):.1f} ms a query")


if __name__ == "__main__":
    main()
