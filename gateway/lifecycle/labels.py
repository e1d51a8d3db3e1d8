"""A code with what it means, as programs and pages read it."""

from pydantic import BaseModel, ConfigDict

from gateway.kernel.text import Text
from gateway.lifecycle.statuses import status


class Labelled(BaseModel):
    """A code and what it means."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str
    label: Text


def labelled_status(code: str) -> Labelled:
    """A status (MDT-105) with its label; an unpublished code is said to be one."""
    return Labelled(code=code, label=status(code).label)
