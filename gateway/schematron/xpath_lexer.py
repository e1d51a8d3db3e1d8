"""XPath 2.0 source to tokens (XPath 2.0, appendix A.2)."""

import re
from typing import NamedTuple

from gateway.schematron.errors import UnsupportedConstructError


class Token(NamedTuple):
    """`kind` is "number", "string", "variable", "name", "symbol" or "end"; a string's text is already unquoted."""

    kind: str
    text: str


_NAME = r"[^\W\d][\w.\-]*"
_TOKEN = re.compile(
    rf"""
    (?P<number>(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)
  | (?P<string>"(?:[^"]|"")*"|'(?:[^']|'')*')
  | (?P<variable>\$\s*{_NAME}(?::{_NAME})?)
  | (?P<name>{_NAME}:\*|{_NAME}:(?!:){_NAME}|{_NAME})
  | (?P<symbol>//|::|\.\.|!=|<=|>=|<<|>>|\|\||[()\[\],@|/+\-=<>*?!.])
    """,
    re.VERBOSE,
)
_SPACE = " \t\r\n"


def tokenize(source: str) -> list[Token]:
    """The tokens of `source`, an end token last. Raises UnsupportedConstructError on a character that begins none."""
    tokens: list[Token] = []
    position = 0
    while position < len(source):
        if source[position] in _SPACE:
            position += 1
        elif source.startswith("(:", position):
            position = _after_comment(source, position)
        else:
            match = _TOKEN.match(source, position)
            if match is None:
                raise UnsupportedConstructError(f"character {source[position]!r}", source)
            tokens.append(_token(match))
            position = match.end()
    tokens.append(Token("end", ""))
    return tokens


def _token(match: re.Match[str]) -> Token:
    kind, text = str(match.lastgroup), match.group()
    if kind == "string":
        quote = text[0]
        return Token(kind, text[1:-1].replace(quote * 2, quote))
    if kind == "variable":
        return Token(kind, text[1:].strip(_SPACE))
    return Token(kind, text)


def _after_comment(source: str, start: int) -> int:
    """Position after the comment that opens at `start`; comments nest."""
    depth, position = 0, start
    while position < len(source):
        if source.startswith("(:", position):
            depth, position = depth + 1, position + 2
        elif source.startswith(":)", position):
            depth, position = depth - 1, position + 2
            if depth == 0:
                return position
        else:
            position += 1
    raise UnsupportedConstructError("comment without end", source)
