"""VAT: a rate that is in force with its category."""

from collections.abc import Iterator
from decimal import Decimal

from gateway.invoices.model import Invoice
from gateway.kernel.text import Text
from gateway.validation.own.check import Case, OwnCheck, Remark
from gateway.validation.rulebook import Who

STANDARD = "S"
#: UNTDID 5305: zero-rated, exempt, reverse charge, intra-community supply, export, outside the scope.
WITHOUT_TAX = frozenset({"Z", "E", "AE", "K", "G", "O"})

_NOT_IN_FORCE = Text(
    "Le taux {rate} % (BT-119) n’est pas en vigueur en France le {day} ; taux en vigueur : {rates} ({law}).",
    "The rate {rate} % (BT-119) is not in force in France on {day}; rates in force: {rates} ({law}).",
)
_NO_TAX = Text(
    "La catégorie {category} (BT-118) ne porte pas de TVA, mais le taux (BT-119) est de {rate} %.",
    "Category {category} (BT-118) bears no VAT, but the rate (BT-119) is {rate} %.",
)


def find_wrong_rates(case: Case) -> Iterator[Remark]:
    """Rates of the VAT breakdown that are not in force, or that stand with a category without tax.

    An invoice that refers to an earlier one keeps the rate of its time, whatever that was.
    """
    for vat in case.invoice.vat_breakdown:
        if vat.rate is None:
            continue
        if vat.category in WITHOUT_TAX and vat.rate != 0:
            yield Remark(_NO_TAX.format(category=vat.category, rate=_shown(vat.rate)), "BT-119", str(vat.rate))
        if vat.category == STANDARD:
            yield from _not_in_force(case, vat.rate)


def _not_in_force(case: Case, rate: Decimal) -> Iterator[Remark]:
    invoice = case.invoice
    day = invoice.tax_point_date or (invoice.deliver_to and invoice.deliver_to.delivered_on) or invoice.issue_date
    known = case.figures.vat_rates_on(day) if day else None
    if day is None or known is None or invoice.preceding_invoices or not _is_french(invoice) or rate in known.rates:
        return
    listed = ", ".join(_shown(each) for each in sorted(known.rates, reverse=True))
    what = _NOT_IN_FORCE.format(rate=_shown(rate), day=f"{day:%d/%m/%Y}", rates=listed, law=known.law)
    yield Remark(what, "BT-119", str(rate))


def _is_french(invoice: Invoice) -> bool:
    """True when French VAT is charged: by the seller's VAT number, else by its country."""
    seller = invoice.seller
    if seller.vat_id:
        return seller.vat_id.upper().startswith("FR")
    return bool(seller.address and seller.address.country == "FR")


def _shown(rate: Decimal) -> str:
    return f"{rate.normalize():f}"


CHECKS = (
    OwnCheck(
        "GW-07",
        ("BT-118", "BT-119"),
        Text(
            "Le taux de TVA est en vigueur à la date de la facture et convient à sa catégorie.",
            "The VAT rate is in force at the date of the invoice and suits its category.",
        ),
        Text(
            "BR-FR-16 admet tous les taux que la France a connus, 19,6 % compris ; l’acheteur, lui, refuse la facture.",
            "BR-FR-16 allows every rate that France has had, 19.6 % included; the buyer refuses the invoice.",
        ),
        Who.SELLER,
        Text(
            "Corrigez le code de TVA de l’article ou du client, puis recalculez les totaux.",
            "Correct the VAT code of the item or of the customer, then recompute the totals.",
        ),
        find_wrong_rates,
    ),
)
