"""Why a status cannot be given to an invoice."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import ClassVar

from gateway.flows.errors import FlowError
from gateway.kernel.text import Text


class StatusNotOursError(FlowError):
    """The status belongs to the other party, or to a platform."""

    code: ClassVar[str] = "STATUS_NOT_OURS"

    def __init__(self, status: str, role: Text, allowed: Iterable[str]) -> None:
        """`role`: what we are on this invoice; `allowed`: the statuses we may set."""
        choices = ", ".join(allowed)
        super().__init__(
            Text(
                f"Le statut {status} ne se pose pas en tant que {role.fr} de la facture.",
                f"Status {status} is not for the {role.en} of the invoice to set.",
            ),
            Text(f"Choisissez parmi : {choices}.", f"Choose among: {choices}."),
            "status",
        )


class StatusImpossibleError(FlowError):
    """The life of the invoice no longer allows the status: it is closed, or was refused."""

    code: ClassVar[str] = "STATUS_IMPOSSIBLE"
    status: ClassVar[int] = 409

    def __init__(self, why: Text) -> None:
        """`why`: the reason of the transition decision."""
        super().__init__(
            why, Text("Consultez la chronologie de la facture.", "Look at the invoice’s timeline."), "status"
        )


class StatusAlreadyGivenError(FlowError):
    """The same status, at the same second, with the same reasons and amounts, is recorded already."""

    code: ClassVar[str] = "STATUS_ALREADY_GIVEN"
    status: ClassVar[int] = 409

    def __init__(self, at: datetime) -> None:
        super().__init__(
            Text(f"Ce statut est déjà posé à {at.isoformat()}.", f"This status is given already at {at.isoformat()}."),
            Text(
                "Donnez un autre instant `at` s’il s’agit d’un autre fait.",
                "Give another instant `at` when it is another fact.",
            ),
            "at",
        )


class StatusInTheFutureError(FlowError):
    """A status is set when the fact has happened, not before."""

    code: ClassVar[str] = "STATUS_IN_THE_FUTURE"

    def __init__(self, at: datetime) -> None:
        super().__init__(
            Text(f"L’instant {at.isoformat()} est à venir.", f"The instant {at.isoformat()} is yet to come."),
            Text("Posez le statut une fois le fait survenu.", "Set the status once the fact has happened."),
            "at",
        )


class DataOfAnotherStatusError(FlowError):
    """An amount was given that the status does not carry."""

    code: ClassVar[str] = "DATA_OF_ANOTHER_STATUS"

    def __init__(self, field: str, status: str, carriers: Iterable[str]) -> None:
        """`carriers`: the statuses that the data belong to."""
        codes = ", ".join(carriers)
        super().__init__(
            Text(f"Le statut {status} ne porte pas « {field} ».", f"Status {status} does not carry “{field}”."),
            Text(f"Retirez cette donnée, propre à : {codes}.", f"Leave it out: it belongs to {codes}."),
            field,
        )


class RateNotOfInvoiceError(FlowError):
    """An amount was collected at a VAT rate that the invoice does not have (annex 7, G7.45)."""

    code: ClassVar[str] = "RATE_NOT_OF_INVOICE"

    def __init__(self, rate: Decimal, rates: Iterable[Decimal]) -> None:
        """`rates`: those of the invoice, in percent (BT-119)."""
        known = ", ".join(f"{each:f} %" for each in rates)
        super().__init__(
            Text(f"La facture n’a pas de TVA à {rate:f} %.", f"The invoice has no VAT at {rate:f} %."),
            Text(f"Ventilez l’encaissement entre : {known}.", f"Split the receipt between: {known}."),
            "collected.rate, MDT-224, BT-119",
        )


class DeliveryNotRefusedError(FlowError):
    """Only what a platform took and then refused is sent again as a new attempt, once."""

    code: ClassVar[str] = "DELIVERY_NOT_REFUSED"
    status: ClassVar[int] = 409

    def __init__(self, delivery_id: str, why: Text) -> None:
        super().__init__(
            Text(f"Cet envoi ne se renvoie pas : {why.fr}.", f"This delivery is not sent again: {why.en}."),
            Text(
                "Un envoi en échec ou incertain se reprend par « gateway deliveries again ».",
                "One that failed or is uncertain is taken up by “gateway deliveries again”.",
            ),
            delivery_id,
        )
