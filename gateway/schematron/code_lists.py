"""Code lists kept in files beside a stylesheet, as the Factur-X rules keep theirs."""

from collections.abc import Mapping
from pathlib import Path as FilePath

from lxml import etree

from gateway.schematron.errors import StylesheetError
from gateway.schematron.xpath_ast import Call, Comparison, Expression, Filter, Literal, Path, Step

CodeLists = Mapping[tuple[str, str], frozenset[str]]
"""The codes of each list, by (file name, list id)."""


def read_code_lists(files: Mapping[str, FilePath]) -> CodeLists:
    """Code lists by (file name, list id), from the code list files beside a stylesheet."""
    lists: dict[tuple[str, str], frozenset[str]] = {}
    for name, path in files.items():
        try:
            root = etree.parse(path, etree.XMLParser(resolve_entities=False, no_network=True)).getroot()
        except (OSError, etree.XMLSyntaxError) as error:
            raise StylesheetError(path, str(error)) from error
        for code_list in root.iterfind("cl"):
            codes = (str(entry.get("value")) for entry in code_list.iterfind("enumeration"))
            lists[name, str(code_list.get("id"))] = frozenset(codes)
    return lists


def code_list_look_up(path: Path) -> tuple[str, str, Expression] | None:
    """`document('file')/codedb/cl[@id=n]/enumeration[@value=expression]` as (file, n, expression), else None."""
    match path:
        case Path("context", (Filter(Call("document", (Literal(str() as file),)), ()), codedb, code_list, entry)):
            if codedb != Step("child", "codedb"):
                return None
            identifier, value = _selected(code_list, "cl", "id"), _selected(entry, "enumeration", "value")
            if isinstance(identifier, Literal) and value is not None:
                return file, str(identifier.value), value
    return None


def _selected(step: Step | Filter, name: str, attribute: str) -> Expression | None:
    """`value` of a step `name[@attribute = value]`."""
    match step:
        case Step("child", test, (Comparison("eq", left, value, True),)) if test == name:
            if left == Path("context", (Step("attribute", attribute),)):
                return value
    return None
