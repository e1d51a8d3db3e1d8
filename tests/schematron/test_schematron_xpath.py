"""The XPath parser: what the grammar binds together, and what is refused by name."""

from decimal import Decimal

import pytest

from gateway.schematron import UnsupportedConstructError
from gateway.schematron.analysis import dependencies
from gateway.schematron.xpath_ast import (
    Arithmetic,
    Call,
    Comparison,
    ContextItem,
    Filter,
    Literal,
    Logical,
    Negation,
    Path,
    Sequence,
    Step,
    Union,
    Variable,
)
from gateway.schematron.xpath_parser import parse


def child(name: str, *predicates) -> Path:
    return Path("context", (Step("child", name, tuple(predicates)),))


def test_and_binds_closer_than_or_and_comparison_closer_than_both():
    assert parse("a or b and c = d") == Logical(
        "or", child("a"), Logical("and", child("b"), Comparison("eq", child("c"), child("d"), general=True))
    )


def test_operators_of_one_rank_associate_to_the_left():
    assert parse("1 - 2 + 3 * 4") == Arithmetic(
        "+", Arithmetic("-", Literal(1), Literal(2)), Arithmetic("*", Literal(3), Literal(4))
    )


def test_a_hyphen_inside_a_name_belongs_to_the_name():
    assert parse("a-b - c") == Arithmetic("-", child("a-b"), child("c"))


def test_a_star_is_a_wildcard_or_a_product_by_its_place():
    assert parse("* * 2") == Arithmetic("*", child("*"), Literal(2))


def test_operator_words_may_be_element_names():
    assert parse("div div mod") == Arithmetic("div", child("div"), child("mod"))


def test_a_double_slash_is_a_step_of_its_own():
    steps = (Step("descendant-or-self", "node()"), Step("child", "p:a"), Step("attribute", "id"))
    assert parse("//p:a/@id") == Path("document", steps)


def test_a_function_may_be_a_step_and_fn_is_dropped():
    steps = (Step("child", "a"), Filter(Call("string", (ContextItem(),))))
    assert parse("a/fn:string(.)") == Path("context", steps)


def test_parentheses_without_predicate_leave_no_trace_and_with_one_make_a_filter():
    assert parse("(a | b)") == Union((child("a"), child("b")))
    assert parse("(a)[1]") == Path("context", (Filter(child("a"), (Literal(1),)),))


def test_literals_keep_their_types_and_quotes_are_doubled_inside():
    assert parse("(1, 1.50, 1e2, 'it''s', \"\")") == Sequence(
        (Literal(1), Literal(Decimal("1.50")), Literal(100.0), Literal("it's"), Literal(""))
    )


def test_comments_nest_and_count_as_space():
    assert parse("a (: x (: y :) z :) = 1") == parse("a = 1")


def test_an_even_number_of_minus_signs_cancels_out():
    assert parse("--a") == child("a")
    assert parse("-$a") == Negation(Variable("a"))


@pytest.mark.parametrize(
    ("source", "construct"),
    [
        ("1 to 3", "operator to"),
        ("a intersect b", "operator intersect"),
        ("a instance of xs:string", "operator instance"),
        ("a castable as xs:date", "operator castable"),
        ("a cast as xs:date?", "cast to an optional type"),
        ("namespace::a", "axis namespace"),
        ("a/comment()", "node test comment()"),
        ("a # b", "character '#'"),
        ("a = ", "token ''"),
        ("(: open", "comment without end"),
    ],
)
def test_what_is_not_implemented_is_refused_by_name_and_place(source: str, construct: str):
    with pytest.raises(UnsupportedConstructError) as caught:
        parse(source)
    assert caught.value.construct == construct
    assert caught.value.where == source


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("//a[b = 'x']/c", set()),
        ("a", {"."}),
        ("string()", {"."}),
        ("true()", set()),
        ("//a[b = $x]", {"x"}),
        ("every $x in //a satisfies $x = $y", {"y"}),
        ("for $x in $x return $x", {"x"}),
        ("(/a | /b)/c[. = 1]", set()),
        ("$x/a[1]", {"x"}),
    ],
)
def test_an_expression_tells_what_it_depends_on_besides_the_document(source: str, expected: set[str]):
    assert dependencies(parse(source)) == expected
