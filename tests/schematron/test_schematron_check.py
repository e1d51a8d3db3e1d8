"""Checking documents: which rules apply, what findings say and in which order, what stops a check."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import getcontext
from pathlib import Path
from xml.etree.ElementTree import ParseError, fromstring, tostring

import pytest
from lxml import etree

from gateway.schematron import FINDING_LIMIT, TIME_LIMIT, Finding, Limits, Rules, load_rules, prepare
from tests.schematron.artefacts import BY_NAME
from tests.schematron.documents import base_documents
from tests.schematron.oracle import Saxon
from tests.schematron.parity import as_row
from tests.schematron.small_rules import SmallRule, write_rules

ALWAYS = [("R", "false()", ())]


def rules_and_places(findings: list[Finding]) -> list[tuple[str, str]]:
    return [(finding.rule, finding.location) for finding in findings]


def test_the_first_rule_that_matches_a_node_keeps_the_later_ones_of_its_pattern_away(findings_of):
    rules = [SmallRule("b[@k = '1']", [("narrow", "false()", ())]), SmallRule("b", [("wide", "false()", ())])]
    findings = findings_of("<a><b k='1'/><b/></a>", rules)
    assert rules_and_places(findings) == [("narrow", "/a[1]/b[1]"), ("wide", "/a[1]/b[2]")]


def test_a_rule_without_checks_still_keeps_the_later_ones_away(findings_of):
    rules = [SmallRule("b[@k]", []), SmallRule("b", ALWAYS)]
    assert rules_and_places(findings_of("<a><b k='1'/><b/></a>", rules)) == [("R", "/a[1]/b[2]")]


def test_findings_come_by_pattern_then_in_document_order_then_by_assert(findings_of):
    first = [SmallRule("b | c", [("1", "false()", ()), ("2", "false()", ())])]
    second = [SmallRule("a", [("3", "false()", ())])]
    findings = findings_of("<a><c/><b/></a>", first, second)
    assert [finding.rule + finding.location for finding in findings] == [
        "1/a[1]/c[1]", "2/a[1]/c[1]", "1/a[1]/b[1]", "2/a[1]/b[1]", "3/a[1]",
    ]  # fmt: skip


def test_a_rule_that_does_not_descend_hides_what_is_below_from_its_pattern_only(findings_of):
    cutting = [SmallRule("b", [("cut", "false()", ())], descends=False), SmallRule("c", [("below", "false()", ())])]
    other = [SmallRule("c", [("other", "false()", ())])]
    findings = findings_of("<a><b><c/></b><c/></a>", cutting, other)
    assert rules_and_places(findings) == [
        ("cut", "/a[1]/b[1]"),
        ("below", "/a[1]/c[1]"),
        ("other", "/a[1]/b[1]/c[1]"),
        ("other", "/a[1]/c[1]"),
    ]


def test_asserts_that_forbid_paths_report_each_one_that_is_there_in_their_order(findings_of):
    checks = [
        ("1", "not(b/c)", ()),
        ("2", "not(b | x)", ()),
        ("3", "not(x)", ()),
        ("4", "not((b | x)/c)", ()),
        ("5", "not(b/(x | c))", ()),
        ("6", "exists(x)", ()),
        ("7", "not(b)", ()),
        ("8", "not(b/@k)", ()),
    ]
    findings = findings_of("<a><b/><b k='1'><c/></b></a>", [SmallRule("/a", checks)])
    assert [finding.rule for finding in findings] == ["1", "2", "4", "5", "6", "7", "8"]
    assert findings_of("<a><x/></a>", [SmallRule("/a", checks[2:3])]) != []
    assert findings_of("<a/>", [SmallRule("/a", [*checks[:5], *checks[6:]])]) == []


def test_a_context_whose_predicate_has_no_value_leaves_the_element_to_the_next_rule(findings_of):
    rules = [SmallRule("b[xs:decimal(.) = 1]", [("one", "false()", ())]), SmallRule("b", [("other", "false()", ())])]
    findings = findings_of("<a><b>1</b><b>x</b><b>2</b></a>", rules)
    assert rules_and_places(findings) == [("one", "/a[1]/b[1]"), ("other", "/a[1]/b[2]"), ("other", "/a[1]/b[3]")]


def test_a_context_whose_predicate_has_no_value_does_not_match(findings_of):
    assert findings_of("<a><b>x</b></a>", [SmallRule("b[xs:decimal(.) = 1]", ALWAYS)]) == []


def test_locations_count_siblings_of_the_same_name_and_namespace(findings_of):
    document = "<a xmlns:q='urn:p'><b/><q:b/><b/><q:b/><!-- no element --><q:c/></a>"
    findings = findings_of(document, [SmallRule("*", ALWAYS)])
    assert [finding.location for finding in findings] == [
        "/a[1]",
        "/a[1]/b[1]",
        "/a[1]/*:b[namespace-uri()='urn:p'][1]",
        "/a[1]/b[2]",
        "/a[1]/*:b[namespace-uri()='urn:p'][2]",
        "/a[1]/*:c[namespace-uri()='urn:p'][1]",
    ]


def test_a_report_says_so_when_its_test_is_true(findings_of):
    findings = findings_of("<a><b/></a>", [SmallRule("a", [("R", "b", ("count(b)",)), ("S", "c", ())], kind="report")])
    assert [(finding.kind, finding.rule, finding.message) for finding in findings] == [("report", "R", "[R] 1")]


def test_a_message_is_filled_in_as_saxon_fills_it_in(tmp_path: Path, saxon: Saxon):
    printed = [
        "name()",
        "name(p:b)",
        "b",
        "b[1]/@k",
        "count(b) * 1.50",
        "$total",
        "b[9]",
        "1 div 4",
        "b = 'x'",
        "(1, 2)",
    ]
    rule = SmallRule("a", [("R", "false()", printed)], more='<xsl:variable name="total" select="sum(b/@k)"/>')
    path = write_rules(tmp_path / "small.xsl", [[rule]])
    document = b"<a xmlns:q='urn:p'><b k='1'> x </b><b k='2.5'>y<i>z</i></b><q:b/></a>"
    expected = saxon.findings(path, document)
    found = load_rules(path, tmp_path).check(etree.fromstring(document))
    assert [["a", *as_row(finding)] for finding in found] == expected


def test_text_is_read_across_comments_instructions_and_character_data(findings_of):
    document = "<a><b>1<!-- x -->2<?y z?><![CDATA[<3]]>&amp;</b></a>"
    assert findings_of(document, [SmallRule("a", [("R", "b = '12<3&'", ())])]) == []


def test_a_global_variable_is_computed_from_the_document(findings_of):
    top = '<xsl:variable name="first" select="a/b[1]"/>'
    findings = findings_of("<a><b>x</b><c>x</c><c>y</c></a>", [SmallRule("c", [("R", ". = $first", ())])], top=top)
    assert rules_and_places(findings) == [("R", "/a[1]/c[2]")]


def test_a_function_of_the_stylesheet_converts_its_arguments(findings_of):
    top = (
        '<xsl:function name="f:starts" as="xs:boolean"><xsl:param name="text" as="xs:string?"/>'
        "<xsl:variable name=\"mark\" select=\"('A', 'B')\"/>"
        '<xsl:sequence select="substring($text, 1, 1) = $mark"/></xsl:function>'
    )
    rule = SmallRule("a", [("1", "f:starts(b)", ()), ("2", "f:starts(c)", ()), ("3", "f:starts('Bx')", ())])
    assert [finding.rule for finding in findings_of("<a><b>Ax</b><c>x</c></a>", [rule], top=top)] == ["2"]


def test_a_variable_that_no_test_needs_raises_no_error(findings_of):
    rule = SmallRule("a", [("R", "b or $n = 1", ())], more='<xsl:variable name="n" select="xs:decimal(.)"/>')
    assert findings_of("<a>no number<b/></a>", [rule]) == []


def test_several_rule_sets_share_one_prepared_document(rules_of, cache: Path):
    document = prepare(etree.fromstring("<a><b/></a>"))
    one = rules_of([SmallRule("b", ALWAYS)])
    two = rules_of([SmallRule("a", ALWAYS)])
    assert [finding.location for rules in (one, two, one) for finding in rules.check(document)] == [
        "/a[1]/b[1]",
        "/a[1]",
        "/a[1]/b[1]",
    ]


def test_a_tree_is_checked_from_its_root_element_whether_given_as_tree_or_element(rules_of):
    rules = rules_of([SmallRule("/a", ALWAYS)])
    root = etree.fromstring("<?xml version='1.0'?><!-- before --><a/><!-- after -->")
    assert rules.check(root) == rules.check(etree.ElementTree(root))
    assert len(rules.check(root)) == 1


def test_the_finding_limit_keeps_what_was_found_and_says_that_it_stopped(findings_of, rules_of):
    rules = rules_of([SmallRule("b", ALWAYS)])
    root = etree.fromstring(f"<a>{'<b/>' * 50}</a>")
    *found, last = rules.check(root, Limits(max_findings=3))
    assert [finding.location for finding in found] == ["/a[1]/b[1]", "/a[1]/b[2]", "/a[1]/b[3]"]
    assert (last.kind, last.rule, last.message) == ("error", FINDING_LIMIT, "limit of 3 findings reached")
    assert len(rules.check(root, Limits(max_findings=50))) == 50


def test_the_time_limit_stops_between_nodes_and_says_so(rules_of):
    rules = rules_of([SmallRule("a", ALWAYS)], [SmallRule("b", ALWAYS)])
    (last,) = rules.check(etree.fromstring("<a><b/></a>"), Limits(max_seconds=-1.0))
    assert (last.kind, last.rule, last.message) == ("error", TIME_LIMIT, "time limit of -1.0 s reached")
    assert len(rules.check(etree.fromstring("<a><b/></a>"), Limits(max_seconds=60.0))) == 2


@pytest.fixture(scope="module")
def official(cache: Path) -> Rules:
    return load_rules(BY_NAME["BR-FR-UBL"].path, cache)


def test_one_rule_set_serves_several_threads_at_once(official: Rules):
    documents = [data for _, data in base_documents("UBL")][:6]
    broken = [data.replace(b"EUR", b"XXX").replace(b"#PMT#", b"#XXX#") for data in documents]
    trees = [etree.fromstring(data) for data in (*documents, *broken)]
    alone = [official.check(tree) for tree in trees]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(official.check, trees * 4))
    assert together == alone * 4
    assert any(alone)


def test_checking_changes_neither_the_tree_nor_the_decimal_context_of_the_caller(official: Rules):
    root = etree.fromstring(base_documents("UBL")[0][1])
    before, precision = etree.tostring(root), getcontext().prec
    official.check(root)
    assert (etree.tostring(root), getcontext().prec) == (before, precision)


def test_a_document_of_another_vocabulary_has_no_findings(official: Rules):
    assert official.check(etree.fromstring("<html><body/></html>")) == []


def test_the_work_grows_in_step_with_the_lines_and_with_the_findings(
    official: Rules, counted_calls: Callable[[Callable[[], object]], int]
):
    base = etree.fromstring(base_documents("UBL")[0][1])
    line = base.find("{*}InvoiceLine")
    assert line is not None
    line.find("{*}Item/{*}ClassifiedTaxCategory/{*}Percent").text = "3"
    text = etree.tostring(line)

    def calls(count: int) -> int:
        root = etree.fromstring(etree.tostring(base))
        root.extend(etree.fromstring(text) for _ in range(count))
        document = prepare(root)
        official.check(document)
        return counted_calls(lambda: official.check(document))

    small, middle, large = calls(50), calls(100), calls(200)
    assert large - middle < 2.2 * (middle - small)


def test_names_that_differ_in_punctuation_only_stay_apart(findings_of):
    lets = '<xsl:variable name="a-b" select="b"/><xsl:variable name="a_b" select="c"/>'
    rule = SmallRule("a", [("1", "$a-b = 'b'", ()), ("2", "$a_b = 'c'", ()), ("3", "$a-b = $a_b", ())], more=lets)
    assert [finding.rule for finding in findings_of("<a><b>b</b><c>c</c></a>", [rule])] == ["3"]


@pytest.mark.parametrize("encoding", ["UTF-8", "UTF-16", "US-ASCII", "ISO-8859-1", "ISO-8859-15", "windows-1252"])
def test_a_document_made_ready_from_its_bytes_is_the_one_made_ready_from_its_tree(encoding: str):
    text = f"<?xml version='1.0' encoding='{encoding}'?><!-- é --><a k=' é\t'>\r\né<b>1</b> <?p?>é<!-- c -->\n<b/></a>"
    data = text.encode(encoding, "xmlcharrefreplace")
    tree = etree.fromstring(data, etree.XMLParser(remove_comments=True, remove_pis=True))
    from_tree, from_bytes = prepare(tree), prepare(tree, data)
    assert tostring(from_bytes.root) == tostring(from_tree.root)


def test_bytes_that_only_the_reader_of_the_tree_can_decode_do_not_stop_a_check(rules_of):
    data = "<?xml version='1.0' encoding='EUC-JP'?><a><b>日</b></a>".encode("EUC-JP")
    with pytest.raises((ParseError, ValueError)):
        fromstring(data)
    document = prepare(etree.fromstring(data), data)
    assert rules_of([SmallRule("a", [("R", "b = '日'", ())])]).check(document) == []
