"""The catalogue of the lifecycle (`schemas/lifecycle.toml`), asked for a day.

What holds for a status is what held on its own day (MDT-78, Europe/Paris), whenever it is read: a code, a reason or a
required datum may begin or end on a date. Asked without a day, the catalogue answers with its latest version.
"""

from bisect import bisect_right
from collections.abc import Iterator
from datetime import date, timedelta
from functools import cache

from gateway.kernel.dated import Table, data_file, in_force

_FILE = "lifecycle.toml"


def codes(kind: str) -> tuple[str, ...]:
    """Every code of a kind (status, reason, action…) that ever held, in catalogue order."""
    return tuple(data_file(_FILE)[kind])


def entry(kind: str, code: str, on: date | None) -> Table | None:
    """What the catalogue says of a code `on` a day; None when it does not know it, or not that day."""
    return in_force(data_file(_FILE)[kind].get(code), on)


def versions(kind: str, code: str) -> list[Table]:
    """Every version of an entry, whatever its days."""
    found = data_file(_FILE)[kind].get(code, [])
    return found if isinstance(found, list) else [found]


def period(on: date | None) -> date | None:
    """The first day of the time without a change in which a day lies, so that its answers can be kept.

    The catalogue says the same on both days. None, the latest version, stays None.
    """
    if on is None:
        return None
    changes = _changes()
    return changes[bisect_right(changes, on) - 1]


@cache
def _changes() -> tuple[date, ...]:
    """The days on which some entry begins to hold or holds no more; the first day of all time before them."""
    return tuple(sorted({date.min, *_bounds()}))


def _bounds() -> Iterator[date]:
    for kind, table in data_file(_FILE).items():
        for code in table if isinstance(table, dict) else ():
            for version in filter(lambda each: isinstance(each, dict), versions(kind, code)):
                if "valid_from" in version:
                    yield version["valid_from"]
                if "valid_until" in version:
                    yield version["valid_until"] + timedelta(days=1)
