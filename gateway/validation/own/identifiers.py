"""SIREN, SIRET and VAT numbers: right by themselves, and of one and the same company."""

from collections.abc import Iterator

from stdnum.eu import vat as eu_vat

from gateway.invoices.parties import SIREN_DIGITS, Party
from gateway.invoices.terms import Identifier
from gateway.kernel.identifiers import SCHEME_SIREN, SCHEME_SIRET, is_siren, is_siret
from gateway.kernel.text import Text
from gateway.validation.own.check import Case, OwnCheck, Remark
from gateway.validation.rulebook import Who

#: Prefixes of VAT numbers in the Union, Northern Ireland (XI) included; Greece writes EL.
_MEMBERS = frozenset(code.upper() for code in eu_vat.MEMBER_STATES) | {"EL"}

_WRONG_KEY = Text(
    "Le {kind} « {value} » ({term}) n’existe pas : sa clé de contrôle est fausse.",
    "The {kind} '{value}' ({term}) does not exist: its check digit is wrong.",
)
_OTHER_COMPANY = Text(
    "Le {kind} « {value} » ({term}) n’est pas celui du SIREN {siren}.",
    "The {kind} '{value}' ({term}) is not that of SIREN {siren}.",
)
_WRONG_VAT = Text(
    "Le numéro de TVA « {value} » ({term}) n’existe pas : sa forme ou sa clé est fausse.",
    "The VAT number '{value}' ({term}) does not exist: its form or its check digits are wrong.",
)


def _identifiers(case: Case) -> Iterator[tuple[str, Identifier]]:
    """Every company identifier with its term."""
    invoice = case.invoice
    for party, legal, other in ((invoice.seller, "BT-30", "BT-29"), (invoice.buyer, "BT-47", "BT-46")):
        yield from _of(party.legal_id, party.identifiers, legal, other)
    if invoice.payee:
        yield from _of(invoice.payee.legal_id, invoice.payee.identifiers, "BT-61", "BT-60")
    if invoice.deliver_to and invoice.deliver_to.location:
        yield "BT-71", invoice.deliver_to.location


def _of(
    legal: Identifier | None, others: tuple[Identifier, ...], legal_term: str, other_term: str
) -> Iterator[tuple[str, Identifier]]:
    if legal:
        yield legal_term, legal
    yield from ((other_term, identifier) for identifier in others)


def find_wrong_keys(case: Case) -> Iterator[Remark]:
    """SIREN (scheme 0002) and SIRET (scheme 0009) whose Luhn key is wrong."""
    for term, identifier in _identifiers(case):
        value = identifier.value
        wrong_siren = identifier.scheme == SCHEME_SIREN and not is_siren(value)
        wrong_siret = identifier.scheme == SCHEME_SIRET and not is_siret(value)
        if wrong_siren or wrong_siret:
            kind = "SIREN" if wrong_siren else "SIRET"
            yield Remark(_WRONG_KEY.format(kind=kind, value=value, term=term), term, value)


def find_other_companies(case: Case) -> Iterator[Remark]:
    """SIRET and French VAT numbers that belong to another SIREN than the party's own."""
    yield from _other_company(case.invoice.seller, "BT-29", "BT-31")
    yield from _other_company(case.invoice.buyer, "BT-46", "BT-48")


def _other_company(party: Party, siret_term: str, vat_term: str) -> Iterator[Remark]:
    siren = party.legal_id.value if party.legal_id and party.legal_id.scheme == SCHEME_SIREN else None
    if siren is None:
        return
    for identifier in party.identifiers:
        if identifier.scheme == SCHEME_SIRET and not identifier.value.startswith(siren):
            yield _remark("SIRET", identifier.value, siret_term, siren)
    vat = "".join((party.vat_id or "").split()).upper()
    if vat.startswith("FR") and vat[-SIREN_DIGITS:] != siren:
        yield _remark(Text("numéro de TVA", "VAT number"), party.vat_id or "", vat_term, siren)


def _remark(kind: Text | str, value: str, term: str, siren: str) -> Remark:
    name = Text(kind, kind) if isinstance(kind, str) else kind
    what = Text(
        _OTHER_COMPANY.fr.format(kind=name.fr, value=value, term=term, siren=siren),
        _OTHER_COMPANY.en.format(kind=name.en, value=value, term=term, siren=siren),
    )
    return Remark(what, term, value)


def find_wrong_vat_numbers(case: Case) -> Iterator[Remark]:
    """VAT numbers of member states whose form or check digits are wrong; those of other countries are not judged."""
    representative = case.invoice.tax_representative
    numbers = {
        "BT-31": case.invoice.seller.vat_id,
        "BT-48": case.invoice.buyer.vat_id,
        "BT-63": representative.vat_id if representative else None,
    }
    for term, value in numbers.items():
        if value and value[:2].upper() in _MEMBERS and not eu_vat.is_valid(value):
            yield Remark(_WRONG_VAT.format(value=value, term=term), term, value)


CHECKS = (
    OwnCheck(
        "GW-01",
        ("BT-29", "BT-30", "BT-46", "BT-47", "BT-60", "BT-61", "BT-71"),
        Text(
            "Un SIREN ou un SIRET porte une clé de contrôle juste (algorithme de Luhn).",
            "A SIREN or SIRET carries a right check digit (Luhn algorithm).",
        ),
        Text(
            "Les règles officielles comptent les chiffres sans vérifier la clé : une faute de frappe envoie la facture "
            "à une entreprise qui n’existe pas.",
            "The official rules count the digits and leave the check digit: a typing error sends the invoice to a "
            "company that does not exist.",
        ),
        Who.SELLER,
        Text(
            "Reprenez l’identifiant dans l’annuaire ou sur l’avis de situation Sirene.",
            "Take the identifier from the directory or from the Sirene register.",
        ),
        find_wrong_keys,
    ),
    OwnCheck(
        "GW-02",
        ("BT-29", "BT-31", "BT-46", "BT-48"),
        Text(
            "Le SIRET et le numéro de TVA français d’une partie sont ceux de son SIREN.",
            "The SIRET and the French VAT number of a party are those of its SIREN.",
        ),
        Text(
            "Une fiche client qui mêle deux entreprises fait refuser la facture par l’acheteur.",
            "A customer record that mixes two companies makes the buyer refuse the invoice.",
        ),
        Who.SELLER,
        Text(
            "Corrigez la fiche de la partie : SIREN, SIRET et TVA d’une même entreprise.",
            "Correct the record of the party: SIREN, SIRET and VAT number of one company.",
        ),
        find_other_companies,
    ),
    OwnCheck(
        "GW-03",
        ("BT-31", "BT-48", "BT-63"),
        Text(
            "Un numéro de TVA de l’Union a la forme et la clé de son pays.",
            "A VAT number of the Union has the form and the check digits of its country.",
        ),
        Text(
            "Les règles officielles n’en lisent que le préfixe ; un numéro faux prive l’acheteur de sa déduction.",
            "The official rules read its prefix only; a wrong number costs the buyer the deduction.",
        ),
        Who.SELLER,
        Text("Vérifiez le numéro sur VIES.", "Check the number on VIES."),
        find_wrong_vat_numbers,
    ),
)
