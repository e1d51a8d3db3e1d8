"""What can go wrong with e-reporting transmissions."""

from typing import ClassVar
from uuid import UUID

from gateway.flows.errors import FlowError, UnusableFlowError
from gateway.kernel.text import Text


class NotOurReportError(UnusableFlowError):
    """Another company than the organisation declares."""

    code: ClassVar[str] = "NOT_OUR_REPORT"

    def __init__(self, siren: str, issuer: str) -> None:
        """`siren`: the organisation's; `issuer`: the one that the transmission names."""
        super().__init__(
            Text(
                f"La déclaration n’est pas de cette organisation ({siren}) : déclarant {issuer or 'sans SIREN'}.",
                f"Not a transmission of this organisation ({siren}): declared by {issuer or 'nobody with a SIREN'}.",
            ),
            Text(
                "Corrigez le SIREN du déclarant (TT-13), ou déposez-la à la bonne organisation.",
                "Correct the SIREN of the company that declares (TT-13), or submit it to the right organisation.",
            ),
            "TT-13",
        )


class ReportConflictError(UnusableFlowError):
    """Another transmission bears the same number."""

    code: ClassVar[str] = "ALREADY_EXISTING_REPORT"

    def __init__(self, number: str) -> None:
        """`number`: TT-1."""
        super().__init__(
            Text(
                f"Une autre déclaration porte déjà le numéro {number}.",
                f"Another transmission already bears the number {number}.",
            ),
            Text(
                "Une correction prend un numéro neuf (transmission rectificative).",
                "A correction takes a new number (a replacing transmission).",
            ),
            "TT-1",
        )


class ReportNotFoundError(FlowError):
    """The organisation has no e-reporting transmission of that identifier."""

    code: ClassVar[str] = "REPORT_NOT_FOUND"
    status: ClassVar[int] = 404

    def __init__(self, report_id: UUID) -> None:
        super().__init__(
            Text("Cette déclaration n’existe pas.", "There is no such transmission."),
            Text("Listez-les par GET /api/v1/reports.", "List them with GET /api/v1/reports."),
            str(report_id),
        )
