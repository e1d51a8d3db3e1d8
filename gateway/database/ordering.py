"""The order of names, the same whatever the collations of the server."""

from typing import Any

from sqlalchemy import ColumnElement, collate, func, text

#: The decomposition that leaves accents as characters of their own.
_NFKD = text("NFKD")
_ACCENTS = "[\u0300-\u036f]"


def dictionary_order(column: Any) -> ColumnElement[str]:
    """What a French dictionary sorts a name by: its letters without accents, in any case, œ as oe and æ as ae."""
    letters = func.regexp_replace(func.normalize(column, _NFKD), _ACCENTS, "", "g")
    for ligature, two in (("œ", "oe"), ("Œ", "oe"), ("æ", "ae"), ("Æ", "ae")):
        letters = func.replace(letters, ligature, two)
    return collate(func.lower(letters), "C")
