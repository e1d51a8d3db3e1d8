"""A client that calls an application in this process, and the story that nobody may cross the lines of."""

import pytest
from starlette.testclient import TestClient

from tests.web.story import played, site

__all__ = ["client_of", "played", "site"]


@pytest.fixture
def client_of():
    """Make a client of an application."""
    return TestClient
