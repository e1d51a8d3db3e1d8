"""Validate many documents: find them in files and folders, share them out over processes, keep their order."""

import multiprocessing
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from pathlib import Path
from stat import S_ISREG

from gateway.validation.errors import UnopenableFileError, WorkerDiedError
from gateway.validation.layers import AUTO, RuleSelection
from gateway.validation.options import ValidationOptions
from gateway.validation.report import Report
from gateway.validation.service import unreadable_report, validate

STANDARD_INPUT = "-"
#: What a folder is searched for; a file named by the user is read whatever its name.
CANDIDATE_SUFFIXES = frozenset({".xml", ".pdf"})
#: From so many documents on, starting processes (some 1.5 s) costs less than it saves (some 10 ms a document).
WORTH_PROCESSES = 150
#: Documents handed to a process at a time.
CHUNK = 8


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
        with nullcontext(sys.stdin.buffer) if path == STANDARD_INPUT else open(path, "rb") as stream:
            # One byte more than allowed is enough to know that there are too many.
            data = stream.read(order.options.reading.max_file_bytes + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        return unreadable_report(UnopenableFileError(shown, reason), path=shown, on=order.on)
    return validate(data, path=shown, rules=order.rules, on=order.on, options=order.options)


def validate_paths(paths: Sequence[str], order: Order, jobs: int | None = None) -> Iterator[Report]:
    """The reports on `paths`, in their order, as they come; over `jobs` processes (one per core) when they are many.

    Raises WorkerDiedError, and ArtefactMissingError when the installation is incomplete.
    """
    task: Callable[[str], Report] = partial(validate_path, order=order)
    jobs = jobs or _cores()
    if jobs == 1 or len(paths) < WORTH_PROCESSES or STANDARD_INPUT in paths:
        yield from map(task, paths)
        return
    # A forked server has loaded this module once for all workers, and carries none of the caller's threads.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    with ProcessPoolExecutor(jobs, mp_context=context) as pool:
        try:
            yield from pool.map(task, paths, chunksize=CHUNK)
        except BrokenProcessPool as error:
            raise WorkerDiedError from error


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
