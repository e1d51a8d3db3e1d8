"""Validate many documents: find them in files and folders, share them out over processes, keep their order."""

import gc
import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from itertools import chain
from pathlib import Path
from stat import S_ISREG
from typing import TYPE_CHECKING, BinaryIO, TypeVar

from gateway.validation.errors import UnopenableFileError, WorkerDiedError
from gateway.validation.layers import AUTO, RuleSelection
from gateway.validation.options import ValidationOptions
from gateway.validation.report import Report
from gateway.validation.service import unreadable_report, validate

if TYPE_CHECKING:
    from io import FileIO
    from multiprocessing.context import BaseContext
    from multiprocessing.process import BaseProcess

Presented = TypeVar("Presented")

STANDARD_INPUT = "-"
#: What a folder is searched for; a file named by the user is read whatever its name.
CANDIDATE_SUFFIXES = frozenset({".xml", ".pdf"})
#: From so many documents on, starting processes (some 0.1 s) costs less than it saves (some 5 ms a document).
WORTH_PROCESSES = 50
#: Documents that are validated before there are processes; their number is also the smallest part for a process.
FIRST = 4
#: Documents handed to a process at a time, at most: they are reported together.
LARGEST_PART = 16
#: Parts that each process would still get if all were as large as the next one.
PARTS_TO_COME = 4
#: Bytes asked for at a time: a read sets aside as much memory as it asks for.
_PIECE = 1 << 16
#: New objects between two rounds of the garbage collector, in a process that does nothing but validate.
_ROUND = 100_000


@dataclass(frozen=True, slots=True)
class Inputs:
    """What was named: the documents in order, and how many other files the folders hold."""

    paths: tuple[str, ...]
    ignored: int


@dataclass(frozen=True, slots=True)
class Order:
    """How each document of a batch is to be validated; see `service.validate`."""

    rules: RuleSelection = AUTO
    on: date | None = None
    options: ValidationOptions = field(default_factory=ValidationOptions)


def find_inputs(named: Sequence[str]) -> Inputs:
    """Replace folders by the documents in and below them, sorted; files and standard input stay as they are."""
    paths: list[str] = []
    ignored = 0
    for name in named:
        if name == STANDARD_INPUT or not os.path.isdir(name):
            paths.append(name)
            continue
        unopened: list[str] = []
        files = sorted(_walk(name, unopened))
        candidates = [path for path in files if _is_candidate(path)]
        ignored += len(files) - len(candidates)
        paths += candidates + unopened
    return Inputs(tuple(paths), ignored)


def validate_path(path: str, order: Order) -> Report:
    """The report on one file, or on standard input; a file that cannot be opened is reported as unreadable."""
    source = "<stdin>" if path == STANDARD_INPUT else path
    shown = _printable(source)
    try:
        with nullcontext(sys.stdin.buffer) if path == STANDARD_INPUT else open(path, "rb", buffering=0) as stream:
            # One byte more than allowed is enough to know that there are too many.
            data = _at_most(order.options.reading.max_file_bytes + 1, stream)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        return unreadable_report(UnopenableFileError(shown, reason), path=shown, on=order.on)
    return validate(data, path=shown, rules=order.rules, on=order.on, options=order.options)


def validate_paths(paths: Sequence[str], order: Order, jobs: int | None = None) -> Iterator[Report]:
    """The reports on `paths`, in their order, as they come; over `jobs` processes (one per core) when they are many.

    Raises WorkerDiedError, and ArtefactMissingError when the installation is incomplete.
    """
    return present_paths(paths, order, _unchanged, jobs)


def present_paths(
    paths: Sequence[str], order: Order, present: Callable[[Report], Presented], jobs: int | None = None
) -> Iterator[Presented]:
    """What `present`, a function of a module, makes of each report that `validate_paths` gives.

    It is called in the process that made the report, so that writing reports is shared out too.
    """
    task: Callable[[Sequence[str]], list[Presented]] = partial(_presented, order=order, present=present)
    jobs = jobs or _cores()
    if jobs == 1 or len(paths) < WORTH_PROCESSES or STANDARD_INPUT in paths:
        for path in paths:
            yield from task([path])
        return
    # Loaded only here: who validates a few documents does not wait for it.
    from concurrent.futures import ThreadPoolExecutor

    # The first documents load what the others will mostly need, once for all forked processes. In threads, since a
    # schema compiles while a library is imported; they end before the fork.
    with ThreadPoolExecutor(FIRST) as threads:
        loading = threads.map(task, [[path] for path in paths[:FIRST]])
        from concurrent.futures import ProcessPoolExecutor
        from concurrent.futures.process import BrokenProcessPool

        first = list(loading)
    pool = ProcessPoolExecutor(jobs, mp_context=_context(), initializer=_begin_work)
    try:
        others = pool.map(task, _parts(paths[FIRST:], jobs))
        yield from chain.from_iterable(first)
        yield from chain.from_iterable(others)
    except BrokenProcessPool as error:
        raise WorkerDiedError from error
    finally:
        # Who stops early does not wait for the documents in hand.
        pool.shutdown(wait=False, cancel_futures=True)


def _parts(paths: Sequence[str], jobs: int) -> Iterator[Sequence[str]]:
    """The paths in parts for processes: large ones, since handing over costs time, then smaller ones, so that all
    processes end at about the same time."""
    start = 0
    while start < len(paths):
        size = (len(paths) - start) // (jobs * PARTS_TO_COME)
        size = max(FIRST, min(size, LARGEST_PART))
        yield paths[start : start + size]
        start += size


def _unchanged(report: Report) -> Report:
    return report


def _presented(paths: Sequence[str], order: Order, present: Callable[[Report], Presented]) -> list[Presented]:
    return [present(validate_path(path, order)) for path in paths]


def collect_garbage_rarely() -> None:
    """For a process that does nothing but validate: documents make no reference cycles, so there is little to find.

    Without this, a fifth of the time goes into looking for cycles.
    """
    gc.freeze()
    gc.set_threshold(_ROUND)


def _begin_work() -> None:
    """Prepare a process of a batch. It ends when the caller does, however that ends, and leaves Ctrl-C to the caller.

    Otherwise a caller that was killed would leave it waiting for ever.
    """
    import multiprocessing
    import signal

    collect_garbage_rarely()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if caller := multiprocessing.parent_process():
        threading.Thread(target=_end_with, args=(caller,), daemon=True).start()


def _end_with(caller: "BaseProcess") -> None:
    caller.join()
    os._exit(1)


def _context() -> "BaseContext":
    """A fork starts at once and shares what is loaded, but is safe only on Linux and while there is no other thread.

    Elsewhere a forked server loads this module once for all workers, and carries none of the caller's threads.
    """
    import multiprocessing

    if sys.platform == "linux" and threading.active_count() == 1:
        return multiprocessing.get_context("fork")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    return context


def _at_most(limit: int, stream: "BinaryIO | FileIO") -> bytes:
    """Everything in `stream`, or its first `limit` bytes."""
    content = bytearray()
    while len(content) < limit and (piece := stream.read(min(_PIECE, limit - len(content)))):
        content += piece
    return bytes(content)


def _cores() -> int:
    """The cores this process may use, where the system tells; else all of them."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _walk(folder: str, unopened: list[str]) -> Iterator[str]:
    for place, _, names in os.walk(folder, onerror=lambda error: unopened.append(error.filename)):
        yield from (os.path.join(place, name) for name in names)


def _is_candidate(path: str) -> bool:
    """True for regular files (a pipe in a folder would be waited for) with the name of a document; a broken link, too,
    so that it is reported rather than passed over."""
    if Path(path).suffix.lower() not in CANDIDATE_SUFFIXES:
        return False
    try:
        return S_ISREG(os.stat(path).st_mode)
    except OSError:
        return True


def _printable(path: str) -> str:
    """`path` without bytes that are no text and without control characters, which could act on a terminal."""
    text = os.fsencode(path).decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
