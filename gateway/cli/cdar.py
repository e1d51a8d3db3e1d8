"""`gateway cdar show`, `make` and `statuses`: lifecycle messages to read and to write, with nothing running."""

import mimetypes
import sys
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Literal

import typer
from stdnum import iban
from stdnum.exceptions import ValidationError

from gateway.cli.cdar_statuses import statuses_command
from gateway.cli.cdar_text import as_text
from gateway.flows.checking import require_sendable
from gateway.kernel.clock import PARIS, paris_date, system_clock
from gateway.kernel.settings import load_settings
from gateway.kernel.text import Language
from gateway.lifecycle.cdar.building import (
    GivenReason,
    InvoiceReference,
    bank_account,
    build_status,
    collected,
    company,
    not_approved,
    paid,
    platform,
    public_portal,
)
from gateway.lifecycle.cdar.model import ROLE_PLATFORM, Attachment, Characteristic, Party
from gateway.lifecycle.cdar.reading import read_cdar
from gateway.lifecycle.cdar.writing import write_cdar
from gateway.validation.settings import options_from

cdar_app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="Les messages de cycle de vie (CDAR). / Lifecycle messages (CDAR)."
)
cdar_app.command("statuses")(statuses_command)
_STANDARD = "-"


@cdar_app.command("show")
def show_command(
    file: Annotated[str, typer.Argument(metavar="FILE", help="Un message, ou - pour l’entrée standard.")],
    form: Annotated[Literal["text", "json"], typer.Option("--format", help="text ou json.")] = "text",
    lang: Annotated[Language | None, typer.Option(help="Langue du texte ; par défaut celle des réglages.")] = None,
) -> None:
    """Dit ce que porte un message : statut, auteur, destinataires, motifs, montants, écarts à la norme.

    Say what a message holds: status, issuer, recipients, reasons, amounts, deviations from the norm.
    """
    message = read_cdar(_bytes_of(file))
    text = message.model_dump_json(indent=2) if form == "json" else as_text(message, lang or load_settings().language)
    typer.echo(text)


@cdar_app.command("make")
def make_command(
    status: Annotated[str, typer.Option(help="Statut (MDT-105), par exemple 212.")],
    invoice: Annotated[str, typer.Option(help="Numéro de la facture (BT-1).")],
    issued: Annotated[datetime, typer.Option("--date", formats=["%Y-%m-%d"], help="Date de la facture (BT-2).")],
    seller: Annotated[str, typer.Option(metavar="SIREN", help="SIREN du vendeur (BT-30).")],
    issuer: Annotated[
        str, typer.Option(metavar="ROLE:SIREN[:NOM]", help="Auteur du statut : BY, SE… ; WK seul pour une plateforme.")
    ],
    to: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ROLE:SIREN[:ADRESSE]", help="Destinataire ; adresse 0225, le SIREN par défaut. Répétable."
        ),
    ] = None,
    to_portal: Annotated[bool, typer.Option(help="Pour le portail public seul (profil einvoicingF2).")] = False,
    platform_number: Annotated[
        str, typer.Option("--platform", metavar="NNNN", help="Numéro de la plateforme émettrice (schéma 0238).")
    ] = "",
    reason: Annotated[
        list[str] | None, typer.Option(metavar="MOTIF[:ACTION]", help="Motif et action attendue. Répétable.")
    ] = None,
    comment: Annotated[str, typer.Option(help="Commentaire (MDT-126).")] = "",
    amounts: Annotated[
        list[str] | None,
        typer.Option("--collected", metavar="TAUX=MONTANT", help="Encaissé TTC à un taux de TVA. Répétable."),
    ] = None,
    payment: Annotated[
        str | None, typer.Option("--paid", metavar="MONTANT@AAAA-MM-JJ", help="Paiement transmis (211).")
    ] = None,
    refused: Annotated[
        str | None, typer.Option("--not-approved", metavar="MONTANT", help="Montant TTC non approuvé (206, 207).")
    ] = None,
    account: Annotated[
        str | None, typer.Option("--bank-account", metavar="IBAN", help="Compte à payer désormais (225, 227).")
    ] = None,
    currency: Annotated[str, typer.Option(help="Devise des montants.")] = "EUR",
    attach: Annotated[list[Path] | None, typer.Option(help="Pièce jointe. Répétable.", exists=True)] = None,
    type_code: Annotated[str, typer.Option("--type", help="Type de la facture (BT-3).")] = "380",
    at: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%dT%H:%M:%S"], help="Instant du statut, heure de Paris.")
    ] = None,
    output: Annotated[str, typer.Option("--output", "-o", metavar="FILE", help="Fichier, ou - .")] = _STANDARD,
) -> None:
    """Écrit un message qui passe le schéma et les règles officielles ; sinon dit pourquoi, et n’écrit rien.

    Write a message that passes the official schema and rules; otherwise say why, and write nothing.
    """
    settings = load_settings()
    now = system_clock()
    message = build_status(
        InvoiceReference(number=invoice, issued=issued.date(), seller_siren=seller, type_code=type_code),
        status,
        issuer=_issuer(issuer),
        recipients=[public_portal()] if to_portal else [_recipient(each) for each in to or []],
        at=at.replace(tzinfo=PARIS) if at else now,
        reasons=[_reason(each) for each in reason or []],
        amounts=[*_amounts(amounts or [], payment, refused, currency), *_account(account)],
        comment=comment,
        attachments=[_attachment(path) for path in attach or []],
        sent_at=now,
        sending_platform=platform_number,
    )
    data = write_cdar(message)
    require_sendable(data, settings, on=paris_date(now), options=options_from(settings), name=message.message_id)
    if output == _STANDARD:
        sys.stdout.write(data.decode())
    else:
        Path(output).write_bytes(data)
        typer.echo(f"{output}: {message.message_id}", err=True)


def _bytes_of(file: str) -> bytes:
    if file == _STANDARD:
        return sys.stdin.buffer.read()
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise typer.BadParameter(f"{file}: {error.strerror}") from error


def _issuer(written: str) -> Party:
    role, siren, name = _three(written)
    return platform() if role == ROLE_PLATFORM else company(siren, role, name)


def _recipient(written: str) -> Party:
    role, siren, address = _three(written)
    return platform() if role == ROLE_PLATFORM else company(siren, role, address=address or siren)


def _reason(written: str) -> GivenReason:
    code, _, action = written.partition(":")
    return GivenReason(code, action)


def _three(written: str) -> tuple[str, str, str]:
    role, _, rest = written.partition(":")
    siren, _, last = rest.partition(":")
    return role, siren, last


def _amounts(receipts: list[str], payment: str | None, refused: str | None, currency: str) -> list[Characteristic]:
    data = []
    for receipt in receipts:
        rate, _, amount = receipt.partition("=")
        data.append(collected(_number(amount, receipt), _number(rate, receipt), currency))
    if payment is not None:
        amount, _, day = payment.partition("@")
        data.append(paid(_number(amount, payment), _day(day, payment), currency))
    if refused is not None:
        data.append(not_approved(_number(refused, refused), currency))
    return data


def _account(written: str | None) -> list[Characteristic]:
    if written is None:
        return []
    try:
        return [bank_account(iban.validate(written))]
    except ValidationError as error:
        raise typer.BadParameter(f"« {written} » n’est pas un IBAN. / is not an IBAN.") from error


def _number(written: str, whole: str) -> Decimal:
    try:
        number = Decimal(written)
    except InvalidOperation as error:
        raise typer.BadParameter(f"{whole}: « {written} » n’est pas un nombre. / is not a number.") from error
    if not number.is_finite():
        raise typer.BadParameter(f"{whole}: « {written} » n’est pas un nombre. / is not a number.")
    return number


def _day(written: str, whole: str) -> date:
    try:
        return date.fromisoformat(written)
    except ValueError as error:
        raise typer.BadParameter(f"{whole}: « {written} » n’est pas une date. / is not a date.") from error


def _attachment(path: Path) -> Attachment:
    media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return Attachment(filename=path.name, mime_type=media_type, content=path.read_bytes())
