"""String functions at run time (XPath functions and operators, section 7), and XPath regular expressions."""

import math
import re
from collections.abc import Iterable

from gateway.schematron.atoms import round_double
from gateway.schematron.errors import UnsupportedConstructError

_SPACE = re.compile("[ \t\r\n]+")
_ESCAPES_OF_XSD_ONLY = "wWiIcCpPsSD"
_CLASS_OF_ESCAPE = {"s": " \\t\\n\\r", "d": "\\d", "D": "\\D"}


def normalize_space(value: str) -> str:
    """`normalize-space()`: the white space of XML only, so a no-break space stays."""
    if value.isascii():
        return " ".join(value.split())
    return _SPACE.sub(" ", value).strip(" ")


def substring_before(value: str, mark: str) -> str:
    """`substring-before()`: empty when `mark` is absent or empty."""
    position = value.find(mark)
    return value[:position] if position > 0 else ""


def substring_after(value: str, mark: str) -> str:
    """`substring-after()`: empty when `mark` is absent, the whole when `mark` is empty."""
    position = value.find(mark)
    return value[position + len(mark) :] if position >= 0 else ""


def substring(value: str, start: float, length: float = math.inf) -> str:
    """`substring()`: positions count from 1, both numbers are rounded, what lies outside is cut."""
    first = round_double(float(start))
    end = first + round_double(float(length))
    if math.isnan(first) or math.isnan(end):
        return ""
    low = 0 if first < 1 else min(int(min(first, len(value) + 1)) - 1, len(value))
    high = len(value) if end > len(value) else max(int(max(end, 0)) - 1, 0)
    return value[low:high]


def translate(value: str, source: str, target: str) -> str:
    """`translate()`: the first occurrence of a character in `source` decides."""
    table: dict[int, str | None] = {}
    for index, character in enumerate(source):
        table.setdefault(ord(character), target[index] if index < len(target) else None)
    return value.translate(table)


def tokens(value: str, pattern: re.Pattern[str]) -> list[str]:
    """`tokenize()`: none for the empty string."""
    return _split(value, pattern) if value else []


def _split(value: str, pattern: re.Pattern[str]) -> list[str]:
    parts: list[str] = []
    start = 0
    for match in pattern.finditer(value):
        parts.append(value[start : match.start()])
        start = match.end()
    parts.append(value[start:])
    return parts


def distinct(values: Iterable[str]) -> list[str]:
    """`distinct-values()` of strings, in order of first appearance."""
    return list(dict.fromkeys(values))


def python_pattern(pattern: str, where: str) -> str:
    r"""An XPath regular expression (without flags) as a Python one.

    `$` is the very end, `.` stops at line ends, `\s` is the white space of XML. Raises UnsupportedConstructError on
    what Python would read differently: `\w`, `\i`, `\c`, `\p{…}`, class subtraction, back-references.
    """
    out: list[str] = []
    in_class = False
    position = 0
    while position < len(pattern):
        character = pattern[position]
        position += 1
        if character == "\\":
            out.append(_escape(pattern[position : position + 1], in_class, where))
            position += 1
        elif in_class:
            if character == "[":
                raise UnsupportedConstructError("class subtraction in a regular expression", where)
            in_class = character != "]"
            out.append(character)
        elif character == "[":
            in_class = True
            out.append(character)
        elif pattern.startswith("(?", position - 1):
            raise UnsupportedConstructError("group extension in a regular expression", where)
        else:
            out.append({"$": r"\Z", ".": r"[^\n\r]"}.get(character, character))
    translated = "".join(out)
    try:
        re.compile(translated)
    except re.error as error:
        raise UnsupportedConstructError(f"regular expression {pattern!r}", where) from error
    return translated


def _escape(character: str, in_class: bool, where: str) -> str:
    if character in _CLASS_OF_ESCAPE:
        members = _CLASS_OF_ESCAPE[character]
        return members if in_class else f"[{members}]"
    if character in _ESCAPES_OF_XSD_ONLY or character.isdigit():
        if character == "S" and not in_class:
            return r"[^ \t\n\r]"
        raise UnsupportedConstructError(f"escape \\{character} in a regular expression", where)
    return f"\\{character}"


def python_replacement(replacement: str, where: str) -> str:
    """The replacement of `replace()` for `re.sub`. Raises UnsupportedConstructError when it refers to a group."""
    plain = replacement.replace("\\\\", "").replace("\\$", "")
    if "$" in plain or "\\" in plain:
        raise UnsupportedConstructError(f"replacement {replacement!r}", where)
    return replacement.replace("\\$", "$")
