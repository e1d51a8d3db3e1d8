"""How the benchmarks measure: the best of several runs, side by side with a peer in the same run, shown as ratios."""

import platform
from collections.abc import Callable, Sequence
from time import perf_counter


def best_seconds(work: Callable[[], object], *, repeats: int = 5) -> float:
    """Shortest time of `repeats` runs of `work`, after one run that warms up, in seconds."""
    work()
    times = []
    for _ in range(repeats):
        start = perf_counter()
        work()
        times.append(perf_counter() - start)
    return min(times)


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def machine() -> str:
    """What the figures were read on, without naming the machine."""
    import os

    return f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
