"""The rule names of a report that no publisher gave: work left undone, breaches that have no official id."""

from gateway.kernel.text import Text
from gateway.validation.rulebook import RuleExplanation, Who

#: Rule of the finding that says that the rules stopped before their end: by a limit, by an error of the document.
LIMIT_RULE = "GW-LIMIT"
STOPPED_RULE = "GW-STOPPED"
#: Rule of the finding that says that there are more faults than the report lists.
MORE_RULE = "GW-MORE"
#: Beginning of the rule of what a Factur-X profile does not use; the last two names of the place follow.
NOT_USED_RULE = "FX-NOT-USED"

NOTICES = (
    RuleExplanation(
        LIMIT_RULE,
        Text(
            "Ce n’est pas une règle : les contrôles de ce document se sont arrêtés à une limite de durée ou de nombre "
            "de constats ; les règles suivantes n’ont pas été contrôlées et la couche compte comme échouée.",
            "This is no rule: the checks of this document stopped at a limit of time or of findings; the rules after "
            "it were not checked, and the layer counts as failed.",
        ),
        (),
        Who.SOFTWARE,
        Text(
            "Corrigez ce qui a été trouvé, ou relevez GATEWAY_VALIDATION_MAX_SECONDS ou "
            "GATEWAY_VALIDATION_MAX_FINDINGS.",
            "Mend what was found, or raise GATEWAY_VALIDATION_MAX_SECONDS or GATEWAY_VALIDATION_MAX_FINDINGS.",
        ),
    ),
    RuleExplanation(
        STOPPED_RULE,
        Text(
            "Ce n’est pas une règle : une règle officielle n’a pas pu être évaluée sur ce document, le plus souvent à "
            "cause d’une valeur qui n’est pas du type attendu ou d’un élément répété ; les suivantes n’ont pas été "
            "contrôlées et la couche compte comme échouée.",
            "This is no rule: an official rule could not be evaluated on this document, mostly because of a value of "
            "another type than expected or of a repeated element; those after it were not checked, and the layer "
            "counts as failed.",
        ),
        (),
        Who.SOFTWARE,
        Text(
            "Corrigez la valeur à l’endroit que le constat nomme, puis validez à nouveau.",
            "Correct the value at the place that the finding names, then validate again.",
        ),
    ),
    RuleExplanation(
        MORE_RULE,
        Text(
            "Ce n’est pas une règle : le document comporte plus d’erreurs de schéma que le rapport n’en liste.",
            "This is no rule: the document has more faults of its schema than the report lists.",
        ),
        (),
        Who.SOFTWARE,
        Text("Corrigez les premières, puis validez à nouveau.", "Mend the first ones, then validate again."),
    ),
)

#: Names that a report completes with what it found; they are explained by their beginning.
FAMILIES = (
    RuleExplanation(
        NOT_USED_RULE,
        Text(
            "Un document Factur-X ne contient que ce que son profil (BT-24) prévoit à cet endroit. Ces règles "
            "officielles n’ont pas d’identifiant : la passerelle les nomme d’après les deux derniers éléments du "
            "chemin.",
            "A Factur-X document holds only what its profile (BT-24) has at that place. These official rules have no "
            "id: the gateway names them after the last two elements of the path.",
        ),
        ("BT-24",),
        Who.SOFTWARE,
        Text(
            "Retirez l’élément, ou déclarez un profil qui le prévoit.",
            "Remove the element, or claim a profile that has it.",
        ),
    ),
    RuleExplanation(
        "cvc",
        Text(
            "Le document respecte son schéma XSD : éléments attendus, dans l’ordre, avec des valeurs du bon type. Ces "
            "noms sont ceux des contraintes de la recommandation XML Schema 1.0 du W3C.",
            "The document keeps to its XSD schema: the elements expected, in order, with values of the right type. "
            "These names are those of the constraints of the W3C recommendation XML Schema 1.0.",
        ),
        (),
        Who.SOFTWARE,
        Text(
            "Corrigez l’élément que le constat nomme ; il dit ce que le schéma attend à cet endroit.",
            "Correct the element that the finding names; it says what the schema expects there.",
        ),
    ),
)
