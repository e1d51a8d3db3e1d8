"""Paths to Python.

A path is compiled as its shorter prefix followed by one step or one predicate, so that every prefix that depends on
the document alone is computed once per document. A chain of names from the root, or after `//`, is one look-up in
the document's index. A predicate `key = value` on nodes of the document becomes a look-up in a dictionary of those
nodes by key: this is what keeps rules that search the whole invoice from each line linear.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

from gateway.schematron.analysis import CONTEXT, dependencies, is_name, lookup_names
from gateway.schematron.code import EXACT, NUMERIC, TEXTUAL, Code, Kind, Occurs, Scope
from gateway.schematron.errors import UnsupportedConstructError
from gateway.schematron.rewriting import distributed_union, lengthened_union
from gateway.schematron.xpath_ast import (
    ANY_NODE,
    Comparison,
    Expression,
    Filter,
    Literal,
    Logical,
    Path,
    Step,
    Union,
)

if TYPE_CHECKING:
    from gateway.schematron.expressions import Compiler


def compile_path(compiler: "Compiler", path: Path, scope: Scope) -> Code:
    """Code of a path: its nodes in document order, or its atoms when its last step computes atoms."""
    match path:
        case Path("context", (Filter() as first,)):
            return _filtered(compiler, first, scope)
        case Path("context", (Filter(Union(operands), ()), *rest)):
            longer = lengthened_union(operands, tuple(rest))
            if longer is not None:
                return compiler.emit(longer, scope)
    if not path.steps:
        return _anchor(path, scope)
    listed = _indexed(compiler, path)
    if listed is not None:
        return listed
    distributed = distributed_union(path)
    if distributed is not None:
        return compiler.emit(distributed, scope)
    *before, last = path.steps
    if last.predicates:
        return _predicated(compiler, path, scope)
    if isinstance(last, Filter):
        return _each(compiler, Path(path.anchor, tuple(before)), last.base, scope)
    if last.axis == "child" and before and before[-1] == ANY_NODE:
        return _descendants(compiler, Path(path.anchor, tuple(before[:-1])), last.test, scope)
    if last.axis == "attribute" and path.anchor == "document" and tuple(before) == (ANY_NODE,):
        name = compiler.module.tag_constant(last.test)
        return Code(f"with_attribute(doc, {name})", Kind.NODE, Occurs.MANY)
    return _step(compiler, Path(path.anchor, tuple(before)), last, scope)


def _anchor(path: Path, scope: Scope) -> Code:
    match path.anchor:
        case "document":
            text = "doc.node"
        case "root":
            text = "doc.root"
        case _:
            text = scope.context
    return Code(text, Kind.NODE, Occurs.ONE)


def _indexed(compiler: "Compiler", path: Path) -> Code | None:
    """A look-up in the index for a chain of names from an anchor other than the context, or None."""
    names = lookup_names(path)
    if names is None:
        return None
    key = compiler.module.path_constant(names)
    if path.steps[0] == ANY_NODE:
        text = f"doc.ending({key})"
    else:
        text = f"doc.{'below' if path.anchor == 'root' else 'paths'}.get({key}, NO_NODES)"
    return Code(text, Kind.NODE, Occurs.MANY)


def _filtered(compiler: "Compiler", first: Filter, scope: Scope) -> Code:
    """`(expression)[predicate]`."""
    if not first.predicates:
        return compiler.emit(first.base, scope)
    *before, predicate = first.predicates
    base_expression = _wrap(first.base, tuple(before))
    base = compiler.emit(base_expression, scope)
    return _apply_predicate(compiler, base_expression, base, predicate, scope)


def _wrap(base: Expression, predicates: tuple[Expression, ...]) -> Expression:
    return Path("context", (Filter(base, predicates),)) if predicates else base


def _predicated(compiler: "Compiler", path: Path, scope: Scope) -> Code:
    """The last predicate of the last step, on the path without it."""
    *before, last = path.steps
    *others, predicate = last.predicates
    bare = replace(last, predicates=tuple(others))
    shorter = Path(path.anchor, (*before, bare))
    position = _position(predicate)
    if position is not None and before:
        return _positioned(compiler, Path(path.anchor, tuple(before)), bare, position, scope)
    match bare:
        case Step("child", name, ()) if position == 1 and path.anchor == "context" and is_name(name):
            text = f"{scope.context}.find({compiler.module.tag_constant(name)})"
            return Code(text, Kind.NODE, Occurs.OPTIONAL)
    return _apply_predicate(compiler, shorter, compiler.emit(shorter, scope), predicate, scope)


def _position(predicate: Expression) -> int | None:
    """The number of a predicate such as `[1]`."""
    match predicate:
        case Literal(int() as position):
            return position
    return None


def _positioned(compiler: "Compiler", before: Path, step: Step | Filter, position: int, scope: Scope) -> Code:
    """`before/step[n]`: the n-th of each node's own."""
    if before.steps[-1] == ANY_NODE:
        if not isinstance(step, Step) or step.axis != "child" or step.predicates or position != 1:
            raise UnsupportedConstructError("position after //", compiler.where)
        every = compiler.emit(Path(before.anchor, (*before.steps, step)), scope)
        node, tag = compiler.module.fresh(), compiler.module.tag_constant(step.test)
        return every.having(f"[{node} for {node} in {every.text} if doc.parents[{node}].find({tag}) is {node}]")
    base = compiler.emit(before, scope)
    if base.occurs is Occurs.ONE:
        relative = compiler.emit(Path(before.anchor, (*before.steps, step)), scope)
        return _nth(relative, position)
    node = compiler.module.fresh()
    inner = compiler.emit(Path("context", (step,)), scope.at(node))
    return _flattened(compiler, base, node, _nth(inner, position))


def _nth(code: Code, position: int) -> Code:
    match code.occurs:
        case Occurs.MANY:
            return code.having(f"{code.text}[{position - 1}:{position}]")
        case _ if position == 1:
            return code
        case _:
            return code.having("()", occurs=Occurs.MANY)


def _apply_predicate(
    compiler: "Compiler", base_expression: Expression, base: Code, predicate: Expression, scope: Scope
) -> Code:
    position = _position(predicate)
    if position is not None:
        return _nth(base, position)
    if isinstance(predicate, Logical) and predicate.operator == "and":
        narrower = _with_predicate(base_expression, predicate.left)
        base = compiler.emit(narrower, scope)
        return _apply_predicate(compiler, narrower, base, predicate.right, scope)
    if base.kind is not Kind.NODE:
        raise UnsupportedConstructError(f"predicate on {base.kind.name}", compiler.where)
    looked_up = _looked_up(compiler, base_expression, base, predicate, scope)
    if looked_up is not None:
        return looked_up
    node = compiler.module.fresh()
    inner = scope.at(node, is_element=_yields_elements(base_expression))
    code = compiler.emit(predicate, inner)
    if code.kind in NUMERIC:
        raise UnsupportedConstructError("computed position in a predicate", compiler.where)
    test = compiler.truth_of(predicate, inner)
    text = f"[{node} for {node} in {nodes_text(base)} if {test.text}]"
    return Code(text, Kind.NODE, Occurs.MANY, base.raises or test.raises)


def _with_predicate(expression: Expression, predicate: Expression) -> Path:
    match expression:
        case Path(anchor, (*before, last)):
            return Path(anchor, (*before, replace(last, predicates=(*last.predicates, predicate))))
    return Path("context", (Filter(expression, (predicate,)),))


def _yields_elements(expression: Expression) -> bool:
    """Whether the nodes are certainly elements: neither attributes, nor texts, nor the document node."""
    match expression:
        case Path(_, (*_, Step("child", test))):
            return test != "text()"
        case Path(_, (Filter(Union(operands)),)) | Union(operands):
            return all(map(_yields_elements, operands))
    return False


def nodes_text(code: Code) -> str:
    """Nodes as a sequence."""
    match code.occurs:
        case Occurs.ONE:
            return f"({code.text},)"
        case Occurs.OPTIONAL:
            return f"optional_list({code.text})"
        case Occurs.MANY:
            return code.text


def _looked_up(
    compiler: "Compiler", base_expression: Expression, base: Code, predicate: Expression, scope: Scope
) -> Code | None:
    """`base[key = value]` as a look-up by key, when `base` and `key` do not depend on where the rule stands."""
    if base.occurs is not Occurs.MANY or not compiler.is_global(base_expression):
        return None
    match predicate:
        case Comparison("eq", left, right, True):
            pass
        case _:
            return None
    for key, value in ((left, right), (right, left)):
        if compiler.free(key) == {CONTEXT} and CONTEXT not in dependencies(value):
            break
    else:
        return None
    node = compiler.module.fresh()
    key_code = compiler.emit_data(key, Scope(node, is_element=_yields_elements(base_expression)))
    value_code = compiler.emit_data(value, scope)
    comparable = (key_code.kind in TEXTUAL and value_code.kind in TEXTUAL) or (
        key_code.kind in EXACT and value_code.kind in EXACT
    )
    if not comparable:
        return None
    builder = "by_keys" if key_code.occurs is Occurs.MANY else "by_key"

    def index() -> Code:
        text = f"{builder}({base.text}, lambda {node}: {key_code.text})"
        return Code(text, Kind.NODE, Occurs.MANY, base.raises or key_code.raises)

    remembered = compiler.module.remember(("index", base_expression, key), False, index)
    raises = remembered.raises or value_code.raises
    if value_code.occurs is Occurs.MANY:
        return Code(f"with_keys(doc, {remembered.text}, {value_code.text})", Kind.NODE, Occurs.MANY, raises)
    text = f"{remembered.text}.get({value_code.text}, NO_NODES)"
    return Code(text, Kind.NODE, Occurs.MANY, raises, is_cheap=value_code.constant is not None)


def _each(compiler: "Compiler", before: Path, expression: Expression, scope: Scope) -> Code:
    """`before/expression`, the expression evaluated on each node."""
    base = compiler.emit(before, scope)
    if base.kind is not Kind.NODE:
        raise UnsupportedConstructError(f"step after {base.kind.name}", compiler.where)
    node = compiler.module.fresh()
    inner = compiler.emit(expression, scope.at(node, is_element=_yields_elements(before)))
    if inner.kind is Kind.NODE and isinstance(expression, Path | Union):
        flat = _flattened(compiler, base, node, inner)
        if any(isinstance(step, Step) and step.axis not in ("child", "attribute") for step in _steps(expression)):
            return flat.having(f"in_document_order(doc, {flat.text})")
        return flat
    return _flattened(compiler, base, node, inner)


def _steps(expression: Expression) -> tuple[Step | Filter, ...]:
    match expression:
        case Path(_, steps):
            return steps
        case Union(operands):
            return tuple(step for operand in operands for step in _steps(operand))
    return ()


def _flattened(compiler: "Compiler", base: Code, node: str, inner: Code) -> Code:
    """`inner` of every `node` of `base`, one after the other."""
    source = nodes_text(base)
    raises = base.raises or inner.raises
    if inner.occurs is Occurs.ONE:
        return Code(f"[{inner.text} for {node} in {source}]", inner.kind, Occurs.MANY, raises)
    if inner.occurs is Occurs.OPTIONAL:
        return Code(f"not_missing({inner.text} for {node} in {source})", inner.kind, Occurs.MANY, raises)
    item = compiler.module.fresh()
    return Code(f"[{item} for {node} in {source} for {item} in {inner.text}]", inner.kind, Occurs.MANY, raises)


def _descendants(compiler: "Compiler", before: Path, test: str, scope: Scope) -> Code:
    """`before//test`."""
    base = compiler.emit(before, scope)
    if test == "*":
        if before != Path("document", ()):
            raise UnsupportedConstructError("//* below a node", compiler.where)
        return Code("list(doc.root.iter())", Kind.NODE, Occurs.MANY)
    if test == "text()":
        return base.having(f"texts_below({nodes_text(base)})", occurs=Occurs.MANY)
    if not is_name(test):
        raise UnsupportedConstructError(f"//{test}", compiler.where)
    tag = compiler.module.tag_constant(test)
    if base.occurs is Occurs.ONE:
        return base.having(f"descendants({base.text}, {tag})", occurs=Occurs.MANY)
    node = compiler.module.fresh()
    found = f"{node}_{node} for {node} in {nodes_text(base)} for {node}_{node} in descendants({node}, {tag})"
    return base.having(f"doc.in_order({found})", occurs=Occurs.MANY)


def _step(compiler: "Compiler", before: Path, step: Step, scope: Scope) -> Code:
    """`before/axis::test`."""
    base = compiler.emit(before, scope)
    if base.kind is not Kind.NODE:
        raise UnsupportedConstructError(f"step after {base.kind.name}", compiler.where)
    match step.axis, step.test:
        case "self", "node()":
            return base
        case "child", test:
            return _child_step(compiler, base, before, test)
        case "attribute", name if is_name(name):
            return _attribute_step(compiler, base, name)
        case "parent", "node()":
            return _parent_step(base, before, scope)
        case "self" | "ancestor" | "preceding" | "parent" as axis, name if is_name(name):
            return _named_step(compiler, base, before, axis, name, scope)
    raise UnsupportedConstructError(f"step {step.axis}::{step.test}", compiler.where)


def _child_step(compiler: "Compiler", base: Code, before: Path, test: str) -> Code:
    if test in ("*", "text()"):
        function = "all_children" if test == "*" else "texts"
        return base.having(f"{function}({nodes_text(base)})", occurs=Occurs.MANY)
    if test.endswith(":*"):
        namespace = compiler.module.tag(test).removesuffix("*")
        return base.having(f"in_namespace(all_children({nodes_text(base)}), {namespace!r})", occurs=Occurs.MANY)
    if not is_name(test):
        raise UnsupportedConstructError(f"step child::{test}", compiler.where)
    tag = compiler.module.tag_constant(test)
    match base.occurs:
        case Occurs.ONE:
            text = f"{base.text}.findall({tag})"
        case Occurs.OPTIONAL:
            text = f"children_of_optional({base.text}, {tag})"
        case Occurs.MANY if any(isinstance(step, Step) and step.axis.startswith("descendant") for step in before.steps):
            text = f"doc.children_in_order({base.text}, {tag})"
        case Occurs.MANY:
            text = f"children({base.text}, {tag})"
    return base.having(text, occurs=Occurs.MANY)


def _attribute_step(compiler: "Compiler", base: Code, name: str) -> Code:
    tag = compiler.module.tag_constant(name)
    if base.occurs is Occurs.ONE:
        return base.having(f"attribute({base.text}, {tag})", occurs=Occurs.OPTIONAL)
    return base.having(f"attributes({nodes_text(base)}, {tag})", occurs=Occurs.MANY)


def _parent_step(base: Code, before: Path, scope: Scope) -> Code:
    if base.occurs is Occurs.MANY:
        return base.having(f"parents(doc, {base.text})")
    if before == Path("context", ()) and scope.is_element:
        return base.having(f"doc.parents[{base.text}]")
    return base.having(f"parent(doc, {base.text})", occurs=Occurs.OPTIONAL)


def _named_step(compiler: "Compiler", base: Code, before: Path, axis: str, name: str, scope: Scope) -> Code:
    tag = compiler.module.tag_constant(name)
    if axis == "parent":
        above = _parent_step(base, before, scope)
        node = compiler.module.fresh()
        text = f"[{node} for {node} in {nodes_text(above)} if {node}.tag == {tag}]"
        return base.having(text, occurs=Occurs.MANY)
    if axis == "self" and base.occurs is Occurs.ONE:
        return base.having(f"named({base.text}, {tag})", occurs=Occurs.OPTIONAL)
    if base.occurs is Occurs.ONE:
        function = "ancestors" if axis == "ancestor" else "preceding"
        return base.having(f"{function}(doc, {base.text}, {tag})", occurs=Occurs.MANY)
    if axis == "self":
        node = compiler.module.fresh()
        text = f"[{node} for {node} in {nodes_text(base)} if {node}.tag == {tag}]"
        return base.having(text, occurs=Occurs.MANY)
    raise UnsupportedConstructError(f"{axis}::{name} of several nodes", compiler.where)
