"""Documents shared out over processes: each is done once, in order, by processes that keep to documents alike."""

import os
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.validation.errors import WorkerDiedError
from gateway.validation.sharing import LARGEST_PART, LONGEST_LINE, SMALLEST_PART, Line, Work, share_out


def _begin() -> None: ...


def _alike(path: str) -> bool:
    return path.endswith(".pdf")


def _with_process(paths: list[str]) -> list[tuple[str, int]]:
    return [(path, os.getpid()) for path in paths]


def _refuses(unwanted: str, paths: list[str]) -> list[str]:
    if unwanted in paths:
        raise KeyError(unwanted)
    return paths


def _dies_of(deadly: str, paths: list[str]) -> list[str]:
    if deadly in paths:
        os._exit(1)
    return paths


def _parts(line: Line, ends: Iterator[bool]) -> list[list[int]]:
    parts = []
    while part := line.part(from_end=next(ends)):
        parts.append(part)
    return parts


@given(st.lists(st.booleans(), max_size=3 * LARGEST_PART), st.integers(1, 5), st.randoms(use_true_random=False))
def test_every_document_is_handed_out_once_whichever_end_is_asked(pdfs: list[bool], jobs: int, random: Random) -> None:
    numbers = range(len(pdfs))
    parts = _parts(Line(numbers, pdfs.__getitem__, jobs), iter(lambda: random.random() < 0.5, None))
    assert sorted(number for part in parts for number in part) == list(numbers)


def test_parts_are_large_first_and_small_at_the_end() -> None:
    parts = _parts(Line(range(1_000), lambda _: 0, 4), iter(lambda: False, None))
    assert [number for part in parts for number in part] == list(range(1_000))
    sizes = [len(part) for part in parts]
    assert (sizes[0], sizes[-2]) == (LARGEST_PART, SMALLEST_PART)
    assert sizes == sorted(sizes, reverse=True)


def test_documents_alike_stand_together_so_that_each_half_of_the_processes_meets_few_others() -> None:
    line = Line(range(400), lambda number: number % 2, 4)
    front, end = line.part(from_end=False), line.part(from_end=True)
    assert {number % 2 for number in front} == {0}
    assert {number % 2 for number in end} == {1}


def test_no_more_documents_stand_in_line_than_results_may_wait() -> None:
    line = Line(range(3 * LONGEST_LINE), lambda number: -number, 2)
    handed_out = [number for _ in range(LONGEST_LINE // LARGEST_PART) for number in line.part(from_end=False)]
    assert sorted(handed_out) == list(range(LONGEST_LINE))


def test_results_come_in_the_order_of_the_paths() -> None:
    paths = [f"{number}.{'pdf' if number % 3 else 'xml'}" for number in range(300)]
    results = list(share_out(paths, Work(_with_process, _begin), 3, _alike))
    assert [path for path, _ in results] == paths
    processes = {process for _, process in results}
    assert len(processes) == 3
    assert os.getpid() not in processes


def test_an_error_of_the_work_arrives_as_it_was_raised() -> None:
    paths = [str(number) for number in range(200)]
    with pytest.raises(KeyError, match="150"):
        list(share_out(paths, Work(partial(_refuses, "150"), _begin), 2, _alike))


def test_a_process_that_dies_ends_the_run_with_a_named_error() -> None:
    paths = [str(number) for number in range(200)]
    with pytest.raises(WorkerDiedError, match="--jobs 1"):
        list(share_out(paths, Work(partial(_dies_of, "150"), _begin), 2, _alike))


def test_a_process_that_dies_before_its_first_document_is_named_too() -> None:
    with pytest.raises(WorkerDiedError):
        list(share_out(["a", "b"], Work(_with_process, partial(os._exit, 1)), 2, _alike))


_LONG_BOTH_WAYS = """
from gateway.validation.batch import collect_garbage_rarely
from gateway.validation.sharing import Work, share_out
def doubled(paths):
    return [path * 2 for path in paths]
paths = [f"{number:05d}" * 4_000 for number in range(400)]
results = share_out(paths, Work(doubled, collect_garbage_rarely), 2, len)
print(all(result == path * 2 for path, result in zip(paths, results, strict=True)))
"""


def test_long_paths_and_long_results_never_wait_for_each_other() -> None:
    # In a process of its own, which can be ended if they do.
    command = [sys.executable, "-c", _LONG_BOTH_WAYS]
    said = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (said.stdout, said.stderr) == ("True\n", "")


_STARTS = """
import threading
from gateway.validation.batch import collect_garbage_rarely
from gateway.validation.sharing import Work, _context
work = Work(list, collect_garbage_rarely)
alone = _context(work).get_start_method()
done = threading.Event()
other = threading.Thread(target=done.wait)
other.start()
print(alone, _context(work).get_start_method())
done.set()
"""


def test_processes_are_forked_only_while_no_other_thread_runs() -> None:
    # In a process of its own: other tests leave idle threads behind.
    said = subprocess.run([sys.executable, "-c", _STARTS], capture_output=True, text=True, check=True).stdout
    assert said.split() == ["fork" if sys.platform == "linux" else "forkserver", "forkserver"]


_BESIDE_A_THREAD = """
import sys, threading
from gateway.validation import batch
threading.Thread(target=threading.Event().wait, daemon=True).start()
if __name__ == "__main__":
    batch.WORTH_PROCESSES = 1
    print(len(list(batch.validate_paths([sys.argv[1]] * 60, batch.Order(), jobs=2))))
"""


def test_documents_are_shared_out_beside_another_thread_too(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text("<a/>")
    (tmp_path / "beside.py").write_text(_BESIDE_A_THREAD)
    command = [sys.executable, str(tmp_path / "beside.py"), str(tmp_path / "a.xml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("60\n", "")
