"""The XSD layer: the verdict by libxml2, the explanation of what fails by `xmlschema`."""

from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

from lxml import etree

from gateway.kernel.text import Text
from gateway.validation.catalog import Artefact
from gateway.validation.errors import UnusableSchemaError
from gateway.validation.explanations import explain
from gateway.validation.layers import Outcome, Subject
from gateway.validation.notices import MORE_RULE
from gateway.validation.report import Finding, Severity, make_finding
from gateway.validation.terms import local_names, location_of, terms_at
from gateway.validation.xsd_faults import CONSTRAINTS, Fault, FaultKind

#: Most faults that one report explains; the rest is announced, and shows once these are mended.
MOST_FAULTS = 50


class XsdChecker:
    """Checks documents against the schemas of the catalogue; each schema is compiled once per process."""

    def check(self, subject: Subject, artefact: Artefact) -> Outcome:
        """The breaches of the schema, in the order of the document. Raises UnusableSchemaError."""
        tree = subject.document.tree
        schema = compiled_schema(artefact.file)
        # libxml2's error log belongs to the schema, not to the call: it is copied before another thread may use it.
        with schema.lock:
            if schema.schema.validate(tree):
                return Outcome()
            log: Any = schema.schema.error_log
            refusals = [(entry.path, entry.line, entry.message) for entry in log]
        # Only who meets an invalid document pays for loading xmlschema.
        from gateway.validation.xsd_search import find_faults

        faults = find_faults(artefact.file, tree, refusals, MOST_FAULTS + 1)
        findings = [_finding(fault, artefact) for fault in faults[:MOST_FAULTS]]
        if len(faults) > MOST_FAULTS:
            findings.append(_more_faults(artefact))
        return Outcome(findings)


class CompiledSchema:
    """A schema, and the lock under which its error log is read."""

    def __init__(self, schema_file: Path) -> None:
        parser = etree.XMLParser(no_network=True, resolve_entities=False)
        try:
            self.schema = etree.XMLSchema(etree.parse(str(schema_file), parser))
        except (etree.XMLSyntaxError, etree.XMLSchemaParseError) as error:
            raise UnusableSchemaError(str(schema_file), str(error)) from error
        self.lock = Lock()


#: libxml2 fills its tables of types at the first schema that it compiles: two at once refuse sound schemas.
_compiling = Lock()


def compiled_schema(schema_file: Path) -> CompiledSchema:
    """The schema, compiled once per process. Raises UnusableSchemaError."""
    with _compiling:
        return _compile(schema_file)


@cache
def _compile(schema_file: Path) -> CompiledSchema:
    return CompiledSchema(schema_file)


def _finding(fault: Fault, artefact: Artefact) -> Finding:
    explanation, fix = explain(fault)
    names = local_names(fault.element) if fault.element is not None else []
    if fault.kind is FaultKind.MISSING_ELEMENT:
        names.append(fault.name)
    return make_finding(
        rule=CONSTRAINTS[fault.kind],
        layer=artefact.layer,
        location=location_of(fault.element) if fault.element is not None else "/",
        line=fault.line,
        terms=terms_at(names),
        message=fault.message,
        explanation=explanation,
        fix=fix,
    )


def _more_faults(artefact: Artefact) -> Finding:
    return make_finding(
        rule=MORE_RULE,
        layer=artefact.layer,
        severity=Severity.INFO,
        location="/",
        message=f"only the first {MOST_FAULTS} faults are listed",
        explanation=Text(
            f"Le document comporte d’autres erreurs : seules les {MOST_FAULTS} premières sont listées.",
            f"The document has more errors: only the first {MOST_FAULTS} are listed.",
        ),
        fix=Text(
            "Corrigez les premières, puis validez à nouveau.",
            "Mend the first ones, then validate again.",
        ),
    )
