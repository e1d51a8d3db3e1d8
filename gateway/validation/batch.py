"""Validate many documents: find them in files and folders, share them out over processes, keep their order."""

import gc
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from itertools import chain
from pathlib import Path
from stat import S_ISREG
from typing import TYPE_CHECKING, BinaryIO, TypeVar

from gateway.validation.catalog import ArtefactKind
from gateway.validation.errors import UnopenableFileError
from gateway.validation.layers import AUTO, Checker, RuleSelection
from gateway.validation.options import ValidationOptions
from gateway.validation.report import Report
from gateway.validation.service import CHECKERS, unreadable_report, validate

if TYPE_CHECKING:
    from io import FileIO

Presented = TypeVar("Presented")

STANDARD_INPUT = "-"
#: What a folder is searched for; a file named by the user is read whatever its name.
CANDIDATE_SUFFIXES = frozenset({".xml", ".pdf"})
#: From so many documents on, starting processes (some 0.1 s) costs less than it saves (some 5 ms a document).
WORTH_PROCESSES = 50
#: Documents that are validated before there are processes.
FIRST = 4
#: Bytes asked for at a time: a read sets aside as much memory as it asks for.
_PIECE = 1 << 16
#: New objects between two rounds of the garbage collector, in a process that does nothing but validate.
_ROUND = 100_000
_WITHOUT_SCHEMAS: Mapping[ArtefactKind, Checker] = {
    kind: checker for kind, checker in CHECKERS.items() if kind is not ArtefactKind.XSD
}


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


def validate_path(path: str, order: Order, checkers: Mapping[ArtefactKind, Checker] = CHECKERS) -> Report:
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
    return validate(data, path=shown, rules=order.rules, on=order.on, options=order.options, checkers=checkers)


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

    # A few documents load what the others will mostly need, once for all processes. In threads, since a schema
    # compiles while a library is imported; they end before the processes start. The library for PDF files is left
    # to the processes that meet them, unless there is nothing else.
    few = [number for number, path in enumerate(paths) if not _is_pdf(path)][:FIRST] or range(FIRST)
    with ThreadPoolExecutor(2 * FIRST) as threads:
        loading = threads.map(task, [[paths[number]] for number in few])
        # Rules load while the schemas compile that are checked before them.
        threads.map(partial(validate_path, order=order, checkers=_WITHOUT_SCHEMAS), [paths[number] for number in few])
        from gateway.validation.sharing import Work, share_out

        done = dict(zip(few, chain.from_iterable(loading), strict=True))
    yield from share_out(paths, Work(task, collect_garbage_rarely), jobs, _is_pdf, done)


def _is_pdf(path: str) -> bool:
    """A guess by the name at what has to be loaded for a document."""
    return path[-4:].lower() == ".pdf"


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
