"""Validate many documents: find them in files and folders, share them out over processes, keep their order."""

import gc
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from itertools import chain, islice
from stat import S_ISREG
from typing import TYPE_CHECKING, BinaryIO, TypeVar

from gateway.kernel.errors import GatewayError
from gateway.validation.catalog import ArtefactKind
from gateway.validation.errors import UnopenableFileError
from gateway.validation.layers import AUTO, Checker, RuleSelection
from gateway.validation.options import ValidationOptions
from gateway.validation.report import Report
from gateway.validation.service import CHECKERS, validate_together

if TYPE_CHECKING:
    from io import FileIO

Presented = TypeVar("Presented")

STANDARD_INPUT = "-"
#: What a folder is searched for; a file named by the user is read whatever its name.
CANDIDATE_SUFFIXES = frozenset({".xml", ".pdf"})
#: From so many documents on, starting processes (some 0.1 s) costs less than it saves (some 5 ms a document).
WORTH_PROCESSES = 50
#: Documents go through the layers together until they have so many bytes.
TOGETHER_BYTES = 2_000_000
#: Documents that have loaded what they need before there are processes.
FIRST = 4
#: Bytes asked for at a time: a read sets aside as much memory as it asks for.
_PIECE = 1 << 16
#: First bytes by which documents are taken to be alike: the declaration, the root element and most of its namespaces.
_HEAD = 200
#: New objects between two rounds of the garbage collector, in a process that does nothing but validate.
_ROUND = 100_000
_SCHEMAS = {ArtefactKind.XSD: CHECKERS[ArtefactKind.XSD]}
#: Engines that are made ready side by side.
_PARTS_TO_LOAD: Sequence[Mapping[ArtefactKind, Checker]] = (
    _SCHEMAS,
    {kind: engine for kind, engine in CHECKERS.items() if kind not in _SCHEMAS},
)


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
    (report,) = _validated([path], order, CHECKERS)
    return report


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
    # Imported only here: who validates a few documents does not wait for it.
    from gateway.validation.sharing import Work, share_out

    _load_for(paths, order, present)
    yield from share_out(paths, Work(task, collect_garbage_rarely), jobs, _kind)


def _load_for(paths: Sequence[str], order: Order, present: Callable[[Report], object]) -> None:
    """Have what most documents need loaded once for all processes, by a few of them; what becomes of these is the same.

    The library for PDF files is left to the processes that meet them, unless there is nothing else.
    """
    from concurrent.futures import ThreadPoolExecutor

    # A pipe gives its bytes once.
    files = (path for path in paths if os.path.isfile(path))
    first = list(islice(files, FIRST))
    few = list(islice((path for path in chain(first, files) if not _is_pdf(path)), FIRST)) or first
    # Schemas compile while everything else is loaded. The threads end before there are processes.
    with ThreadPoolExecutor(len(_PARTS_TO_LOAD)) as threads:
        for loaded in [threads.submit(_presented, few, order, present, engines) for engines in _PARTS_TO_LOAD]:
            loaded.result()


def _is_pdf(path: str) -> bool:
    """A guess by the name at what has to be loaded for a document."""
    return path[-4:].lower() == ".pdf"


def _kind(path: str) -> tuple[bool, bytes]:
    """A guess at which libraries, schemas and rules a document needs: those that begin alike mostly need the same."""
    # A pipe gives its bytes once.
    if not os.path.isfile(path):
        return False, b""
    try:
        with open(path, "rb", buffering=0) as stream:
            return _is_pdf(path), stream.read(_HEAD)
    except OSError:
        return False, b""


def _unchanged(report: Report) -> Report:
    return report


def _presented(
    paths: Sequence[str],
    order: Order,
    present: Callable[[Report], Presented],
    checkers: Mapping[ArtefactKind, Checker] = CHECKERS,
) -> list[Presented]:
    return [present(report) for report in _validated(paths, order, checkers)]


def _validated(paths: Sequence[str], order: Order, checkers: Mapping[ArtefactKind, Checker]) -> Iterator[Report]:
    """The reports in order; small documents go through the layers together."""
    together: list[tuple[str, bytes | GatewayError]] = []
    size = 0
    for position, path in enumerate(paths, 1):
        content = _content(path, order.options.reading.max_file_bytes)
        together.append((_shown(path), content))
        size += 0 if isinstance(content, GatewayError) else len(content)
        if size >= TOGETHER_BYTES or position == len(paths):
            yield from validate_together(
                together, rules=order.rules, on=order.on, options=order.options, checkers=checkers
            )
            together, size = [], 0


def _content(path: str, max_bytes: int) -> bytes | GatewayError:
    """What the file, or standard input, holds, or why it cannot be opened."""
    try:
        with nullcontext(sys.stdin.buffer) if path == STANDARD_INPUT else open(path, "rb", buffering=0) as stream:
            # One byte more than allowed is enough to know that there are too many.
            return _at_most(max_bytes + 1, stream)
    except (OSError, ValueError) as error:
        return UnopenableFileError(_shown(path), getattr(error, "strerror", None) or str(error))


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
    if os.path.splitext(path)[1].lower() not in CANDIDATE_SUFFIXES:
        return False
    try:
        return S_ISREG(os.stat(path).st_mode)
    except OSError:
        return True


def _shown(path: str) -> str:
    """`path` without bytes that are no text and without control characters, which could act on a terminal."""
    if path == STANDARD_INPUT:
        return "<stdin>"
    text = os.fsencode(path).decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
