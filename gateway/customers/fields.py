"""The facts of a customer as people write them: one reader for each, shared by files, forms and programs. Pure.

A reader takes the text and gives the value to keep, or raises RefusedValueError: what is wrong, how to write it.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from stdnum.eu import vat

from gateway.customers.errors import RefusedValueError
from gateway.customers.payment_terms import read_payment_terms
from gateway.kernel.dated import data_file
from gateway.kernel.identifiers import is_siren, is_siret
from gateway.kernel.money import CENT
from gateway.kernel.text import Text

LONGEST_TEXT = 300
_SIREN_DIGITS, _SIRET_DIGITS = 9, 14
_EMAIL = re.compile(r"[^@\s<>\"',;]+@[^@\s<>\"',;]+\.[^@\s<>\"',;]+")
_PHONE = re.compile(r"\+?[\d\s().-]{4,30}")
_KEY = re.compile(r"(siren:\d{9}|siret:\d{14}|vat:[A-Z]{2}[0-9A-Z]{2,13}|name:.+)")
_CURRENCY = re.compile(r"[A-Z]{3}")
_LARGEST = Decimal(10) ** 15


def normalised(text: str) -> str:
    """Without case, accents, punctuation and doubled blanks: how headers and words of closed lists are compared."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    letters = "".join(" " if not (char.isalnum()) else char for char in plain if not unicodedata.combining(char))
    return " ".join(letters.split())


def read_text(text: str) -> str:
    """One line of printable text, blanks collapsed."""
    value = " ".join(text.split())
    if len(value) > LONGEST_TEXT or not value.isprintable():
        raise RefusedValueError(
            text[:80],
            Text("Texte trop long ou illisible", "Text too long or not readable"),
            Text(
                f"Écrivez au plus {LONGEST_TEXT} caractères imprimables.", f"Write at most {LONGEST_TEXT} characters."
            ),
        )
    return value


def read_siren(text: str) -> str:
    """Nine digits whose key is right."""
    value = re.sub(r"[\s.]", "", text).zfill(_SIREN_DIGITS)
    if not is_siren(value):
        raise RefusedValueError(
            text,
            Text("Ce n’est pas un SIREN : neuf chiffres, clé juste", "This is no SIREN: nine digits, right key"),
            Text("Reprenez-le sur l’avis de situation du client.", "Take it from the customer’s INSEE record."),
        )
    return value


def read_siret(text: str) -> str:
    """Fourteen digits whose key is right."""
    value = re.sub(r"[\s.]", "", text).zfill(_SIRET_DIGITS)
    if not is_siret(value):
        raise RefusedValueError(
            text,
            Text(
                "Ce n’est pas un SIRET : quatorze chiffres, clé juste", "This is no SIRET: fourteen digits, right key"
            ),
            Text("Reprenez-le sur l’avis de situation du client.", "Take it from the customer’s INSEE record."),
        )
    return value


def read_vat_number(text: str) -> str:
    """A VAT number of the European Union, or of a country whose numbers are not checked here."""
    value = re.sub(r"[^0-9A-Z]", "", text.upper())
    country = value[:2]
    if not re.fullmatch(r"[A-Z]{2}[0-9A-Z]{2,13}", value) or (
        country.lower() in vat.MEMBER_STATES and not vat.is_valid(value)
    ):
        raise RefusedValueError(
            text,
            Text("Numéro de TVA faux : forme ou clé", "Wrong VAT number: form or key"),
            Text("Vérifiez-le sur VIES, ou laissez la case vide.", "Check it on VIES, or leave the cell empty."),
        )
    return value


def read_amount(text: str) -> Decimal:
    """A positive amount in cents at most, with a decimal comma or point: `1 234,50`, `1234.5`."""
    plain = re.sub(r"[\s\u00a0\u202f'€]", "", text)
    if "," in plain and "." in plain:
        thousands = "," if plain.rindex(",") < plain.rindex(".") else "."
        plain = plain.replace(thousands, "")
    try:
        value = Decimal(plain.replace(",", "."))
    except InvalidOperation:
        value = Decimal(-1)
    if not (value.is_finite() and 0 <= value < _LARGEST and value % CENT == 0):
        raise RefusedValueError(
            text,
            Text("Ce n’est pas un montant positif, au centime", "This is no positive amount in cents"),
            Text("Écrivez 1234,50.", "Write 1234.50."),
        )
    return value.quantize(CENT)


def read_day(text: str) -> date:
    """`2026-12-31` or `31/12/2026`."""
    for form in ("%Y-%m-%d", "%d/%m/%Y", "%Y%m%d"):
        try:
            return datetime.strptime(text.strip(), form).date()  # noqa: DTZ007 - a day has no time zone
        except ValueError:
            continue
    raise RefusedValueError(
        text, Text("Ce n’est pas une date", "This is no date"), Text("Écrivez 2026-12-31.", "Write 2026-12-31.")
    )


def read_currency(text: str) -> str:
    """ISO 4217, three capitals."""
    value = text.strip().upper()
    if not _CURRENCY.fullmatch(value):
        raise RefusedValueError(
            text, Text("Ce n’est pas une devise", "This is no currency"), Text("Écrivez EUR.", "Write EUR.")
        )
    return value


def read_email(text: str) -> str:
    """One address, in lower case."""
    value = text.strip().lower()
    if not (_EMAIL.fullmatch(value) and value.isprintable() and len(value) <= LONGEST_TEXT):
        raise RefusedValueError(
            text,
            Text("Ce n’est pas une adresse électronique", "This is no e-mail address"),
            Text("Écrivez une seule adresse : compta@client.example.", "Write one address: billing@customer.example."),
        )
    return value


def read_phone(text: str) -> str:
    """Digits and the usual signs between them."""
    value = " ".join(text.split())
    if not _PHONE.fullmatch(value):
        raise RefusedValueError(
            text,
            Text("Ce n’est pas un numéro de téléphone", "This is no telephone number"),
            Text("Écrivez +33 1 23 45 67 89.", "Write +33 1 23 45 67 89."),
        )
    return value


def read_address(text: str) -> list[str]:
    """The lines of a postal address, separated by line ends, `|` or ` / `."""
    lines = [read_text(line) for line in re.split(r"[\r\n|]+| / ", text)]
    return [line for line in lines if line]


def read_terms(text: str) -> str:
    """A payment term, as it is kept. Raises RefusedValueError."""
    return str(read_payment_terms(text))


def read_yes(text: str) -> bool:
    """Yes or no."""
    words = data_file("customers.toml")["words"]
    for value, name in ((True, "yes"), (False, "no")):
        if normalised(text) in {normalised(word) for word in words[name]}:
            return value
    raise RefusedValueError(
        text, Text("Ni oui ni non", "Neither yes nor no"), Text("Écrivez oui ou non.", "Write yes or no.")
    )


def read_word(text: str, of: str) -> str:
    """A word of a closed list of `schemas/customers.toml`, as it is kept."""
    known: Mapping[str, list[str]] = data_file("customers.toml")["words"][of]
    for value, words in known.items():
        if normalised(text) in {normalised(word) for word in words}:
            return value
    listed = ", ".join(known)
    raise RefusedValueError(
        text,
        Text("Ce mot n’est pas connu ici", "This word is not known here"),
        Text(f"Écrivez l’un de ceux-ci : {listed}.", f"Write one of these: {listed}."),
    )


def read_key(text: str) -> str:
    """The key of an account, written whole, or by the bare number."""
    value, bare = text.strip(), re.sub(r"[\s.]", "", text)
    if re.fullmatch(r"\d{9}", bare):
        return f"siren:{read_siren(bare)}"
    if re.fullmatch(r"\d{14}", bare):
        return f"siret:{read_siret(bare)}"
    if value.startswith("name:"):
        value = f"name:{' '.join(read_text(value.removeprefix('name:')).casefold().split())}"
    if not _KEY.fullmatch(value):
        raise RefusedValueError(
            text,
            Text("Ce n’est pas la clé d’un compte", "This is no key of an account"),
            Text(
                "Écrivez siren:…, siret:…, vat:… ou name:…, ou laissez la case vide.",
                "Write siren:…, siret:…, vat:… or name:…, or leave the cell empty.",
            ),
        )
    return value


#: What may be said of a customer: the column of its table, and how it is read.
FIELDS: Mapping[str, Callable[[str], Any]] = {
    "name": read_text,
    "siren": read_siren,
    "siret": read_siret,
    "vat_number": read_vat_number,
    "group_name": read_text,
    "segment": lambda text: read_text(text).lower(),
    "language": lambda text: read_word(text, "language"),
    "payment_terms": read_terms,
    "credit_limit": read_amount,
    "credit_currency": read_currency,
    "collector": read_email,
    "is_key_account": read_yes,
    "is_public": read_yes,
    "is_consumer": read_yes,
}
#: What cannot be erased; erased, a yes or no is a no.
REQUIRED = frozenset({"name", "language", "credit_currency"})
CONTACT_FIELDS: Mapping[str, Callable[[str], Any]] = {
    "role": lambda text: read_word(text, "role"),
    "name": read_text,
    "email": read_email,
    "phone": read_phone,
    "language": lambda text: read_word(text, "language"),
    "address": read_address,
}
COVER_FIELDS: Mapping[str, Callable[[str], Any]] = {
    "insurer": read_text,
    "reference": read_text,
    "amount": read_amount,
    "valid_from": read_day,
    "valid_until": read_day,
}
