"""A breach of the schema said in plain French and English: what is wrong, with the value seen, and who mends it how."""

from lxml import etree

from gateway.invoices.errors import quoted
from gateway.kernel.text import Text
from gateway.validation.xsd_faults import Fault, FaultKind

#: Most names that are listed in one sentence.
LISTED = 8

_EXPLANATIONS = {
    FaultKind.MISSING_ELEMENT: Text(
        "Il manque l’élément « {name} » dans « {parent} ».",
        "Element '{name}' is missing from '{parent}'.",
    ),
    FaultKind.UNKNOWN_ELEMENT: Text(
        "L’élément « {name} » n’existe pas à cet endroit, dans « {parent} ».",
        "There is no element '{name}' at this place, in '{parent}'.",
    ),
    FaultKind.REPEATED_ELEMENT: Text(
        "L’élément « {name} » est répété plus souvent que permis dans « {parent} ».",
        "Element '{name}' is repeated more often than allowed in '{parent}'.",
    ),
    FaultKind.MISPLACED_ELEMENT: Text(
        "L’élément « {name} » n’est pas à sa place dans « {parent} » : l’ordre des éléments est imposé.",
        "Element '{name}' is out of place in '{parent}': the order of elements is fixed.",
    ),
    FaultKind.INVALID_VALUE: Text(
        "La valeur « {value} » de « {element} » n’est pas admise.",
        "The value '{value}' of '{element}' is not allowed.",
    ),
    FaultKind.MISSING_ATTRIBUTE: Text(
        "Il manque l’attribut « {name} » de « {element} ».",
        "Attribute '{name}' of '{element}' is missing.",
    ),
    FaultKind.UNKNOWN_ATTRIBUTE: Text(
        "L’attribut « {name} » de « {element} » n’est pas admis.",
        "Attribute '{name}' of '{element}' is not allowed.",
    ),
    FaultKind.OTHER: Text(
        "« {element} » ne respecte pas le schéma. Le contrôleur dit : {message}",
        "'{element}' breaks the schema. The checker says: {message}",
    ),
}

_FIXES = {
    FaultKind.MISSING_ELEMENT: Text("Ajoutez « {name} ».", "Add '{name}'."),
    FaultKind.UNKNOWN_ELEMENT: Text(
        "Retirez « {name} », ou choisissez un profil qui le permet.",
        "Remove '{name}', or choose a profile that allows it.",
    ),
    FaultKind.REPEATED_ELEMENT: Text("N’en gardez que le nombre permis.", "Keep only as many as allowed."),
    FaultKind.MISPLACED_ELEMENT: Text(
        "Replacez « {name} » dans l’ordre du schéma.", "Move '{name}' to its schema order."
    ),
    FaultKind.INVALID_VALUE: Text("Corrigez la valeur de « {element} ».", "Correct the value of '{element}'."),
    FaultKind.MISSING_ATTRIBUTE: Text("Ajoutez l’attribut « {name} ».", "Add attribute '{name}'."),
    FaultKind.UNKNOWN_ATTRIBUTE: Text("Retirez l’attribut « {name} ».", "Remove attribute '{name}'."),
    FaultKind.OTHER: Text("Corrigez « {element} ».", "Correct '{element}'."),
}

#: How a value of each XML Schema type is written.
_TYPES = {
    "date": Text("une date du calendrier au format AAAA-MM-JJ", "a calendar date as YYYY-MM-DD"),
    "time": Text("une heure au format HH:MM:SS", "a time as HH:MM:SS"),
    "dateTime": Text("une date et une heure au format AAAA-MM-JJTHH:MM:SS", "a date and time as YYYY-MM-DDTHH:MM:SS"),
    "decimal": Text("un nombre à point décimal, sans espace", "a number with a decimal point, without spaces"),
    "boolean": Text("« true » ou « false »", "'true' or 'false'"),
    "base64Binary": Text("un contenu codé en base64", "content encoded in base64"),
}

_WHO = Text(
    " Cela revient à l’éditeur ou à l’intégrateur du logiciel qui produit le document.",
    " This is up to the vendor or integrator of the software that produces the document.",
)


def explain(fault: Fault) -> tuple[Text, Text]:
    """What is wrong, and who mends it how."""
    element = _name_of(fault.element)
    holder = fault.element
    if holder is not None and fault.kind is not FaultKind.MISSING_ELEMENT:
        holder = holder.getparent()
    values = {
        "name": fault.name,
        "parent": _name_of(holder),
        "element": element,
        "value": quoted(fault.value),
        "message": fault.message,
    }
    wanted = _wanted(fault)
    what = _EXPLANATIONS[fault.kind].format(**values)
    fix = _FIXES[fault.kind].format(**values)
    return (
        Text(f"{what.fr}{wanted.fr}", f"{what.en}{wanted.en}"),
        Text(f"{fix.fr}{_WHO.fr}", f"{fix.en}{_WHO.en}"),
    )


def _wanted(fault: Fault) -> Text:
    """A sentence on what the schema expects there; empty when it would add nothing."""
    if fault.kind is FaultKind.INVALID_VALUE:
        kind = _TYPES.get(fault.type_name)
        if kind is None:
            return Text(f" Motif : {fault.message}", f" Reason: {fault.message}")
        return Text(f" Il faut {kind.fr}.", f" It must be {kind.en}.")
    if not fault.expected or fault.expected == (fault.name,):
        return Text("", "")
    listed = ", ".join(fault.expected[:LISTED]) + ("…" if len(fault.expected) > LISTED else "")
    return Text(f" Attendu ici : {listed}.", f" Expected here: {listed}.")


def _name_of(element: etree._Element | None) -> str:
    return etree.QName(element).localname if element is not None else ""
