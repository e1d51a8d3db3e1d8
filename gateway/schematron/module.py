"""The Python module being written: its constants, its remembered values, its functions."""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

from gateway.schematron.code import Code
from gateway.schematron.errors import UnsupportedConstructError


class Module:
    """Collects the parts of one generated module; equal parts are written once.

    A value that depends on the document alone is remembered: computed at its first use, kept in the `memo` of the
    check. A first run of the generator counts the uses, so that the second remembers only what is used again.

    Attributes:
        where: what is being compiled, for the error of an unsupported construct.
        uses: how often each value was asked for.
    """

    def __init__(self, namespaces: dict[str, str], uses: Counter[object] | None = None) -> None:
        self._namespaces = namespaces
        self._known_uses = uses
        self.where = ""
        self.uses: Counter[object] = Counter()
        self._constants: dict[tuple[str, str], str] = {}
        self._remembered: dict[object, Code] = {}
        self._functions: list[str] = []
        self._fresh = 0

    def fresh(self, prefix: str = "n") -> str:
        """A Python name not used before."""
        self._fresh += 1
        return f"{prefix}{self._fresh}"

    def constant(self, prefix: str, source: str) -> str:
        """Name of the module constant whose value is the Python expression `source`."""
        key = (prefix, source)
        name = self._constants.get(key)
        if name is None:
            name = self._constants[key] = f"{prefix}_{len(self._constants)}"
        return name

    def tag(self, name: str) -> str:
        """`{namespace}local` of a qualified name; a name without prefix is in no namespace."""
        prefix, colon, local = name.partition(":")
        if not colon:
            return name
        if prefix not in self._namespaces:
            raise UnsupportedConstructError(f"prefix {prefix} without a namespace", self.where)
        return f"{{{self._namespaces[prefix]}}}{local}"

    def tag_constant(self, name: str) -> str:
        """Name of the constant that holds the tag of a qualified name."""
        return self.constant("TAG_" + re.sub(r"\W", "_", name), repr(self.tag(name)))

    def path_constant(self, names: tuple[str, ...]) -> str:
        """Name of the constant that holds a path: tags joined with one space, as `Document` keys them."""
        return self.constant("PATH", repr(" ".join(map(self.tag, names))))

    def decimal_constant(self, value: Decimal) -> str:
        """Name of a decimal constant."""
        return self.constant("DECIMAL", repr(value))

    def function(self, source: str) -> None:
        """Add a function to the module."""
        self._functions.append(source)

    def remember(self, key: object, once: bool, build: Callable[[], Code]) -> Code:
        """Code that computes a value of the document at its first use and remembers it under `key`."""
        self.uses[key] += 1 if once else 2
        known = self._remembered.get(key)
        if known is not None:
            return known
        code = build()
        if code.is_cheap or (self._known_uses is not None and self._known_uses[key] == 1):
            return code
        slot = len(self._remembered)
        self.function(f"def value_{slot}(doc, memo):\n    memo[{slot}] = value = {code.text}\n    return value\n")
        text = f"(memo[{slot}] if {slot} in memo else value_{slot}(doc, memo))"
        self._remembered[key] = remembered = replace(code.having(text), is_cheap=True)
        return remembered

    def source(self) -> str:
        """Constants and functions as Python source."""
        constants = "".join(f"{name} = {source}\n" for (_, source), name in self._constants.items())
        return f"{constants}\n\n" + "\n\n".join(self._functions)
