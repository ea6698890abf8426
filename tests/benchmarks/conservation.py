"""A hundred thousand random sequences of split, merge, partial award, relist and withdraw: is every piece and gram kept?

    python -m tests.benchmarks.conservation [sequences]

Over the functions that the verbs use; `tests/orders/test_dividing_sequences.py` drives some through the API.
"""

import sys
import time
from collections import Counter

from tests.listings.dividing_model import random_sequence, violations


def main(sequences: int = 100_000, steps: int = 12) -> int:
    began = time.perf_counter()
    broken: list[str] = []
    ends: Counter[str] = Counter()
    for seed in range(sequences):
        model, begun_with = random_sequence(seed, steps)
        ends.update(lot.status for lot in model.lots)
        broken += [f"seed {seed}: {found}" for found in violations(model, begun_with)]
    seconds = time.perf_counter() - began
    print(f"{sequences:,} sequences of {steps} steps in {seconds:.1f} s; listings by their end: {dict(ends)}")
    print(f"violations: {len(broken)}")
    print("\n".join(broken[:10]))
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(*(int(argument) for argument in sys.argv[1:])))
