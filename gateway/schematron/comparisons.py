"""Comparisons to Python: which of XPath's rules applies is settled by the static types (XPath 2.0, section 3.5)."""

from gateway.schematron.code import EXACT, NUMERIC, TEXTUAL, Code, Kind, Occurs, is_empty, truth
from gateway.schematron.errors import UnsupportedConstructError
from gateway.schematron.module import Module

SYMBOLS = {"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}
MIRRORED = {"eq": "eq", "ne": "ne", "lt": "gt", "le": "ge", "gt": "lt", "ge": "le"}
_CASTS = {Kind.BOOLEAN: "to_boolean", Kind.DATE: "to_date"}


def as_double(code: Code) -> Code:
    """A number as a double."""
    if code.kind is Kind.DOUBLE:
        return code
    if code.constant is not None and code.occurs is Occurs.ONE:
        text = repr(float(str(code.constant[0])))
    elif code.occurs is Occurs.MANY:
        text = f"list(map(exact_to_double, {code.text}))"
    else:
        text = f"exact_to_double({code.text})"
    return Code(text, Kind.DOUBLE, code.occurs, code.raises)


def sequence_text(code: Code) -> str:
    """The value as a sequence."""
    match code.occurs:
        case Occurs.ONE:
            return f"({code.text},)"
        case Occurs.OPTIONAL:
            return f"present({code.text})"
        case Occurs.MANY:
            return code.text


def general_comparison(module: Module, operator: str, left: Code, right: Code, where: str) -> Code:
    """`= != < <= > >=`: true when some pair of atoms satisfies it."""
    if is_empty(left) or is_empty(right):
        return truth("False")
    if left.kind is not Kind.UNTYPED and right.kind is Kind.UNTYPED:
        left, right, operator = right, left, MIRRORED[operator]
    if left.kind in TEXTUAL and right.kind in TEXTUAL:
        return _strings(module, operator, left, right)
    left, right = _as_bool(left), _as_bool(right)
    if left.kind is Kind.UNTYPED and right.kind in NUMERIC | _CASTS.keys():
        return _untyped(operator, left, right, where)
    if left.kind in NUMERIC and right.kind in NUMERIC and {left.kind, right.kind} - EXACT:
        left, right = as_double(left), as_double(right)
    elif left.kind is not right.kind and not (left.kind in EXACT and right.kind in EXACT):
        raise UnsupportedConstructError(f"comparison of {left.kind.name} with {right.kind.name}", where)
    return _same_type(operator, left, right)


def value_comparison(operator: str, left: Code, right: Code, where: str) -> Code:
    """`eq ne lt le gt ge`: one atom at most on each side, untyped ones compared as strings."""
    left, right = _at_most_one(left), _at_most_one(right)
    if left.kind in NUMERIC and right.kind in NUMERIC:
        if {left.kind, right.kind} - EXACT:
            left, right = as_double(left), as_double(right)
    elif not (left.kind in TEXTUAL and right.kind in TEXTUAL) and left.kind is not right.kind:
        raise UnsupportedConstructError(f"comparison of {left.kind.name} with {right.kind.name}", where)
    return _same_type(operator, left, right)


def _as_bool(code: Code) -> Code:
    """A boolean as True or False: generated tests may have any value of that truth."""
    if code.kind is Kind.BOOLEAN and code.occurs is Occurs.ONE and code.text not in ("True", "False"):
        return code.having(f"bool({code.text})")
    return code


def _at_most_one(code: Code) -> Code:
    if code.occurs is Occurs.MANY:
        return code.having(f"only({code.text})", occurs=Occurs.OPTIONAL, raises=True)
    return code


def _strings(module: Module, operator: str, left: Code, right: Code) -> Code:
    if operator == "eq":
        if left.occurs is not Occurs.MANY and right.occurs is Occurs.MANY:
            left, right = right, left
        if left.occurs is Occurs.MANY:
            if right.occurs is Occurs.MANY:
                return _share(module, left, right)
            # None, for a missing value, is in no collection of strings.
            return truth(f"({right.text} in {_collection(module, left)})", left, right)
    return _same_type(operator, left, right)


def _share(module: Module, left: Code, right: Code) -> Code:
    if left.constant is not None:
        left, right = right, left
    if right.constant is not None:
        return truth(f"(not {_collection(module, right)}.isdisjoint({left.text}))", left)
    return truth(f"share_a_value({left.text}, {right.text})", left, right)


def _collection(module: Module, code: Code) -> str:
    if code.constant is None:
        return code.text
    return module.constant("STRINGS", f"frozenset({sorted(set(map(str, code.constant)))!r})")


def _untyped(operator: str, left: Code, right: Code, where: str) -> Code:
    """Untyped values take the type of the other side."""
    if right.kind in NUMERIC:
        return _untyped_with_number(operator, left, right, where)
    cast = _CASTS[right.kind]
    if left.occurs is Occurs.ONE and right.occurs is Occurs.ONE:
        result = truth(f"({cast}({left.text}) {SYMBOLS[operator]} {right.text})", left, right)
    elif right.occurs is Occurs.MANY:
        typed = Code(f"list(map({cast}, {sequence_text(left)}))", right.kind, Occurs.MANY, raises=True)
        result = _same_type(operator, typed, right)
    else:
        result = truth(f"any_cast({operator}, {sequence_text(left)}, {cast}, {right.text})", left, right)
    return result.having(result.text, raises=True)


def _untyped_with_number(operator: str, left: Code, right: Code, where: str) -> Code:
    """As Saxon orders them, see `order_untyped`; two sequences it orders by their extremes, which no rule does."""
    if left.occurs is Occurs.ONE and right.occurs is Occurs.ONE:
        text = f"(order_untyped({left.text}, {right.text}) {SYMBOLS[operator]} 0)"
    elif right.occurs is not Occurs.MANY:
        text = f"any_untyped({operator}, {sequence_text(left)}, {right.text})"
    elif operator in ("eq", "ne"):
        text = f"any_untyped_pair({operator}, {sequence_text(left)}, {right.text})"
    else:
        raise UnsupportedConstructError(f"{operator} of untyped values with several numbers", where)
    return truth(text, left, right).having(text, raises=True)


def _same_type(operator: str, left: Code, right: Code) -> Code:
    if Occurs.MANY in (left.occurs, right.occurs):
        if operator == "eq" and left.kind is not Kind.DOUBLE and left.occurs is not Occurs.MANY:
            return truth(f"({left.text} in {right.text})", left, right)
        return truth(f"any_pair({operator}, {sequence_text(left)}, {sequence_text(right)})", left, right)
    if left.occurs is Occurs.ONE and right.occurs is Occurs.ONE:
        return truth(f"({left.text} {SYMBOLS[operator]} {right.text})", left, right)
    if left.occurs is Occurs.OPTIONAL and right.raises:
        return truth(f"compare_lazily({operator}, {left.text}, lambda: {right.text})", left, right)
    return truth(f"compare({operator}, {left.text}, {right.text})", left, right)
