"""A document that cannot be read, as a finding."""

import re

from gateway.kernel.errors import GatewayError
from gateway.validation.report import Finding, make_finding

_LINE = re.compile(r"\bline (\d+)")
_TERM = re.compile(r"\bB[TG]-\d+\b")


def unreadable_finding(error: GatewayError, layer: str) -> Finding:
    """The finding that says why a document, or a value in it, could not be read."""
    line = _LINE.search(error.where)
    return make_finding(
        rule=error.code,
        layer=layer,
        location=error.where,
        line=int(line.group(1)) if line else None,
        terms=_TERM.findall(error.where),
        message=error.what.en,
        explanation=error.what,
        fix=error.fix,
    )
