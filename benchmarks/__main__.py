"""Run every benchmark: ``python -m benchmarks [NAME…]``."""

from __future__ import annotations

import runpy
import sys

NAMES = (
    "startup", "assembly", "evolve", "linear_algebra", "trajectories", "steps", "jump_trajectories", "fluctuations",
    "jumps",
)  # fmt: skip

if __name__ == "__main__":
    chosen, sys.argv = sys.argv[1:] or NAMES, sys.argv[:1]
    for name in chosen:
        if name not in NAMES:
            sys.exit(f"there is no benchmark {name!r}; choose from {', '.join(NAMES)}")
        print(f"== {name}", flush=True)
        runpy.run_module(f"benchmarks.{name}", run_name="__main__")
