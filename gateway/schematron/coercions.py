"""Conversions that XPath applies by itself: atoms of nodes, printed values, truth."""

from gateway.schematron.code import Code, Kind, Occurs, is_empty, truth


def atoms(code: Code) -> Code:
    """Code of the typed values of items (XPath 2.0, 2.4.2)."""
    if code.kind is Kind.MIXED and not is_empty(code):
        return Code(f"strings_of_mixed({code.text})", Kind.STRING, Occurs.MANY, code.raises)
    if code.kind is not Kind.NODE:
        return code
    function = {Occurs.ONE: "string_of", Occurs.OPTIONAL: "string_of_optional", Occurs.MANY: "strings_of"}[code.occurs]
    return Code(f"{function}({code.text})", Kind.UNTYPED, code.occurs, code.raises)


def printed_item(kind: Kind) -> str:
    """Name of the function that prints an atom, empty for strings."""
    return {
        Kind.BOOLEAN: "string_of_boolean",
        Kind.INTEGER: "string_of_exact",
        Kind.DECIMAL: "string_of_exact",
        Kind.DOUBLE: "string_of_double",
    }.get(kind, "")


def truth_of_code(code: Code) -> Code | None:
    """Code of the effective boolean value (XPath 2.0, 2.4.3), None when a value of that type has none."""
    if is_empty(code):
        return truth("False")
    match code.kind, code.occurs:
        case Kind.BOOLEAN, Occurs.ONE:
            return code
        case Kind.NODE, Occurs.ONE:
            return truth("True", code)
        case Kind.NODE, Occurs.OPTIONAL:
            return truth(f"({code.text} is not None)", code)
        case Kind.NODE, Occurs.MANY:
            return truth(code.text, code)
        case Kind.DOUBLE, Occurs.ONE | Occurs.OPTIONAL:
            return truth(f"truth_of_double({code.text})", code)
        case Kind.MIXED, _:
            return Code(f"truth_of_mixed({code.text})", Kind.BOOLEAN, Occurs.ONE, raises=True)
        case Kind.DATE, _:
            return None
        case _, Occurs.MANY:
            return Code(f"truth_of_atoms({code.text})", Kind.BOOLEAN, Occurs.ONE, raises=True)
    return truth(code.text, code)
