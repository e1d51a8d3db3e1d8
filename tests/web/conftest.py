"""The played story, for the tests of the pages."""

from tests.web.story import played, site

__all__ = ["played", "site"]
