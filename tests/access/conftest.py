"""A client that calls an application in this process."""

import warnings

import pytest

with warnings.catch_warnings():
    # Starlette would rather have a fork of httpx.
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient


@pytest.fixture
def client_of():
    """Make a client of an application."""
    return TestClient
