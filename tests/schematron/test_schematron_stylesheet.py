"""Reading compiled Schematron: the official files are understood whole, the rest is refused by name and place."""

from pathlib import Path

import pytest
from lxml import etree

from gateway.schematron import StylesheetError, UnsupportedConstructError, load_rules
from gateway.schematron.stylesheet import read_stylesheet
from tests.schematron.artefacts import ARTEFACTS, Artefact
from tests.schematron.small_rules import SmallRule, write_rules

RULE = SmallRule("a", [("R", "b", ())])


@pytest.mark.parametrize("artefact", ARTEFACTS, ids=lambda artefact: artefact.name)
def test_every_assert_and_report_of_an_official_file_is_read(artefact: Artefact):
    text = artefact.path.read_text(encoding="utf-8")
    checks = [
        check.kind
        for pattern in read_stylesheet(artefact.path).patterns
        for rule in pattern.rules
        for check in rule.checks
    ]
    assert checks.count("assert") == text.count("<svrl:failed-assert")
    assert checks.count("report") == text.count("<svrl:successful-report")


@pytest.mark.parametrize("artefact", ARTEFACTS, ids=lambda artefact: artefact.name)
def test_every_official_file_compiles(artefact: Artefact, cache: Path):
    load_rules(artefact.path, cache)


def refused(path: Path) -> UnsupportedConstructError:
    with pytest.raises(UnsupportedConstructError) as caught:
        load_rules(path, path.parent)
    return caught.value


@pytest.mark.parametrize(
    ("test", "construct"),
    [
        ("f:unknown(b)", "function f:unknown() with 1 arguments"),
        ("count(b, c) = 1", "function count() with 2 arguments"),
        ("b[position() = 2]", "function position() with 0 arguments"),
        ("b[last()]", "function last() with 0 arguments"),
        ("b[count(c)]", "computed position in a predicate"),
        ("preceding-sibling::b", "step preceding-sibling::b"),
        ("$unknown", "variable $unknown out of scope"),
        ("matches(b, $unknown)", "regular expression that is not a literal"),
        (r"matches(b, '\w+')", r"escape \w in a regular expression"),
        (r"matches(b, '[a-z-[aeiou]]')", "class subtraction in a regular expression"),
        (r"matches(b, '(?:a)')", "group extension in a regular expression"),
        (r"matches(b, '(a')", "regular expression '(a'"),
        ("replace(b, 'a', '$1') = 'x'", "replacement '$1'"),
        ("replace(b, 'a*', 'x') = 'x'", "regular expression 'a*' that matches the empty string"),
        ("tokenize(b, '') = 'x'", "regular expression '' that matches the empty string"),
        ("b cast as xs:integer = 1", "cast as xs:integer"),
        ("b = xs:date(c) or xs:date(c)", "effective boolean value of a date"),
        ("normalize-space(b) = 5", "comparison of STRING with INTEGER"),
        ("string-length(5) = 1", "INTEGER where a string is expected"),
        ("'a' + 1 = 2", "STRING where a number is expected"),
        ("q:b", "prefix q without a namespace"),
        ("(1, 'a') = 1", "sequence of different types"),
        ("b//*", "//* below a node"),
        ("//b[2]", "position after //"),
    ],
)
def test_an_expression_that_the_engine_does_not_know_is_refused(tmp_path: Path, test: str, construct: str):
    path = write_rules(tmp_path / "small.xsl", [[SmallRule("a", [("R-1", test, ())])]])
    error = refused(path)
    assert error.construct == construct
    assert error.where == f"small.xsl, rule a, assert R-1: {test}"


@pytest.mark.parametrize(
    ("context", "construct"),
    [
        ("@b", "attribute::b in a rule context"),
        ("text()", "child::text() in a rule context"),
        ("b[2]", "position in a rule context"),
        ("'a'", "rule context that is not a path"),
        ("a//b", "descendant-or-self::node() in a rule context"),
    ],
)
def test_a_context_that_the_engine_does_not_know_is_refused(tmp_path: Path, context: str, construct: str):
    error = refused(write_rules(tmp_path / "small.xsl", [[SmallRule(context, [("R", "b", ())])]]))
    assert error.construct == construct
    assert f"rule {context}" in error.where


FULL_PATH = 'mode="schematron-select-full-path"/></xsl:attribute>'


@pytest.mark.parametrize(
    ("old", "new", "construct"),
    [
        ('<xsl:output method="xml"/>', '<xsl:key name="k" match="a" use="."/>', "top-level element (key)"),
        ("<svrl:fired-rule ", "<xsl:message/><svrl:fired-rule ", "element in a rule (message)"),
        ('<xsl:apply-templates select="*" mode="M0"/>', '<xsl:apply-templates select="b" mode="M0"/>',
         "walk by b (apply-templates)"),
        (f'select="." {FULL_PATH}', f'select=".." {FULL_PATH}', "location that is not the full path (attribute)"),
        ('name="flag">fatal', 'name="mood">fatal', "attribute mood (failed-assert)"),
        ('name="flag">fatal', 'name="flag"><xsl:value-of select="b"/>', "computed attribute flag (attribute)"),
        ('"/" mode="M0"', '"/a" mode="M0"', "pattern that does not start at the document (apply-templates)"),
        ('<xsl:when test="b"/>', '<xsl:when test="b"/><xsl:when test="c"/>', "assert of another shape (choose)"),
    ],
)  # fmt: skip
def test_a_stylesheet_that_the_skeleton_does_not_write_is_refused(tmp_path: Path, old: str, new: str, construct: str):
    path = write_rules(tmp_path / "small.xsl", [[RULE]])
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    error = refused(path)
    assert error.construct == construct
    assert error.where.startswith("small.xsl:")


@pytest.mark.parametrize(
    ("old", "new", "construct"),
    [
        ('version="2.0"', 'version="1.0"', "XSLT 1.0"),
        ('version="2.0"', 'version="3.0"', "XSLT 3.0"),
        ('version="2.0"', 'version="2.0" xpath-default-namespace="urn:p"', "xpath-default-namespace"),
        ("<svrl:fired-rule ", '<svrl:fired-rule xsl:xpath-default-namespace="urn:p" ', "xpath-default-namespace"),
        ("?>", '?><!DOCTYPE x [<!ENTITY e "b">]>', "document type declaration"),
    ],
)
def test_what_would_change_the_meaning_of_expressions_is_refused(tmp_path: Path, old: str, new: str, construct: str):
    path = write_rules(tmp_path / "small.xsl", [[RULE]])
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    assert refused(path).construct == construct


@pytest.mark.parametrize("content", [b"", b"<a/>", b"not xml", b"<xsl:stylesheet/>"])
def test_a_file_that_is_no_compiled_schematron_is_refused(tmp_path: Path, content: bytes):
    path = tmp_path / "rules.xsl"
    path.write_bytes(content)
    with pytest.raises(StylesheetError, match=r"rules\.xsl"):
        load_rules(path, tmp_path)


def test_a_missing_file_is_named(tmp_path: Path):
    with pytest.raises(StylesheetError, match=r"nowhere\.xsl"):
        load_rules(tmp_path / "nowhere.xsl", tmp_path)


def test_of_two_templates_of_one_priority_the_last_wins(findings_of, tmp_path: Path, cache: Path):
    path = write_rules(tmp_path / "small.xsl", [[SmallRule("a", [("1", "b", ())]), SmallRule("*", [("2", "b", ())])]])
    path.write_text(path.read_text().replace('priority="1002"', 'priority="1001"'))
    assert [finding.rule for finding in load_rules(path, cache).check(etree.fromstring("<a/>"))] == ["2"]
