"""XPath expressions to Python expressions.

The compiler follows static types (see `Code`): it settles when the rules are compiled what an interpreter finds out
for every node, and refuses by name and place what it cannot settle.
"""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from gateway.schematron.analysis import dependencies, is_costly, is_name, power_of_ten
from gateway.schematron.calls import Signature, compile_call
from gateway.schematron.code import (
    EMPTY,
    EXACT,
    NUMERIC,
    TEXTUAL,
    Code,
    Kind,
    Occurs,
    Scope,
    is_empty,
    truth,
)
from gateway.schematron.code_lists import CodeLists, code_list_look_up
from gateway.schematron.coercions import atoms, printed_item, truth_of_code
from gateway.schematron.comparisons import as_double, general_comparison, sequence_text, value_comparison
from gateway.schematron.errors import UnsupportedConstructError
from gateway.schematron.module import Module
from gateway.schematron.paths import compile_path, nodes_text
from gateway.schematron.xpath_ast import (
    ANY_NODE,
    Arithmetic,
    Call,
    Cast,
    Comparison,
    Conditional,
    ContextItem,
    Expression,
    Literal,
    Logical,
    Loop,
    Negation,
    Path,
    Sequence,
    Step,
    Union,
    Variable,
)

DOCUMENT_SCOPE = Scope("doc.node", is_element=False)
_OPERATIONS = {"+": "add", "-": "subtract", "*": "multiply"}
_NUMBERS_OF_LITERALS = {int: Kind.INTEGER, Decimal: Kind.DECIMAL, float: Kind.DOUBLE}


class Compiler:
    """Compiles the expressions of one stylesheet into one module.

    Attributes:
        module: where constants, remembered values and functions go.
        functions: the stylesheet functions that may be called.
        code_lists: code lists by file name and list id.
    """

    def __init__(
        self,
        module: Module,
        functions: Mapping[str, Signature],
        code_lists: CodeLists,
    ) -> None:
        self.module = module
        self.functions = functions
        self.code_lists = code_lists
        self._free: dict[Expression, frozenset[str]] = {}

    @property
    def where(self) -> str:
        """What is being compiled."""
        return self.module.where

    def refuse(self, construct: str) -> UnsupportedConstructError:
        """The error of a construct at the place being compiled."""
        return UnsupportedConstructError(construct, self.where)

    def free(self, expression: Expression) -> frozenset[str]:
        """`dependencies`, remembered."""
        found = self._free.get(expression)
        if found is None:
            found = self._free[expression] = dependencies(expression)
        return found

    def is_global(self, expression: Expression) -> bool:
        """Whether the value is the same wherever in the document it is computed."""
        return not self.free(expression)

    def emit(self, expression: Expression, scope: Scope) -> Code:
        """Code of an expression; a global one is computed once per document."""
        if is_costly(expression) and self.is_global(expression):
            # What is remembered is computed once, and so are the values that it is made of.
            inside = replace(DOCUMENT_SCOPE, once=True)
            return self.module.remember(expression, scope.once, lambda: self._emit(expression, inside))
        return self._emit(expression, scope)

    def _emit(self, expression: Expression, scope: Scope) -> Code:
        match expression:
            case Literal(value):
                return self._literal(value)
            case ContextItem():
                return Code(scope.context, Kind.NODE, Occurs.ONE)
            case Variable(name):
                if name not in scope.variables:
                    raise self.refuse(f"variable ${name} out of scope")
                return scope.variables[name]
            case Sequence(items):
                return self._sequence([self.emit(item, scope) for item in items])
            case Logical(operator, left, right):
                first, second = self.truth_of(left, scope), self.truth_of(right, scope)
                return truth(f"({first.text} {operator} {second.text})", first, second)
            case Comparison("ne", Call("normalize-space", text), Literal("")):
                return self._is_not_blank(text, scope)
            case Comparison(operator, left, right, general):
                return self._comparison(operator, left, right, general, scope)
            case Arithmetic():
                return self._arithmetic(expression, scope)
            case Negation(operand):
                return self._map_number("neg", self.number_of(operand, scope))
            case Union(operands):
                return self._union([self.emit(operand, scope) for operand in operands])
            case Conditional(test, then, otherwise):
                return self._conditional(test, then, otherwise, scope)
            case Loop():
                return self._loop(expression, scope)
            case Cast(operand, "xs:boolean"):
                return self._cast_to_boolean(operand, scope)
            case Cast(_, type_name):
                raise self.refuse(f"cast as {type_name}")
            case Call():
                return compile_call(self, expression, scope)
            case Path():
                return self._path(expression, scope)

    def _literal(self, value: str | int | Decimal | float) -> Code:
        if isinstance(value, str):
            return Code(repr(value), Kind.STRING, Occurs.ONE, constant=(value,))
        text = self.module.decimal_constant(value) if isinstance(value, Decimal) else repr(value)
        return Code(text, _NUMBERS_OF_LITERALS[type(value)], Occurs.ONE, constant=(value,))

    def _sequence(self, items: list[Code]) -> Code:
        if not items:
            return EMPTY
        kinds = {item.kind for item in items if not is_empty(item)}
        if kinds <= TEXTUAL:
            kind = Kind.STRING
        elif len(kinds) == 1:
            (kind,) = kinds
        elif kinds <= EXACT:
            kind = Kind.DECIMAL
        elif kinds <= TEXTUAL | {Kind.NODE}:
            kind = Kind.MIXED
        else:
            raise self.refuse("sequence of different types")
        raises = any(item.raises for item in items)
        if all(item.constant is not None for item in items):
            constant = tuple(value for item in items for value in item.constant or ())
            return Code(f"({''.join(f'{item.text}, ' for item in items)})", kind, Occurs.MANY, raises, constant)
        return Code(f"[{', '.join(f'*{self.sequence_of(item)}' for item in items)}]", kind, Occurs.MANY, raises)

    def sequence_of(self, code: Code) -> str:
        """The items of a value as a Python sequence."""
        return nodes_text(code) if code.kind is Kind.NODE else sequence_text(code)

    def _union(self, operands: list[Code]) -> Code:
        if any(operand.kind is not Kind.NODE for operand in operands):
            raise self.refuse("union of atomic values")
        text = f"union(doc, {', '.join(map(nodes_text, operands))})"
        return Code(text, Kind.NODE, Occurs.MANY, any(operand.raises for operand in operands))

    def _path(self, path: Path, scope: Scope) -> Code:
        if code_list_look_up(path) is not None:
            return self._code_list(path, scope)
        return compile_path(self, path, scope)

    def _code_list(self, path: Path, scope: Scope) -> Code:
        """A look-up in a code list file: true when the list holds the value."""
        file, number, value = code_list_look_up(path) or ("", "", Sequence(()))
        codes = self.code_lists.get((file, number))
        if codes is None:
            raise self.refuse(f"code list {number} of {file}")
        name = self.module.constant("CODES", f"frozenset({sorted(codes)!r})")
        data = self.emit_data(value, scope)
        if data.kind not in TEXTUAL:
            raise self.refuse(f"code list look-up of {data.kind.name}")
        if data.occurs is Occurs.MANY:
            return truth(f"(not {name}.isdisjoint({data.text}))", data)
        return truth(f"({data.text} in {name})", data)

    def _comparison(self, operator: str, left: Expression, right: Expression, general: bool, scope: Scope) -> Code:
        if not general:
            first, second = self._at_most_one_atom(left, scope), self._at_most_one_atom(right, scope)
            return value_comparison(operator, first, second, self.where)
        lefts, rights = self.emit_data(left, scope), self.emit_data(right, scope)
        if operator == "eq":
            lefts, rights = self._as_set(left, lefts, rights), self._as_set(right, rights, lefts)
        return general_comparison(self.module, operator, lefts, rights, self.where)

    def _as_set(self, expression: Expression, code: Code, other: Code) -> Code:
        """Strings of the document that are searched for a value, as a set made once per document."""
        is_searched = code.kind is Kind.UNTYPED and code.occurs is Occurs.MANY and other.kind in TEXTUAL
        if not is_searched or other.constant is not None or not self.is_global(expression):
            return code
        return self.module.remember(("set", expression), False, lambda: code.having(f"frozenset({code.text})"))

    def emit_data(self, expression: Expression, scope: Scope) -> Code:
        """Code of the atoms of a value: nodes give their string values, untyped."""
        match expression:
            case Path(anchor, (*before, Step("attribute", name, ()))) if "*" not in name and before != [ANY_NODE]:
                base = self.emit(Path(anchor, tuple(before)), scope)
                tag = self.module.tag_constant(name)
                if base.occurs is Occurs.ONE:
                    return Code(f"{base.text}.get({tag})", Kind.UNTYPED, Occurs.OPTIONAL, base.raises)
                return Code(f"attribute_strings({nodes_text(base)}, {tag})", Kind.UNTYPED, Occurs.MANY, base.raises)
            case Path("context", (Step("child", name, ()),)) if is_name(name):
                tag = self.module.tag_constant(name)
                return Code(f"child_strings({scope.context}, {tag})", Kind.UNTYPED, Occurs.MANY)
        return atoms(self.emit(expression, scope))

    def _at_most_one_atom(self, expression: Expression, scope: Scope) -> Code:
        """Code of the only atom of a value, represented as one or optional."""
        match expression:
            case Path("context", (Step("child", name, ()),)) if is_name(name):
                tag = self.module.tag_constant(name)
                return Code(f"child_string({scope.context}, {tag})", Kind.UNTYPED, Occurs.OPTIONAL, raises=True)
        code = self.emit_data(expression, scope)
        if is_empty(code):
            return Code("None", Kind.UNTYPED, Occurs.OPTIONAL)
        if code.occurs is Occurs.MANY:
            return code.having(f"only({code.text})", occurs=Occurs.OPTIONAL, raises=True)
        return replace(code, constant=None) if code.occurs is Occurs.OPTIONAL else code

    def optional_string(self, expression: Expression, scope: Scope) -> Code:
        """Code of an argument of type xs:string?: one or optional."""
        code = self._at_most_one_atom(expression, scope)
        if code.kind not in TEXTUAL:
            raise self.refuse(f"{code.kind.name} where a string is expected")
        return code

    def string_of(self, expression: Expression, scope: Scope) -> Code:
        """Code of an argument of type xs:string?, the empty string when it is missing."""
        code = self.optional_string(expression, scope)
        if code.occurs is Occurs.ONE:
            return replace(code, kind=Kind.STRING)
        return Code(f"({code.text} or '')", Kind.STRING, Occurs.ONE, code.raises)

    def _is_not_blank(self, text: tuple[Expression, ...], scope: Scope) -> Code:
        """Code of whether `normalize-space(text)` has any character, which needs no normalizing."""
        code = self.string_of(text[0] if text else ContextItem(), scope)
        return truth(f"{code.text}.strip(SPACE)", code)

    def number_of(self, expression: Expression, scope: Scope) -> Code:
        """Code of an operand of arithmetic: untyped values are doubles."""
        code = self._at_most_one_atom(expression, scope)
        if code.kind is Kind.UNTYPED:
            function = "to_double" if code.occurs is Occurs.ONE else "optional_double"
            return Code(f"{function}({code.text})", Kind.DOUBLE, code.occurs, raises=True)
        if code.kind not in NUMERIC:
            raise self.refuse(f"{code.kind.name} where a number is expected")
        return code

    def printed(self, expression: Expression, scope: Scope) -> Code:
        """Code of the string that `xsl:value-of` prints: the items separated by a space, text nodes by nothing.

        XSLT 2.0, section 5.7.2.
        """
        code = self.emit_data(expression, scope)
        item = printed_item(code.kind)
        separator = "" if _are_texts(expression) else " "
        match code.occurs:
            case Occurs.ONE:
                text = f"{item}({code.text})" if item else code.text
            case Occurs.OPTIONAL:
                text = f"(apply({item}, {code.text}) or '')" if item else f"({code.text} or '')"
            case Occurs.MANY:
                values = f"map({item}, {code.text})" if item else code.text
                text = f"{separator!r}.join({values})"
        return Code(text, Kind.STRING, Occurs.ONE, code.raises)

    def truth_of(self, expression: Expression, scope: Scope) -> Code:
        """Code of the effective boolean value (XPath 2.0, 2.4.3), as any Python value with that truth."""
        if not self.is_global(expression):
            match expression:
                case Path("context", (*before, Step("child", name, ()))) if is_name(name):
                    base = self.emit(Path("context", tuple(before)), scope)
                    if base.occurs is Occurs.ONE:
                        return truth(f"({base.text}.find({self.module.tag_constant(name)}) is not None)", base)
                case Path("context", (Step("child", "*", ()),)):
                    return truth(f"(len({scope.context}) > 0)")
                case Path("context", (*before, Step("attribute", name, ()))) if is_name(name):
                    base = self.emit(Path("context", tuple(before)), scope)
                    if base.occurs is Occurs.ONE:
                        return truth(f"({base.text}.get({self.module.tag_constant(name)}) is not None)", base)
                case Call("normalize-space", text):
                    return self._is_not_blank(text, scope)
        code = truth_of_code(self.emit(expression, scope))
        if code is None:
            raise self.refuse("effective boolean value of a date")
        return code

    def _arithmetic(self, expression: Arithmetic, scope: Scope) -> Code:
        left, right = self.number_of(expression.left, scope), self.number_of(expression.right, scope)
        operator = expression.operator
        if {left.kind, right.kind} <= EXACT:
            integral = left.kind is right.kind is Kind.INTEGER and operator != "div"
            kind = Kind.INTEGER if integral else Kind.DECIMAL
        else:
            left, right, kind = as_double(left), as_double(right), Kind.DOUBLE
        raises = kind is not Kind.DOUBLE and operator in ("div", "mod")
        function = {
            "div": "divide_doubles" if kind is Kind.DOUBLE else "divide",
            "mod": "modulo_doubles" if kind is Kind.DOUBLE else "modulo",
        }.get(operator) or _OPERATIONS[operator]
        power = power_of_ten(expression.right) if function == "divide" else None
        if power is not None:
            function, right, raises = "divide_by_power_of_ten", Code(str(power), Kind.INTEGER, Occurs.ONE), False
        if left.occurs is Occurs.ONE and right.occurs is Occurs.ONE:
            is_plain = operator in _OPERATIONS
            text = f"({left.text} {operator} {right.text})" if is_plain else f"{function}({left.text}, {right.text})"
            return Code(text, kind, Occurs.ONE, left.raises or right.raises or raises)
        if left.occurs is Occurs.OPTIONAL and right.raises:
            text = f"combine_lazily({function}, {left.text}, lambda: {right.text})"
        else:
            text = f"combine({function}, {left.text}, {right.text})"
        return Code(text, kind, Occurs.OPTIONAL, left.raises or right.raises or raises)

    def _map_number(self, function: str, number: Code) -> Code:
        if number.occurs is Occurs.ONE:
            return number.having(f"{function}({number.text})")
        return number.having(f"apply({function}, {number.text})")

    def _conditional(self, test: Expression, then: Expression, otherwise: Expression, scope: Scope) -> Code:
        condition = self.truth_of(test, scope)
        first, second = self.emit(then, scope), self.emit(otherwise, scope)
        raises = condition.raises or first.raises or second.raises
        if first.kind is second.kind and first.occurs is second.occurs:
            return Code(f"({first.text} if {condition.text} else {second.text})", first.kind, first.occurs, raises)
        both = self._sequence([replace(first, constant=None), replace(second, constant=None)])
        if Occurs.MANY in (first.occurs, second.occurs) or both.kind is Kind.MIXED:
            texts = self.sequence_of(first), self.sequence_of(second)
            occurs = Occurs.MANY
        else:
            texts = first.text, second.text
            occurs = Occurs.OPTIONAL
        return Code(f"({texts[0]} if {condition.text} else {texts[1]})", both.kind, occurs, raises)

    def _loop(self, loop: Loop, scope: Scope) -> Code:
        clauses: list[str] = []
        raises = False
        for name, expression in loop.bindings:
            values = self.emit(expression, scope)
            variable = self.module.fresh("v")
            clauses.append(f"for {variable} in {self.sequence_of(values)}")
            scope = replace(scope.binding(name, Code(variable, values.kind, Occurs.ONE)), once=False)
            raises = raises or values.raises
        if loop.kind != "for":
            test = self.truth_of(loop.body, scope)
            function = "any" if loop.kind == "some" else "all"
            return Code(f"{function}({test.text} {' '.join(clauses)})", Kind.BOOLEAN, Occurs.ONE, raises or test.raises)
        body = self.emit(loop.body, scope)
        raises = raises or body.raises
        if body.occurs is Occurs.ONE:
            return Code(f"[{body.text} {' '.join(clauses)}]", body.kind, Occurs.MANY, raises)
        item = self.module.fresh("v")
        text = f"[{item} {' '.join(clauses)} for {item} in {self.sequence_of(body)}]"
        return Code(text, body.kind, Occurs.MANY, raises)

    def _cast_to_boolean(self, operand: Expression, scope: Scope) -> Code:
        code = self._at_most_one_atom(operand, scope)
        if code.kind is Kind.BOOLEAN and code.occurs is Occurs.ONE:
            return code
        if code.kind not in TEXTUAL:
            raise self.refuse(f"cast of {code.kind.name} as xs:boolean")
        value = code.text if code.occurs is Occurs.ONE else f"required({code.text})"
        return Code(f"to_boolean({value})", Kind.BOOLEAN, Occurs.ONE, raises=True)


def _are_texts(expression: Expression) -> bool:
    match expression:
        case Path(_, (*_, Step("child", "text()"))):
            return True
    return False
