"""What can break a schema, in the terms of the person who mends it."""

from dataclasses import dataclass
from enum import StrEnum

from lxml import etree


class FaultKind(StrEnum):
    """What is wrong."""

    MISSING_ELEMENT = "missing element"
    UNKNOWN_ELEMENT = "unknown element"
    REPEATED_ELEMENT = "repeated element"
    MISPLACED_ELEMENT = "misplaced element"
    INVALID_VALUE = "invalid value"
    MISSING_ATTRIBUTE = "missing attribute"
    UNKNOWN_ATTRIBUTE = "unknown attribute"
    OTHER = "other"


#: The constraint of XML Schema 1.0 part 1 (appendix C) or part 2 that each kind of fault breaks.
CONSTRAINTS = {
    FaultKind.MISSING_ELEMENT: "cvc-complex-type.2.4.b",
    FaultKind.UNKNOWN_ELEMENT: "cvc-complex-type.2.4.a",
    FaultKind.REPEATED_ELEMENT: "cvc-complex-type.2.4.d",
    FaultKind.MISPLACED_ELEMENT: "cvc-complex-type.2.4.a",
    FaultKind.INVALID_VALUE: "cvc-datatype-valid.1",
    FaultKind.MISSING_ATTRIBUTE: "cvc-complex-type.4",
    FaultKind.UNKNOWN_ATTRIBUTE: "cvc-complex-type.3.2",
    FaultKind.OTHER: "cvc-elt",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One breach of the schema.

    Attributes:
        element: the element concerned; for a missing child or attribute, the one that lacks it.
        line: its line in the XML; None when not known.
        message: what the checking library says.
        name: local name of the missing, unknown, repeated or misplaced element or attribute.
        value: the value seen, for an invalid value.
        expected: local names of the elements that the schema wants there.
        type_name: the XML Schema type of an invalid value, such as "date".
    """

    kind: FaultKind
    element: etree._Element | None
    line: int | None
    message: str
    name: str = ""
    value: str = ""
    expected: tuple[str, ...] = ()
    type_name: str = ""
