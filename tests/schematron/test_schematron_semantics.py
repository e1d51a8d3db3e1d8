"""XPath semantics: values that hypothesis draws, the engine beside Saxon on the same rules."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from gateway.schematron.atoms import divide, round_double, round_exact, string_of_double, string_of_exact
from gateway.schematron.errors import UnsupportedConstructError
from tests.schematron.oracle import Saxon
from tests.schematron.printing import Printer
from tests.schematron.small_rules import SmallRule

WITH_SAXON = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

digits = st.decimals(min_value=-(10**9), max_value=10**9, places=4, allow_nan=False).map(str)
numbers = st.one_of(
    digits,
    st.integers(-(10**6), 10**6).map(str),
    st.sampled_from(
        ["0.5", "-0.5", "1.5", "2.5", "-2.5", "0.005", "+3", ".5", "5.", " 7 ", "0", "00.10", "-0", "-0.0"]
    ),
)
nonzero = numbers.filter(lambda text: Decimal(text.strip()) != 0)
texts = st.text(alphabet="ab .-\t\n\u00a0é€0123#", max_size=12)


class ValuePrinter(Printer):
    """Prints over the children of one element."""

    def agree_on(self, **values: str) -> None:
        """Both print the same where `x` has these children."""
        root = etree.Element("x")
        for name, text in values.items():
            etree.SubElement(root, name).text = text
        self.agree(root)


@pytest.fixture(scope="module")
def printer(tmp_path_factory: pytest.TempPathFactory, saxon: Saxon) -> Callable[[list[str]], ValuePrinter]:
    made: dict[tuple[str, ...], ValuePrinter] = {}

    def make(expressions: list[str]) -> Printer:
        key = tuple(expressions)
        if key not in made:
            made[key] = ValuePrinter(tmp_path_factory.mktemp("print"), saxon, expressions)
        return made[key]

    return make


@WITH_SAXON
@given(numbers, nonzero)
def test_decimal_arithmetic_and_its_rounding_are_saxons(printer, a: str, b: str):
    printer(
        [
            "xs:decimal(a) div xs:decimal(b)",
            "xs:decimal(a) * xs:decimal(b)",
            "xs:decimal(a) + xs:decimal(b) - 1",
            "xs:decimal(a) mod xs:decimal(b)",
            "round(xs:decimal(a))",
            "round(xs:decimal(a) * 10 * 10) div 100",
            "xs:decimal(a) div 1000",
            "abs(xs:decimal(a))",
            "sum((xs:decimal(a), xs:decimal(b)))",
            "-xs:decimal(a)",
        ]
    ).agree_on(a=a, b=b)


@WITH_SAXON
@given(numbers, numbers)
def test_doubles_are_computed_and_printed_as_saxon_does(printer, a: str, b: str):
    printer(
        [
            "a + b",
            "a * b",
            "a div b",
            "number(a)",
            "round(a * 10)",
            "round(a)",
            "sum((a, b))",
            "sum(a) * 1000000",
            "a div 1000000",
            "xs:decimal(a) * b",
            "number(concat(a, 'x'))",
            "abs(a)",
        ]
    ).agree_on(a=a, b=b)


@WITH_SAXON
@given(numbers, numbers)
def test_untyped_values_are_numbers_beside_numbers_and_strings_beside_strings(printer, a: str, b: str):
    operators = ("=", "!=", "<", "<=", ">", ">=")
    printer(
        [f"a {operator} b" for operator in operators]
        + [f"a {operator} xs:decimal(b)" for operator in operators]
        + [f"a {operator} number(b)" for operator in operators]
        + [f"xs:decimal(a) {operator} xs:decimal(b)" for operator in operators]
        + [f"(a, b) {operator} ('1', '2.5')" for operator in operators]
        + ["a eq b", "a lt b", "xs:decimal(a) le xs:decimal(b)", "a = (1, 5)", "missing = a", "not(a != missing)"]
    ).agree_on(a=a, b=b)


@WITH_SAXON
@given(texts, texts)
def test_string_functions_are_saxons(printer, a: str, b: str):
    printer(
        [
            "normalize-space(a)",
            "string-length(a)",
            "upper-case(a)",
            "translate(a, 'ab0', 'ba')",
            "substring-before(a, b)",
            "substring-after(a, '.')",
            "contains(a, b)",
            "starts-with(a, b)",
            "ends-with(a, b)",
            "concat(a, '/', b, 1.50)",
            "string-join((a, b), '#')",
            "count(distinct-values((a, b, '')))",
            "string(missing)",
            "normalize-space(a) = normalize-space(b)",
            "not(normalize-space(.))",
        ]
    ).agree_on(a=a, b=b)


@WITH_SAXON
@given(texts)
def test_regular_expressions_mean_what_xpath_says(printer, a: str):
    printer(
        [
            r"matches(a, '^\d{1,3}$')",
            r"matches(a, 'a.b')",
            r"matches(a, '\s')",
            r"matches(a, '^[A-Za-z0-9+\-_/]+$')",
            r"matches(a, '^[\s0-9]*$')",
            r"matches(a, '(ab|b)+')",
            r"replace(a, '\.', '')",
            r"replace(a, '[ab]', '\$')",
            r"count(tokenize(a, '\s+'))",
            r"tokenize(a, '#')",
            r"matches(a, '^$')",
            r"matches(a, '[^a-z]$')",
        ]
    ).agree_on(a=a)


@WITH_SAXON
@given(texts)
def test_substring_counts_from_one_and_cuts_what_lies_outside(printer, a: str):
    positions = ("1", "2", "0", "-1", "50", "1, 0", "1, 3", "2, 1", "0, 3", "-1, 4", "3, 50", "2, -1")
    printer([f"substring(a, {position})" for position in positions]).agree_on(a=a)


@given(st.decimals(-(10**12), 10**12, places=6), st.integers(1, 10**6))
def test_a_quotient_is_off_by_half_a_unit_of_its_last_digit_at_most(dividend: Decimal, divisor: int):
    assert abs(divide(dividend, divisor) * divisor - dividend) <= Decimal(divisor) / 2 * Decimal("1e-18")


@given(st.decimals(-(10**12), 10**12, places=3))
def test_rounding_goes_to_the_nearest_and_up_in_the_middle(value: Decimal):
    rounded = round_exact(value)
    assert -Decimal("0.5") < Decimal(rounded) - value <= Decimal("0.5")


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_printed_double_reads_back_as_itself(value: float):
    assert float(string_of_double(value)) == value


@given(st.floats(-(2.0**60), 2.0**60))
def test_rounding_a_double_gives_the_integral_value_nearest_to_it(value: float):
    assert round_double(value).is_integer()
    assert abs(round_double(value) - value) <= 0.5


@given(st.decimals(allow_nan=False, allow_infinity=False, places=5))
def test_a_printed_decimal_has_no_exponent_and_no_needless_zero(value: Decimal):
    text = string_of_exact(value)
    assert Decimal(text) == value
    assert "E" not in text
    assert not (text.endswith("0") and "." in text)


@pytest.mark.parametrize("value", ["NaN", "-0", "-0.00", " -0.0 ", "-0e0", "-.0", "0", "0.0", "INF", "-INF", "-5", "5"])
def test_an_untyped_value_is_ordered_beside_a_number_as_saxon_does(printer, value: str):
    """NaN above all others, -0 before 0: Saxon's order of untyped values, not XPath's; numbers keep XPath's."""
    numbers = (
        *("0", "0.0", "0e0", "count(missing)", "xs:decimal(zero)", "xs:decimal(cents)", "xs:decimal(zero) div 100"),
        *("number(a)", "number(zero)", "number('none')", "sum(cents)", "xs:decimal(cents) - xs:decimal(zero)"),
        *("round(sum(zero/xs:decimal(.)) * 10 * 10) div 100", "round(sum(cents/xs:decimal(.)) * 10 * 10) div 100"),
        *("xs:decimal(minus)", "abs(xs:decimal(cents))", "-xs:decimal(zero)"),
    )
    untyped = ("a", "a[1]", "(a, a)", "distinct-values(a)")
    operators = ("=", "!=", "<", "<=", ">", ">=")
    printer(
        [f"{left} {operator} {right}" for left in untyped for operator in operators for right in numbers]
        + [f"{left} {operator} {right}" for left in numbers for operator in operators for right in untyped]
        + [f"count(a[. {operator} 0])" for operator in operators]
        + [f"some $item in a satisfies $item {operator} 0" for operator in operators]
        + [f"a {operator} (0, 5)" for operator in ("=", "!=")]
        + [
            f"{typed} {operator} 0"
            for typed in ("number(a)", "sum(a)", "a * 1", "-number(a)")
            for operator in operators
        ]
    ).agree_on(a=value, zero="0", cents="0.00", minus="-0.00")


def test_the_order_of_untyped_values_beside_several_numbers_is_refused_when_compiled(rules_of):
    with pytest.raises(UnsupportedConstructError, match="lt of untyped values with several numbers"):
        rules_of([SmallRule("x", [("R", "a < (0, 5)", ())])])


@pytest.mark.parametrize(
    ("test", "document", "reason"),
    [
        ("xs:decimal(a) = 1", "<x><a>1e2</a></x>", 'FORG0001: "1e2" is not a valid xs:decimal'),
        ("a = 1", "<x><a>one</a></x>", 'FORG0001: "one" is not a valid xs:double'),
        ("a = true()", "<x><a>yes</a></x>", 'FORG0001: "yes" is not a valid xs:boolean'),
        ("xs:date(a) = xs:date(a)", "<x><a>2026-02-30</a></x>", 'FORG0001: "2026-02-30" is not a valid xs:date'),
        ("normalize-space(a)", "<x><a/><a/></x>", "XPTY0004: more than one item where at most one is allowed (a)"),
        ("xs:decimal(a) div xs:decimal(b) = 1", "<x><a>1</a><b>0</b></x>", "FOAR0001: decimal division by zero"),
        ("xs:decimal(number('x')) = 1", "<x/>", "FOCA0002: nan has no decimal value"),
        ("a/string(.)", "<x><a/><a/></x>", "FORG0006: effective boolean value of several atomic values"),
    ],
)
def test_an_expression_without_a_value_stops_the_rules_with_its_reason_and_place(
    findings_of, test: str, document: str, reason: str
):
    rule = SmallRule("x", [("before", "false()", ()), ("R", test, ()), ("after", "false()", ())])
    *before, error = findings_of(document, [rule])
    assert [finding.rule for finding in before] == ["before"]
    assert (error.kind, error.rule, error.test, error.location) == ("error", "R", test, "/x[1]")
    assert error.message == reason


@pytest.mark.parametrize("test", ["a + xs:decimal('x') = 1", "missing = xs:decimal(a)", "not(a and xs:decimal(a) = 1)"])
def test_an_operand_that_decides_keeps_the_other_from_being_computed(findings_of, test: str):
    findings = findings_of("<x><b/></x>", [SmallRule("x", [("R", test, ())])])
    assert all(finding.kind == "assert" for finding in findings)
