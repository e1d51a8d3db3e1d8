"""Paths on trees that hypothesis draws: the same nodes in the same order as Saxon's."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from tests.schematron.oracle import Saxon
from tests.schematron.printing import Printer

NODES = (
    *("a", "a/b", "a/b/c", "*", "a/*", "//a", "//a/b", "//a//b", "//b/..", "..", "../a", "../../a", "a/..", "a/../b"),
    *("/x/a", "/x", "/x/*", "/*", "//*", ".//b", "a//c", "self::x", "self::a", "a/self::a", "ancestor::a", "parent::a"),
    *("a[1]", "a[2]", "a/b[1]", "(a/b)[1]", "//b[1]", "(//b)[2]", "a[1]/b[1]", "a[b][1]", "a[1][b]", "../b[1]"),
    *("a[@k = 'p']", "a[b = 'q']", "//a[@k = 'p']", "//a[b = 'q']/c", "//b[. = 'q']", "//a[b = 'q' and @k]"),
    *("//a[normalize-space(@k) = 'p']/b", "//b[. = /x/a]", "a[not(b)]", "//a[@k = //b/@k]", "a[.. = ../a]"),
    *("a | b", "b | a", "(a | b)/c", "a/(b | c)", "//(a | b)", "//(a | b)/c", "(a | //a)", "a[b or c]", "//a[b][@k]"),
    *("preceding::a", "//b[preceding::b = .]", "//c[ancestor::a]", "//a[self::a]", "//b[not(ancestor::b)]", "./a"),
    *("//a[some $v in b satisfies $v = 'q']", "//a[every $v in b satisfies $v = 'q']", "for $v in a return $v/b"),
)
ATOMS = (
    *("a/@k", "//@k", "//a/@k", "@k", "@k/..", "count(//@k)", "count(@k | a/@k)", "a/text()", "//text()", "a//text()"),
    *("a/@k[. = 'p']", "a/string(@k)", "a/normalize-space(.)", "count(a[@k[.. = 'q']])", "count(a/text()[.. = 'q'])"),
    *("string-join(//b, ',')", "distinct-values(//@k)", "count(a = b)", "a = b", "a != b", "//a/@k = 'p'", "not(a/b)"),
    *("exists(a/@k)", "empty(a)", "count(a/b)", "if (a) then a/b else 'none'", "name(..)", "local-name(a[1])"),
    *("some $v in a, $w in b satisfies $v = $w", "count((a, b, a))", "count(for $v in a, $w in b return $v)"),
)


@st.composite
def trees(draw: st.DrawFn) -> etree._Element:
    """A document of elements a, b and c, each with its number, some with an attribute k and a text."""
    root = etree.Element("x", id="0")
    elements = [root]
    for number in range(draw(st.integers(0, 14))):
        parent = draw(st.sampled_from(elements))
        element = etree.SubElement(parent, draw(st.sampled_from("abc")), id=str(number + 1))
        if draw(st.booleans()):
            element.set("k", draw(st.sampled_from("pq")))
        element.text = draw(st.sampled_from(["", "p", "q"])) or None
        element.tail = draw(st.sampled_from(["", "t"])) or None
        elements.append(element)
    return root


@pytest.fixture(scope="module", params=["x", "a", "/x/a", "/x/a/b"])
def printer(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, saxon: Saxon) -> Printer:
    """At the root, at elements that may nest, at elements whose depth is known: each is compiled in its own way."""
    folder: Path = tmp_path_factory.mktemp("paths")
    expressions = [f"string-join(({path})/@id, ' ')" for path in NODES if not path.startswith("for")]
    expressions += [f"string-join(for $n in ({path}) return $n/@id, ' ')" for path in NODES if path.startswith("for")]
    return Printer(folder, saxon, [*expressions, *ATOMS], request.param)


@settings(max_examples=40, deadline=None)
@given(tree=trees())
def test_paths_select_what_saxon_selects(printer: Printer, tree: etree._Element):
    printer.agree(tree)
