"""How the benchmarks measure: the best of several runs, side by side with a peer in the same run, shown as ratios."""

import os
import platform
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from socket import socket
from time import perf_counter

import httpx


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
    return f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"


def free_port() -> int:
    """A TCP port that nothing listens on now."""
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(ready: Callable[[], bool], pause: float = 0.02, patience: float = 300) -> None:
    """Look again and again."""
    end = time.monotonic() + patience
    while not ready():
        if time.monotonic() > end:
            raise TimeoutError("the benchmark waits in vain")
        time.sleep(pause)


def answers(address: str) -> bool:
    """Whether a service is up."""
    try:
        return httpx.get(address, timeout=5).status_code < 500
    except httpx.HTTPError:
        return False


def processor_seconds(programs: Sequence[subprocess.Popen[bytes]]) -> float:
    """Processor time that these processes have used."""
    ticks = 0
    for program in programs:
        after_name = Path(f"/proc/{program.pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(after_name[11]) + int(after_name[12])
    return ticks / os.sysconf("SC_CLK_TCK")
