"""Function calls to Python: the functions of XPath that the rules use, and those the stylesheet declares."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.schematron.code import EXACT, NUMERIC, TEXTUAL, Code, Kind, Occurs, Scope, is_empty, truth
from gateway.schematron.comparisons import as_double, sequence_text
from gateway.schematron.strings import python_pattern, python_replacement, tokens
from gateway.schematron.xpath_ast import Call, ContextItem, Expression, Literal

if TYPE_CHECKING:
    from gateway.schematron.expressions import Compiler

Arguments = tuple[Expression, ...]
Handler = Callable[["Compiler", Arguments, Scope], Code]


@dataclass(frozen=True, slots=True)
class Signature:
    """A stylesheet function: its Python name and the sequence type of each parameter."""

    python_name: str
    parameters: tuple[str, ...]


def compile_call(compiler: "Compiler", call: Call, scope: Scope) -> Code:
    """Code of a function call. Raises UnsupportedConstructError for a function the engine does not know."""
    signature = compiler.functions.get(call.name)
    if signature is not None:
        return _stylesheet_call(compiler, signature, call, scope)
    handler = _FUNCTIONS.get((call.name, len(call.arguments)))
    if handler is None:
        raise compiler.refuse(f"function {call.name}() with {len(call.arguments)} arguments")
    return handler(compiler, call.arguments, scope)


def _stylesheet_call(compiler: "Compiler", signature: Signature, call: Call, scope: Scope) -> Code:
    if len(signature.parameters) != len(call.arguments):
        raise compiler.refuse(f"call of {call.name}() with {len(call.arguments)} arguments")
    texts = [
        _converted(compiler, argument, sequence_type, scope)
        for argument, sequence_type in zip(call.arguments, signature.parameters, strict=True)
    ]
    return Code(f"{signature.python_name}(doc, memo, {', '.join(texts)})", Kind.BOOLEAN, Occurs.ONE, raises=True)


def _converted(compiler: "Compiler", argument: Expression, sequence_type: str, scope: Scope) -> str:
    """An argument under the function conversion rules (XPath 2.0, 3.1.5)."""
    if sequence_type in ("xs:string", "xs:string?"):
        code = compiler.optional_string(argument, scope)
        is_missing_allowed = sequence_type.endswith("?") or code.occurs is Occurs.ONE
        return code.text if is_missing_allowed else f"required({code.text})"
    code = compiler.emit(argument, scope)
    if not sequence_type.startswith("element()") or (code.kind is not Kind.NODE and not is_empty(code)):
        raise compiler.refuse(f"parameter of type {sequence_type}")
    text = compiler.sequence_of(code)
    return f"only({text})" if sequence_type.endswith("?") else text


def _text_function(template: str, kind: Kind = Kind.STRING) -> Handler:
    """A function of strings: `template` is filled with the Python text of each argument."""

    def handler(compiler: "Compiler", arguments: Arguments, scope: Scope) -> Code:
        codes = [compiler.string_of(argument, scope) for argument in arguments]
        raises = any(code.raises for code in codes)
        return Code(template.format(*(code.text for code in codes)), kind, Occurs.ONE, raises)

    return handler


def _on_context(handler: Handler) -> Handler:
    """The form without argument of a function that then takes the context node."""

    def on_context(compiler: "Compiler", _arguments: Arguments, scope: Scope) -> Code:
        return handler(compiler, (ContextItem(),), scope)

    return on_context


def _constant(text: str) -> Handler:
    return lambda _compiler, _arguments, _scope: truth(text)


def _not(compiler: "Compiler", arguments: Arguments, scope: Scope) -> Code:
    code = compiler.truth_of(arguments[0], scope)
    return truth(f"(not {code.text})", code)


def _boolean(compiler: "Compiler", arguments: Arguments, scope: Scope) -> Code:
    code = compiler.truth_of(arguments[0], scope)
    return truth(f"bool({code.text})", code)


def _exists(compiler: "Compiler", arguments: Arguments, scope: Scope) -> Code:
    code = compiler.emit(arguments[0], scope)
    if code.kind is Kind.NODE:
        return compiler.truth_of(arguments[0], scope)
    match code.occurs:
        case Occurs.ONE:
            return truth("True", code)
        case Occurs.OPTIONAL:
            return truth(f"({code.text} is not None)", code)
        case Occurs.MANY:
            return truth(f"bool({code.text})", code)


def _empty(compiler: "Compiler", arguments: Arguments, scope: Scope) -> Code:
    code = _exists(compiler, arguments, scope)
    return truth(f"(not {code.text})", code)


def _count(compiler: "Compiler", arguments: Arguments, scope: Scope) -> Code:
    code = compiler.emit(arguments[0], scope)
    return Code(f"len({compiler.sequence_of(code)})", Kind.INTEGER, Occurs.ONE, code.raises)


def _sum(compiler: "Compiler", arguments: Arguments, scope: Scope) -> Code:
    code = compiler.emit_data(arguments[0], scope)
    values = sequence_text(code)
    if code.kind is Kind.UNTYPED:
        return Code(f"sum_doubles({values})", Kind.DOUBLE, Occurs.ONE, raises=True)
    if code.kind not in NUMERIC:
        raise compiler.refuse(f"sum of {code.kind.name}")
    return Code(f"sum_numbers({values})", code.kind, Occurs.ONE, code.raises)


def _numeric_function(exact: str, double: str) -> Handler:
    def handler(compiler: "Compiler", arguments: Arguments, scope: Scope) -> Code:
        code = compiler.number_of(arguments[0], scope)
        function = exact if code.kind in EXACT else double
        if code.occurs is Occurs.ONE:
            return code.having(f"{function}({code.text})")
        return code.having(f"apply({function}, {code.text})")

    return handler


def _number(compiler: "Compiler", arguments: Arguments, scope: Scope) -> Code:
    data = compiler.emit_data(arguments[0], scope)
    if data.kind in NUMERIC and data.occurs is Occurs.ONE:
        return as_double(data)
    code = compiler.optional_string(arguments[0], scope)
    return Code(f"number({code.text})", Kind.DOUBLE, Occurs.ONE, code.raises)


def _decimal(compiler: "Compiler", arguments: Arguments, scope: Scope) -> Code:
    data = compiler.emit_data(arguments[0], scope)
    if data.kind in EXACT:
        return Code(data.text, Kind.DECIMAL, data.occurs, data.raises)
    if data.kind is Kind.DOUBLE:
        return Code(f"double_to_decimal({data.text})", Kind.DECIMAL, data.occurs, raises=True)
    code = compiler.optional_string(arguments[0], scope)
    function = "to_decimal" if code.occurs is Occurs.ONE else "optional_decimal"
    return Code(f"{function}({code.text})", Kind.DECIMAL, code.occurs, raises=True)


def _date(compiler: "Compiler", arguments: Arguments, scope: Scope) -> Code:
    code = compiler.optional_string(arguments[0], scope)
    function = "to_date" if code.occurs is Occurs.ONE else "optional_date"
    return Code(f"{function}({code.text})", Kind.DATE, code.occurs, raises=True)


def _string(compiler: "Compiler", arguments: Arguments, scope: Scope) -> Code:
    data = compiler.emit_data(arguments[0], scope)
    if data.kind in TEXTUAL:
        return compiler.string_of(arguments[0], scope)
    if data.occurs is Occurs.MANY and not is_empty(data):
        raise compiler.refuse(f"string of several {data.kind.name}")
    return compiler.printed(arguments[0], scope)


def _concat(compiler: "Compiler", arguments: Arguments, scope: Scope) -> Code:
    codes = [_string(compiler, (argument,), scope) for argument in arguments]
    text = f"({' + '.join(code.text for code in codes)})"
    return Code(text, Kind.STRING, Occurs.ONE, any(code.raises for code in codes))


def _string_join(compiler: "Compiler", arguments: Arguments, scope: Scope) -> Code:
    data = compiler.emit_data(arguments[0], scope)
    if data.kind not in TEXTUAL:
        raise compiler.refuse(f"string-join of {data.kind.name}")
    separator = compiler.string_of(arguments[1], scope)
    text = f"{separator.text}.join({sequence_text(data)})"
    return Code(text, Kind.STRING, Occurs.ONE, data.raises or separator.raises)


def _distinct_values(compiler: "Compiler", arguments: Arguments, scope: Scope) -> Code:
    data = compiler.emit_data(arguments[0], scope)
    if data.kind not in TEXTUAL:
        raise compiler.refuse(f"distinct-values of {data.kind.name}")
    return Code(f"distinct({sequence_text(data)})", data.kind, Occurs.MANY, data.raises)


def _substring(compiler: "Compiler", arguments: Arguments, scope: Scope) -> Code:
    codes = [compiler.string_of(arguments[0], scope)]
    codes += [compiler.number_of(argument, scope) for argument in arguments[1:]]
    if any(code.occurs is not Occurs.ONE for code in codes):
        raise compiler.refuse("substring() with a position that may be missing")
    text = f"substring({', '.join(code.text for code in codes)})"
    return Code(text, Kind.STRING, Occurs.ONE, any(code.raises for code in codes))


def _pattern(compiler: "Compiler", argument: Expression) -> str:
    """Name of the constant that holds a compiled regular expression."""
    match argument:
        case Literal(str() as pattern):
            source = python_pattern(pattern, compiler.where)
            return compiler.module.constant("PATTERN", f"re.compile({source!r})")
    raise compiler.refuse("regular expression that is not a literal")


def _require_consuming(compiler: "Compiler", argument: Expression) -> None:
    """What cuts strings may not match the empty one (XPath functions, 7.6.3 and 7.6.4)."""
    match argument:
        case Literal(str() as pattern) if re.search(python_pattern(pattern, compiler.where), ""):
            raise compiler.refuse(f"regular expression {pattern!r} that matches the empty string")


def _matches(compiler: "Compiler", arguments: Arguments, scope: Scope) -> Code:
    value = compiler.string_of(arguments[0], scope)
    return truth(f"({_pattern(compiler, arguments[1])}.search({value.text}) is not None)", value)


def _replace(compiler: "Compiler", arguments: Arguments, scope: Scope) -> Code:
    value = compiler.string_of(arguments[0], scope)
    _require_consuming(compiler, arguments[1])
    pattern = _pattern(compiler, arguments[1])
    match arguments[2]:
        case Literal(str() as replacement):
            text = f"{pattern}.sub({python_replacement(replacement, compiler.where)!r}, {value.text})"
            return Code(text, Kind.STRING, Occurs.ONE, value.raises)
    raise compiler.refuse("replacement that is not a literal")


def _tokenize(compiler: "Compiler", arguments: Arguments, scope: Scope) -> Code:
    value = compiler.string_of(arguments[0], scope)
    _require_consuming(compiler, arguments[1])
    match arguments:
        case (Literal(str() as text), Literal(str() as pattern)):
            words = tuple(tokens(text, re.compile(python_pattern(pattern, compiler.where))))
            return Code(repr(words), Kind.STRING, Occurs.MANY, constant=words)
    return Code(f"tokens({value.text}, {_pattern(compiler, arguments[1])})", Kind.STRING, Occurs.MANY, value.raises)


def _name(function: str) -> Handler:
    def handler(compiler: "Compiler", arguments: Arguments, scope: Scope) -> Code:
        code = compiler.emit(arguments[0], scope)
        if code.kind is not Kind.NODE:
            raise compiler.refuse(f"name of {code.kind.name}")
        node = code.text if code.occurs is not Occurs.MANY else f"only({code.text})"
        raises = code.raises or code.occurs is Occurs.MANY
        if code.occurs is Occurs.ONE:
            return Code(f"{function}({node})", Kind.STRING, Occurs.ONE, raises)
        return Code(f"(apply({function}, {node}) or '')", Kind.STRING, Occurs.ONE, raises)

    return handler


def _ends_with(compiler: "Compiler", arguments: Arguments, scope: Scope) -> Code:
    match arguments:
        case (Call("name", operands), Literal(str() as suffix)) if ":" not in suffix:
            # The prefix cannot be part of such an end, and it is costly to find.
            arguments = (Call("local-name", operands), arguments[1])
    return _ends_with_text(compiler, arguments, scope)


_ends_with_text = _text_function("{0}.endswith({1})", Kind.BOOLEAN)
_normalize_space = _text_function("normalize_space({0})")
_string_length = _text_function("len({0})", Kind.INTEGER)

_FUNCTIONS: dict[tuple[str, int], Handler] = {
    ("true", 0): _constant("True"),
    ("false", 0): _constant("False"),
    ("not", 1): _not,
    ("boolean", 1): _boolean,
    ("exists", 1): _exists,
    ("empty", 1): _empty,
    ("count", 1): _count,
    ("sum", 1): _sum,
    ("abs", 1): _numeric_function("abs", "abs"),
    ("round", 1): _numeric_function("round_exact", "round_double"),
    ("number", 1): _number,
    ("xs:decimal", 1): _decimal,
    ("xs:date", 1): _date,
    ("string", 0): _on_context(_string),
    ("string", 1): _string,
    ("normalize-space", 0): _on_context(_normalize_space),
    ("normalize-space", 1): _normalize_space,
    ("string-length", 0): _on_context(_string_length),
    ("string-length", 1): _string_length,
    ("upper-case", 1): _text_function("{0}.upper()"),
    ("lower-case", 1): _text_function("{0}.lower()"),
    ("contains", 2): _text_function("({1} in {0})", Kind.BOOLEAN),
    ("starts-with", 2): _text_function("{0}.startswith({1})", Kind.BOOLEAN),
    ("ends-with", 2): _ends_with,
    ("substring-before", 2): _text_function("substring_before({0}, {1})"),
    ("substring-after", 2): _text_function("substring_after({0}, {1})"),
    ("translate", 3): _text_function("translate({0}, {1}, {2})"),
    ("substring", 2): _substring,
    ("substring", 3): _substring,
    **{("concat", count): _concat for count in range(2, 12)},
    ("string-join", 2): _string_join,
    ("distinct-values", 1): _distinct_values,
    ("matches", 2): _matches,
    ("replace", 3): _replace,
    ("tokenize", 2): _tokenize,
    ("name", 0): _on_context(_name("doc.name")),
    ("name", 1): _name("doc.name"),
    ("local-name", 0): _on_context(_name("local_name")),
    ("local-name", 1): _name("local_name"),
}
