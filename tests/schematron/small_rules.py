"""Small compiled Schematron files, written as the ISO skeleton writes them, for one rule at a time."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import quoteattr

_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<xsl:stylesheet version="2.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"
    xmlns:svrl="http://purl.oclc.org/dsdl/svrl" xmlns:xs="http://www.w3.org/2001/XMLSchema"
    xmlns:p="urn:p" xmlns:f="urn:f">
<xsl:output method="xml"/>
<xsl:template match="*" mode="schematron-select-full-path">
  <xsl:apply-templates select="." mode="schematron-get-full-path"/>
</xsl:template>
<xsl:template match="*" mode="schematron-get-full-path">
  <xsl:apply-templates select="parent::*" mode="schematron-get-full-path"/>
  <xsl:text>/</xsl:text>
  <xsl:choose>
    <xsl:when test="namespace-uri()=''"><xsl:value-of select="name()"/></xsl:when>
    <xsl:otherwise>
      <xsl:text>*:</xsl:text><xsl:value-of select="local-name()"/><xsl:text>[namespace-uri()='</xsl:text>
      <xsl:value-of select="namespace-uri()"/><xsl:text>']</xsl:text>
    </xsl:otherwise>
  </xsl:choose>
  <xsl:variable name="preceding" select="count(preceding-sibling::*[local-name()=local-name(current())
      and namespace-uri() = namespace-uri(current())])"/>
  <xsl:text>[</xsl:text><xsl:value-of select="1+ $preceding"/><xsl:text>]</xsl:text>
</xsl:template>
<xsl:template match="text()" priority="-1"/>
"""


@dataclass(frozen=True)
class SmallRule:
    """`checks` are (id, test, expressions printed in the message); `more` is XSLT put at the head of the template."""

    context: str
    checks: Sequence[tuple[str, str, Sequence[str]]]
    kind: str = "assert"
    descends: bool = True
    more: str = ""


def write_rules(path: Path, patterns: Iterable[Sequence[SmallRule]], top: str = "") -> Path:
    """Write a stylesheet of these patterns to `path`; `top` is XSLT put at its top level."""
    patterns = list(patterns)
    calls = "".join(f'<xsl:apply-templates select="/" mode="M{number}"/>' for number in range(len(patterns)))
    body = [
        _HEAD,
        top,
        f'<xsl:template match="/"><svrl:schematron-output>{calls}</svrl:schematron-output></xsl:template>',
    ]
    for number, rules in enumerate(patterns):
        mode = f"M{number}"
        for rank, rule in enumerate(rules):
            body.append(
                f'<xsl:template match={quoteattr(rule.context)} priority="{1000 + len(rules) - rank}" mode="{mode}">'
                f"<svrl:fired-rule context={quoteattr(rule.context)}/>{rule.more}"
            )
            body.extend(_check(rule.kind, *check) for check in rule.checks)
            if rule.descends:
                body.append(f'<xsl:apply-templates select="*" mode="{mode}"/>')
            body.append("</xsl:template>")
        body.append(f'<xsl:template match="text()" priority="-1" mode="{mode}"/>')
        body.append(f'<xsl:template match="@*|node()" priority="-2" mode="{mode}">')
        body.append(f'<xsl:apply-templates select="*" mode="{mode}"/></xsl:template>')
    path.write_text("\n".join([*body, "</xsl:stylesheet>"]), encoding="utf-8")
    return path


def _check(kind: str, rule: str, test: str, printed: Sequence[str]) -> str:
    values = "|".join(f"<xsl:value-of select={quoteattr(expression)}/>" for expression in printed)
    tag = "failed-assert" if kind == "assert" else "successful-report"
    outcome = (
        f"<svrl:{tag} test={quoteattr(test.replace('{', '{{').replace('}', '}}'))}>"
        f'<xsl:attribute name="id">{rule}</xsl:attribute><xsl:attribute name="flag">fatal</xsl:attribute>'
        '<xsl:attribute name="location"><xsl:apply-templates select="." mode="schematron-select-full-path"/>'
        f"</xsl:attribute><svrl:text>[{rule}] {values}</svrl:text></svrl:{tag}>"
    )
    if kind == "report":
        return f"<xsl:if test={quoteattr(test)}>{outcome}</xsl:if>"
    return f"<xsl:choose><xsl:when test={quoteattr(test)}/><xsl:otherwise>{outcome}</xsl:otherwise></xsl:choose>"
