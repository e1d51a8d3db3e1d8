"""Atomic values at run time: casts, arithmetic, rounding and comparison as XPath 2.0 and Saxon define them.

Representation: xs:string and untyped values are `str`, xs:integer `int`, xs:decimal `Decimal`, xs:double `float`,
xs:boolean `bool`, xs:date its minutes since year 1 in UTC (`int`). The empty sequence is None where at most one item is
possible. The types are settled when the rules are compiled, so nothing here looks at them twice.
"""

import math
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from decimal import ROUND_05UP, ROUND_FLOOR, ROUND_HALF_DOWN, ROUND_HALF_EVEN, Context, Decimal, Inexact, localcontext
from typing import Any

from gateway.schematron.errors import DynamicError

Comparator = Callable[[Any, Any], bool]

EXACT = Context(prec=200, rounding=ROUND_HALF_EVEN, Emax=9999, Emin=-9999)
"""Decimal context of every check: no amount of an invoice is ever rounded by it."""

_SPACE = " \t\r\n"
_DECIMAL = re.compile(r"[ \t\r\n]*[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)[ \t\r\n]*")
_DOUBLE = re.compile(r"[ \t\r\n]*[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?[ \t\r\n]*")
_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})(?:(Z)|([+-])([0-9]{2}):([0-9]{2}))?")
_SPECIAL_DOUBLES = {"NaN": math.nan, "INF": math.inf, "-INF": -math.inf}
_POINT_OR_EXPONENT = frozenset(".eE")
_HALF = Decimal("0.5")
_DIVISION_SCALE = 18
_INTEGRAL_DOUBLE = 2.0**52


def invalid(value: str, type_name: str) -> DynamicError:
    """The error of a string that is not in the lexical space of a type."""
    return DynamicError("FORG0001", f'"{value[:60]}" is not a valid {type_name}')


def to_decimal(value: str) -> Decimal:
    """A string cast to xs:decimal. Raises DynamicError on any other lexical form, exponents included."""
    if _DECIMAL.fullmatch(value) is None:
        raise invalid(value, "xs:decimal")
    return Decimal(value.strip(_SPACE))


def optional_decimal(value: str | None) -> Decimal | None:
    """The same; the empty sequence stays empty."""
    return None if value is None else to_decimal(value)


def double_to_decimal(value: float | None) -> Decimal | None:
    """A double cast to xs:decimal, exactly. Raises DynamicError on NaN and the infinities."""
    if value is None:
        return None
    if not math.isfinite(value):
        raise DynamicError("FOCA0002", f"{value} has no decimal value")
    return Decimal(value)


def to_double(value: str) -> float:
    """A string cast to xs:double. Raises DynamicError when it is not the lexical form of a number."""
    if _DOUBLE.fullmatch(value) is not None:
        return float(value)
    special = _SPECIAL_DOUBLES.get(value.strip(_SPACE))
    if special is None:
        raise invalid(value, "xs:double")
    return special


def optional_double(value: str | None) -> float | None:
    """The same; the empty sequence stays empty."""
    return None if value is None else to_double(value)


def exact_to_double(value: Decimal | int | None) -> float | None:
    """A decimal or an integer as the nearest double; there is no negative zero among decimals."""
    return None if value is None else float(value) + 0.0


def number(value: str | None) -> float:
    """`number()`: NaN for what is no number."""
    if value is None:
        return math.nan
    try:
        return to_double(value)
    except DynamicError:
        return math.nan


def to_boolean(value: str) -> bool:
    """A string cast to xs:boolean. Raises DynamicError on anything but true, false, 1 and 0."""
    match value.strip(_SPACE):
        case "true" | "1":
            return True
        case "false" | "0":
            return False
    raise invalid(value, "xs:boolean")


def to_date(value: str) -> int:
    """A string cast to xs:date, as minutes since year 1 in UTC; a date without time zone is taken as UTC.

    Raises DynamicError when it is not a date of the years 1 to 9999.
    """
    match = _DATE.fullmatch(value.strip(_SPACE))
    if match is None:
        raise invalid(value, "xs:date")
    try:
        minutes = date(int(match[1]), int(match[2]), int(match[3])).toordinal() * 1440
    except ValueError as error:
        raise invalid(value, "xs:date") from error
    if match[5]:
        offset = int(match[6]) * 60 + int(match[7])
        minutes -= offset if match[5] == "+" else -offset
    return minutes


def optional_date(value: str | None) -> int | None:
    """The same; the empty sequence stays empty."""
    return None if value is None else to_date(value)


def divide(left: Decimal | int, right: Decimal | int) -> Decimal:
    """Decimal division at Saxon's scale: 18 digits after the point, more when the dividend has more; half down.

    Raises DynamicError on a division by zero.
    """
    dividend, divisor = Decimal(left), Decimal(right)
    if not divisor:
        raise DynamicError("FOAR0001", "decimal division by zero")
    scale = _DIVISION_SCALE + max(0, _scale(dividend) - _scale(divisor))
    with localcontext(EXACT) as context:
        context.rounding = ROUND_05UP  # keeps the final rounding from seeing a tie that was none
        quotient = dividend / divisor
        return quotient.quantize(Decimal((0, (1,), -scale)), ROUND_HALF_DOWN)


def _scale(value: Decimal) -> int:
    """Digits after the point, final zeros left out."""
    return max(0, -int(value.normalize().as_tuple().exponent))


def divide_by_power_of_ten(value: Decimal | int, exponent: int) -> Decimal:
    """`value div 100` and its like, which need no rounding up to 10 to the 18."""
    return Decimal(value).scaleb(-exponent)


def divide_doubles(left: float, right: float) -> float:
    """IEEE 754 division."""
    if right != 0:
        return left / right
    if left == 0 or math.isnan(left) or math.isnan(right):
        return math.nan
    return math.copysign(math.inf, left) * math.copysign(1, right)


def modulo(left: Decimal | int, right: Decimal | int) -> Decimal | int:
    """`mod` of exact numbers: the remainder has the sign of the dividend. Raises DynamicError on zero."""
    if right == 0:
        raise DynamicError("FOAR0001", "modulus by zero")
    remainder = Decimal(left) % Decimal(right)
    return int(remainder) if isinstance(left, int) and isinstance(right, int) else remainder


def modulo_doubles(left: float, right: float) -> float:
    """`mod` of doubles."""
    return math.nan if right == 0 or not math.isfinite(left) or math.isnan(right) else math.fmod(left, right)


def round_exact(value: Decimal | int) -> Decimal | int:
    """`round()` of an integer or a decimal: half towards positive infinity."""
    return value if isinstance(value, int) else (value + _HALF).to_integral_value(ROUND_FLOOR)


def round_double(value: float) -> float:
    """`round()` of a double: half towards positive infinity, NaN and infinities as they are."""
    if not abs(value) < _INTEGRAL_DOUBLE:
        return value
    floor = math.floor(value)
    return math.copysign(float(floor + (value - floor >= 0.5)), value)


def sum_doubles(values: Iterable[str]) -> float:
    """`sum()` of untyped values, in order and without compensation. Raises DynamicError on one that is no number."""
    numbers = list(map(to_double, values))
    total = -0.0 if numbers else 0.0  # the sum of nothing but -0 is -0
    for value in numbers:
        total += value
    return total


def sum_numbers(values: Iterable[Any]) -> Any:
    """`sum()` of numbers of one type; the integer 0 for none."""
    total: Any = 0
    for value in values:
        total += value
    return total


def apply(function: Callable[[Any], Any], value: Any) -> Any:
    """A function of one argument on a value that may be missing."""
    return None if value is None else function(value)


def combine(function: Callable[[Any, Any], Any], left: Any, right: Any) -> Any:
    """A function of two arguments on values that may be missing."""
    return None if left is None or right is None else function(left, right)


def combine_lazily(function: Callable[[Any, Any], Any], left: Any, right: Callable[[], Any]) -> Any:
    """The same; the right operand is not computed when the left is missing, so that its error does not show."""
    return None if left is None else combine(function, left, right())


def compare(function: Comparator, left: Any, right: Any) -> bool:
    """A comparison of values that may be missing: false then."""
    return left is not None and right is not None and function(left, right)


def compare_lazily(function: Comparator, left: Any, right: Callable[[], Any]) -> bool:
    """The same; the right operand is not computed when the left is missing."""
    return left is not None and compare(function, left, right())


def any_pair(function: Comparator, lefts: Iterable[Any], rights: Sequence[Any]) -> bool:
    """A general comparison of two sequences: some pair satisfies it."""
    return any(function(left, right) for left in lefts for right in rights)


def any_cast(function: Comparator, values: Iterable[str], cast: Callable[[str], Any], other: Any) -> bool:
    """A general comparison of untyped values with one typed value: each is cast to its type.

    Raises DynamicError on a value that cannot be cast, unless one before it satisfied the comparison.
    """
    return other is not None and any(function(cast(value), other) for value in values)


def order_untyped(value: str, other: Decimal | int | float) -> float:
    """Where an untyped value stands beside a number: -1 before it, 0 at it, 1 after it. In Saxon's order, not XPath's.

    They are compared as doubles. An untyped NaN is after all numbers; a number NaN has nothing at, before or after it
    (the answer is NaN). -0 is before 0; only the untyped integer `-0` is at an exact 0 without a point (where `round()`
    made that 0 of a decimal, which no rule compares, Saxon again has it before).

    Raises DynamicError when the value is not the lexical form of a number.
    """
    left, right = to_double(value), float(other) + 0.0 if isinstance(other, Decimal | int) else other
    if left < right:
        return -1
    if left > right:
        return 1
    if left != right:
        return math.nan if math.isnan(right) else 1
    if left != 0 or (_is_integer(other) and not _POINT_OR_EXPONENT.intersection(value)):
        return 0
    return (math.copysign(1, left) - math.copysign(1, right)) / 2


def _is_integer(value: Decimal | int | float) -> bool:
    """Whether Saxon holds a number as an integer: one without a point, a decimal among them."""
    return isinstance(value, int) or (isinstance(value, Decimal) and value.as_tuple().exponent == 0)


def any_untyped(function: Comparator, values: Iterable[str], other: Any) -> bool:
    """A general comparison of untyped values with one number, false when it is missing.

    Raises DynamicError on a value that is no number, unless one before it satisfied the comparison.
    """
    return other is not None and any(function(order_untyped(value, other), 0) for value in values)


def any_untyped_pair(function: Comparator, values: Iterable[str], others: Sequence[Any]) -> bool:
    """A general comparison of untyped values with several numbers."""
    return any(function(order_untyped(value, other), 0) for value in values for other in others)


def share_a_value(lefts: Iterable[str], rights: Iterable[str]) -> bool:
    """`=` of two sequences of strings."""
    return not set(lefts).isdisjoint(rights)


def only(values: Sequence[Any]) -> Any:
    """The only item, None for no item. Raises DynamicError when there are several."""
    if not values:
        return None
    if len(values) > 1:
        raise DynamicError("XPTY0004", "more than one item where at most one is allowed")
    return values[0]


def required(value: Any) -> Any:
    """A value that must be there. Raises DynamicError when it is missing."""
    if value is None:
        raise DynamicError("XPTY0004", "no item where one is required")
    return value


def present(value: Any) -> tuple[Any, ...]:
    """A value that may be missing, as a sequence."""
    return () if value is None else (value,)


def not_missing(values: Iterable[Any]) -> list[Any]:
    """The values that are there."""
    return [value for value in values if value is not None]


def truth_of_double(value: float | None) -> bool:
    """Effective boolean value of a double that may be missing."""
    return value is not None and value != 0 and not math.isnan(value)


def truth_of_atoms(values: Sequence[Any]) -> bool:
    """Effective boolean value of a sequence of atomic values. Raises DynamicError when there are several."""
    if len(values) > 1:
        raise DynamicError("FORG0006", "effective boolean value of several atomic values")
    return bool(values) and (truth_of_double(values[0]) if isinstance(values[0], float) else bool(values[0]))


def string_of_exact(value: Decimal | int) -> str:
    """The string of an integer or a decimal: no exponent, no needless zero."""
    text = format(value, "f") if value else "0"
    return text.rstrip("0").rstrip(".") if "." in text else text


def string_of_double(value: float) -> str:
    """The string of a double (XPath functions, 17.1.2): plain between 1e-6 and 1e6, else with an exponent."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "INF" if value > 0 else "-INF"
    if value == 0:
        return "-0" if math.copysign(1, value) < 0 else "0"
    if 1e-6 <= abs(value) < 1e6:
        return string_of_exact(Decimal(repr(value)))
    digits = Decimal(repr(value)).normalize(Context(prec=17, traps=[Inexact]))
    mantissa = string_of_exact(digits.scaleb(-digits.adjusted()))
    return f"{mantissa if '.' in mantissa else mantissa + '.0'}E{digits.adjusted()}"


def string_of_boolean(value: bool) -> str:
    """`true` or `false`."""
    return "true" if value else "false"
