"""Expressions printed side by side: by the engine and by Saxon, from one stylesheet."""

from pathlib import Path

from lxml import etree

from gateway.schematron import load_rules
from tests.schematron.oracle import Saxon
from tests.schematron.small_rules import SmallRule, write_rules


class Printer:
    """A rule whose message prints expressions over the elements that `context` matches."""

    def __init__(self, folder: Path, saxon: Saxon, expressions: list[str], context: str = "x") -> None:
        self.path = write_rules(folder / "print.xsl", [[SmallRule(context, [("R", "false()", expressions)])]])
        self.rules = load_rules(self.path, folder)
        self.expressions = expressions
        self.saxon = saxon

    def agree(self, root: etree._Element) -> None:
        """Fail, naming the expressions, unless both print the same on every context element."""
        expected = self.saxon.findings(self.path, etree.tostring(root))
        assert not isinstance(expected, str), expected
        ours = [finding.message for finding in self.rules.check(root)]
        theirs = [str(row[-1]) for row in expected]
        assert len(ours) == len(theirs)
        for mine, other in zip(ours, theirs, strict=True):
            pairs = zip(self.expressions, mine[4:].split("|"), other[4:].split("|"), strict=True)
            different = [pair for pair in pairs if pair[1] != pair[2]]
            assert not different, different
