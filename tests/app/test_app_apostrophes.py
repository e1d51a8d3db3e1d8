"""Every text that people read has the typographic apostrophe: in the code, in the data, in the help of the commands."""

import ast
import re
import tomllib
from pathlib import Path

import pytest
from typer.main import get_command

import gateway
from gateway.cli import app

ROOT = Path(gateway.__file__).parents[1]
#: What the packages hold that no person reads, or that is written as its owner writes it.
EXEMPT = {
    "d'er'",  # a pattern of Babel
    "Item Seller's identifier",  # names of business terms (EN 16931)
    "Item Buyer's identifier",
}
QUOTED = re.compile(r"(?<!\w)'[^'\n]*'(?!\w)")
STRAIGHT = re.compile(r"[^\W\d_]'(?=[^\W\d_]|\s|$)")
MODULES = [path for path in sorted((ROOT / "gateway").rglob("*.py")) if "versions" not in path.parts]


def is_straight(text):
    return text not in EXEMPT and STRAIGHT.search(QUOTED.sub("", text)) is not None


def strings_of(tree):
    """The strings of a module, those of its docstrings apart; what fills an f-string stands as one letter."""
    documented = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    inside = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(part.value if isinstance(part, ast.Constant) else "x" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documented | inside:
            yield node.value


def values_of(data):
    """The strings of a data file."""
    if isinstance(data, str):
        yield data
    elif isinstance(data, dict | list):
        for each in data.values() if isinstance(data, dict) else data:
            yield from values_of(each)


def helps_of(command, path):
    """What each command and each of its parameters says of itself."""
    yield path, command.help or ""
    for parameter in command.params:
        yield f"{path} {parameter.name}", getattr(parameter, "help", None) or ""
    context = command.make_context(path, [], resilient_parsing=True)
    for name in command.list_commands(context) if hasattr(command, "list_commands") else ():
        yield from helps_of(command.get_command(context, name), f"{path} {name}")


@pytest.mark.parametrize("room", sorted({path.relative_to(ROOT).parts[1] for path in MODULES}))
def test_a_text_of_the_code_has_the_typographic_apostrophe(room):
    texts = {
        f"{path.relative_to(ROOT)}: {text}"
        for path in MODULES
        if path.relative_to(ROOT).parts[1] == room
        for text in strings_of(ast.parse(path.read_text("utf-8")))
        if is_straight(text)
    }
    assert texts == set()


def test_a_text_of_the_data_files_has_the_typographic_apostrophe():
    files = [*(ROOT / "schemas").rglob("*.toml"), *(ROOT / "gateway").rglob("*.toml")]
    values = {path.name: list(values_of(tomllib.loads(path.read_text("utf-8")))) for path in files}
    assert sum(map(len, values.values())) > 1000
    assert {f"{name}: {text}" for name, texts in values.items() for text in texts if is_straight(text)} == set()


def test_a_text_of_a_template_has_the_typographic_apostrophe():
    pages = [path for kind in ("html", "typ", "css", "js") for path in (ROOT / "gateway").rglob(f"*.{kind}")]
    assert pages
    said = {path.name: re.sub(r"\{[{%#].*?[}%#]\}|//.*|/\*.*?\*/", "", path.read_text("utf-8")) for path in pages}
    assert [name for name, text in said.items() if is_straight(text)] == []


def test_the_help_of_a_command_has_the_typographic_apostrophe():
    helps = dict(helps_of(get_command(app), "gateway"))
    assert len(helps) > 400
    assert {path: text for path, text in helps.items() if is_straight(text)} == {}


@pytest.mark.parametrize("text", ["l'avoir", "the customers' names", "the customer's 'id'", "jusqu'x", "depuis l'"])
def test_a_straight_apostrophe_is_found(text):
    assert is_straight(text)


@pytest.mark.parametrize("text", ["l’avoir", "state = 'open' AND kind = 'x'", "UTF-8''x", "the 'id' of it"])
def test_a_quoting_mark_is_none(text):
    assert not is_straight(text)
