"""Share documents out over processes, and give back in order what these make of them.

What a process has to load depends on the documents it meets. So those alike stand together in a line, and half of the
processes take from its front, the others from its end: most of them never load what only the other half needs, and
all are at work until they meet.
"""

import multiprocessing
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkContext, ForkServerContext
from multiprocessing.process import BaseProcess
from typing import Any, Generic, TypeVar

from gateway.validation.errors import WorkerDiedError

Result = TypeVar("Result")

#: Documents in the line at a time, at most. A result waits for those of the documents before it: so many may wait.
LONGEST_LINE = 2_048
#: Documents handed to a process at a time, at most: they are reported together.
LARGEST_PART = 32
#: And at least, while there are as many.
SMALLEST_PART = 4
#: Parts that each process would still get if all were as large as the next one.
PARTS_TO_COME = 4
#: Parts that a process has: one in hand, and the next one at its door, so that it does not wait.
PARTS_HELD = 2


@dataclass(frozen=True, slots=True)
class Work(Generic[Result]):
    """What a process does.

    Attributes:
        task: a function of a module that makes a list of results of a list of paths.
        begin: a function of a module that is called once, first.
    """

    task: Callable[[list[str]], list[Result]]
    begin: Callable[[], None]


class Line:
    """The documents that are left, by their numbers, in the order in which they are best handed out."""

    def __init__(self, numbers: Sequence[int], alike: Callable[[int], Any], jobs: int) -> None:
        """`alike` gives the same value, which can be sorted, for documents that should stand together."""
        self._numbers = deque(numbers)
        self._alike = alike
        self._jobs = jobs
        self._line: deque[int] = deque()

    def part(self, *, from_end: bool) -> list[int]:
        """The next documents for a process; none when all are handed out.

        Parts are large, since handing over costs time, then smaller, so that all processes end at about the same time.
        """
        if not self._line:
            next_ones = [self._numbers.popleft() for _ in range(min(LONGEST_LINE, len(self._numbers)))]
            self._line.extend(sorted(next_ones, key=self._alike))
        left = len(self._line) + len(self._numbers)
        size = max(SMALLEST_PART, min(left // (self._jobs * PARTS_TO_COME), LARGEST_PART))
        take = self._line.pop if from_end else self._line.popleft
        return [take() for _ in range(min(size, len(self._line)))]


def share_out(paths: Sequence[str], work: Work[Result], jobs: int, alike: Callable[[str], Any]) -> Iterator[Result]:
    """The result of each path, in their order, made by `jobs` processes.

    The processes end with the caller, however that ends. Raises what the task raises, and WorkerDiedError.
    """
    line = Line(range(len(paths)), lambda number: alike(paths[number]), jobs)
    context = _context(work)
    workers: list[_Worker] = []
    try:
        for number in range(jobs):
            worker = _started(context, work, paths, workers, from_end=number % 2 == 1)
            workers.append(worker)
            # It begins while the others start.
            for _ in range(PARTS_HELD):
                worker.give(line.part(from_end=worker.from_end))
        yield from _in_order(_results(workers, line), len(paths))
    finally:
        # They have nothing to close, and who stops early does not wait for the documents in hand.
        for worker in workers:
            worker.process.kill()
        for worker in workers:
            worker.process.join()


def _in_order(results: Iterator[tuple[int, Result]], count: int) -> Iterator[Result]:
    waiting: dict[int, Result] = {}
    for wanted in range(count):
        while wanted not in waiting:
            number, result = next(results)
            waiting[number] = result
        yield waiting.pop(wanted)


def _results(workers: "list[_Worker]", line: Line) -> Iterator[tuple[int, Any]]:
    """The numbers of the documents with their results, as they come."""
    while busy := {worker.connection: worker for worker in workers if worker.held}:
        for connection in wait(list(busy)):
            worker = busy[connection]  # type: ignore[index]
            results = worker.take()
            worker.give(line.part(from_end=worker.from_end))
            yield from results


@dataclass(slots=True)
class _Worker:
    """One process, as its caller sees it."""

    process: BaseProcess
    connection: "Connection[Any, Any]"
    from_end: bool
    held: deque[list[int]] = field(default_factory=deque)

    def give(self, numbers: list[int]) -> None:
        """Hand over documents by their numbers: so few bytes never fill the pipe, while the process may be filling it
        the other way, and each would wait for the other. Raises WorkerDiedError."""
        if not numbers:
            return
        try:
            self.connection.send(numbers)
        except OSError as error:
            raise WorkerDiedError from error
        self.held.append(numbers)

    def take(self) -> Iterator[tuple[int, Any]]:
        """The results of the documents handed over first. Raises what the task raised, and WorkerDiedError."""
        try:
            outcome = self.connection.recv()
        except (EOFError, OSError) as error:
            raise WorkerDiedError from error
        if isinstance(outcome, Exception):
            raise outcome
        return zip(self.held.popleft(), outcome, strict=True)


def _started(
    context: ForkContext | ForkServerContext,
    work: Work[Result],
    paths: Sequence[str],
    others: Sequence[_Worker],
    *,
    from_end: bool,
) -> _Worker:
    ours, its = context.Pipe()
    # A fork inherits the pipes of those before it, which would stay open when the caller is gone.
    inherited = [ours, *(other.connection for other in others)] if context.get_start_method() == "fork" else []
    process = context.Process(target=_serve, args=(its, inherited, work, paths), daemon=True)
    process.start()
    its.close()
    return _Worker(process, ours, from_end)


def _serve(
    connection: "Connection[Any, Any]",
    inherited: "Sequence[Connection[Any, Any]]",
    work: Work[Any],
    paths: Sequence[str],
) -> None:
    """A process, until its caller closes the pipe or is gone; Ctrl-C is left to the caller."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for other in inherited:
        other.close()
    work.begin()
    try:
        while True:
            connection.send(_outcome(work, [paths[number] for number in connection.recv()]))
    except (EOFError, OSError):
        return


def _outcome(work: Work[Result], paths: list[str]) -> list[Result] | Exception:
    try:
        return work.task(paths)
    except Exception as error:
        return error


def _context(work: Work[Result]) -> ForkContext | ForkServerContext:
    """A fork starts at once and shares what is loaded, but is safe only on Linux and while there is no other thread.

    Elsewhere a forked server loads the module of the work once for all, and carries none of the caller's threads.
    """
    if sys.platform == "linux" and threading.active_count() == 1:
        return multiprocessing.get_context("fork")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([work.begin.__module__])
    return context
