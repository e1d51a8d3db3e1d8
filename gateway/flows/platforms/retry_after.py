"""The Retry-After of an answer (RFC 9110, 10.2.3): seconds, or an HTTP date. Pure."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

#: No platform keeps us waiting longer than this, whatever it says.
LONGEST = timedelta(days=1)


def retry_after(value: str | None, now: datetime) -> timedelta | None:
    """How long to wait from `now` on, between nothing and a day; None when the header is absent or says nothing."""
    text = (value or "").strip()
    if text.isascii() and text.isdecimal():
        return min(timedelta(seconds=int(text[:9])), LONGEST)
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return min(max(at - now, timedelta(0)), LONGEST)
