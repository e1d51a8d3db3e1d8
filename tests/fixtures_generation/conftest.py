"""Samples made once for all tests of this folder."""

import pytest

from fixtures.broken import BrokenSample, broken_samples
from fixtures.samples import Sample, all_samples


@pytest.fixture(scope="session")
def samples() -> list[Sample]:
    """Every valid sample of seed 1."""
    return all_samples(seed=1)


@pytest.fixture(scope="session")
def broken() -> list[BrokenSample]:
    """Every broken sample of seed 1."""
    return broken_samples(seed=1)
