"""The alert for a file that a platform took, then refused: its acknowledgement says Error. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from gateway.alerts.conditions import AlertDecision, Severity, words_for
from gateway.kernel.dated import data_file, text_of
from gateway.kernel.text import Text
from gateway.lifecycle.correlation import InvoiceKey
from gateway.lifecycle.deliveries import Remark
from gateway.lifecycle.model import InvoiceRecord
from gateway.lifecycle.records import key_of_invoice
from gateway.lifecycle.statuses import Status

_REMARKS_SHOWN = 3


@dataclass(frozen=True, slots=True)
class RefusedDelivery:
    """A delivery that a platform acknowledged with an error.

    Attributes:
        name: file name.
        remarks: what the platform says, in its words.
        status: the status that the file tells; None for an invoice.
        invoice: the invoice that was handed over, or that the status speaks of; None when it is not known here.
        report: number (TT-1) of the e-reporting transmission that was handed over; None for anything else.
    """

    delivery_id: UUID
    platform: str
    name: str
    remarks: Sequence[Remark]
    status: Status | None = None
    invoice: InvoiceRecord | None = None
    report: str | None = None


def alert_for_refused_delivery(refused: RefusedDelivery) -> AlertDecision:
    """The alert to open, one for each delivery.

    Data: `refused_delivery` (an invoice), `refused_status` and `refused_report` of `schemas/alerts.toml`.
    """
    what = "refused_report" if refused.report else "refused_status" if refused.status else "refused_delivery"
    is_credit_note = refused.invoice is not None and refused.invoice.is_credit_note
    table = words_for(data_file("alerts.toml")[what], credit_note=is_credit_note)
    key = key_of_invoice(refused.invoice) if refused.invoice else InvoiceKey(refused.report or refused.name)
    said = _said(refused.remarks)
    label = refused.status.label if refused.status else Text("", "")

    def told(sentence: Text) -> Text:
        known = {"number": key.number, "platform": refused.platform, "said": said}
        return Text(sentence.fr.format(status=label.fr, **known), sentence.en.format(status=label.en, **known))

    return AlertDecision(
        condition=table["id"],
        severity=Severity(table["severity"]),
        title=told(text_of(table["title"])),
        reason=told(text_of(table["reason"])),
        next_step=told(text_of(table["next"])),
        team=table["team"],
        also_concerned=(),
        working_days=table["working_days"],
        dedup_key=refused_delivery_key(refused.delivery_id),
        key=key,
        event="",
        of_credit_note=is_credit_note,
    )


def refused_delivery_key(delivery_id: UUID) -> str:
    """The key of the one alert of a delivery."""
    return f"delivery.refused:{delivery_id}"


def _said(remarks: Sequence[Remark]) -> str:
    """The first remarks, errors before warnings, as the platform words them, and how many are left."""
    ordered = sorted(remarks, key=lambda each: each.level != "Error")
    words = [" — ".join(filter(None, (each.reason_code, each.message.rstrip(". ")))) for each in ordered]
    left = len(words) - _REMARKS_SHOWN
    shown = " ; ".join(words[:_REMARKS_SHOWN])
    return f"{shown} (+ {left})" if left > 0 else shown or "?"
