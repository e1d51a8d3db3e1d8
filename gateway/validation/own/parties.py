"""Seller and buyer are two."""

from collections.abc import Iterator

from gateway.kernel.text import Text
from gateway.validation.own.check import Case, OwnCheck, Remark
from gateway.validation.rulebook import Who

_SAME_SIREN = Text(
    "Le vendeur et l’acheteur sont la même entreprise (SIREN {value}).",
    "Seller and buyer are the same company (SIREN {value}).",
)
_SAME_VAT_ID = Text(
    "Le vendeur et l’acheteur sont la même entreprise (TVA {value}).",
    "Seller and buyer are the same company (VAT number {value}).",
)


def find_same_party(case: Case) -> Iterator[Remark]:
    """An invoice to oneself, by SIREN, else by VAT number."""
    seller, buyer = case.invoice.seller, case.invoice.buyer
    if seller.siren and seller.siren == buyer.siren:
        yield Remark(_SAME_SIREN.format(value=seller.siren), "BT-47", buyer.siren)
    elif seller.vat_id and seller.vat_id == buyer.vat_id:
        yield Remark(_SAME_VAT_ID.format(value=seller.vat_id), "BT-48", buyer.vat_id)


CHECKS = (
    OwnCheck(
        "GW-09",
        ("BT-30", "BT-47", "BT-31", "BT-48"),
        Text("Le vendeur n’est pas l’acheteur.", "The seller is not the buyer."),
        Text(
            "Aucune règle officielle ne compare les parties ; une telle facture n’a pas de payeur et fausse l’encours.",
            "No official rule compares the parties; such an invoice has no payer and distorts the receivables.",
        ),
        Who.SELLER,
        Text("Corrigez la partie choisie par erreur.", "Correct the party that was chosen by mistake."),
        find_same_party,
    ),
)
