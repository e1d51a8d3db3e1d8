"""One Saxon process, and one cache of compiled rules, for all tests of the engine."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from lxml import etree

from gateway.schematron import Finding, Rules, load_rules
from tests.schematron.oracle import Saxon
from tests.schematron.small_rules import SmallRule, write_rules


@pytest.fixture(scope="session")
def saxon() -> Iterator[Saxon]:
    with Saxon() as process:
        yield process


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache directory that only this user can write."""
    return tmp_path_factory.mktemp("rules", numbered=True)


@pytest.fixture
def rules_of(tmp_path: Path, cache: Path) -> Callable[..., Rules]:
    """Rules of one pattern per argument."""

    def make(*patterns: list[SmallRule], top: str = "") -> Rules:
        return load_rules(write_rules(tmp_path / "small.xsl", patterns, top), cache)

    return make


@pytest.fixture
def findings_of(rules_of: Callable[..., Rules]) -> Callable[..., list[Finding]]:
    """Findings of one document under rules of one pattern per argument."""

    def find(document: str, *patterns: list[SmallRule], top: str = "") -> list[Finding]:
        return rules_of(*patterns, top=top).check(etree.fromstring(document))

    return find


@pytest.fixture
def counted_calls() -> Callable[[Callable[[], object]], int]:
    """Number of function calls that some work makes: a measure of time that no other process disturbs."""

    def count(work: Callable[[], object]) -> int:
        calls = 0

        def note(_frame: object, event: str, _argument: object) -> None:
            nonlocal calls
            calls += event in ("call", "c_call")

        previous = sys.getprofile()
        sys.setprofile(note)
        try:
            work()
        finally:
            sys.setprofile(previous)
        return calls

    return count
