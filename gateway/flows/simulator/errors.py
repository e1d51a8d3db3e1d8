"""What can go wrong with the platform simulator, by name."""

from collections.abc import Iterable
from typing import ClassVar

from gateway.kernel.errors import GatewayError
from gateway.kernel.text import Text


class UnknownFaultError(GatewayError):
    """A fault was asked for that the simulator does not know, or at a rate that is no probability."""

    code: ClassVar[str] = "UNKNOWN_FAULT"

    def __init__(self, word: str, known: Iterable[str]) -> None:
        names = ", ".join(known)
        super().__init__(
            Text(f"« {word} » n’est pas une panne à simuler.", f"“{word}” is no fault to simulate."),
            Text(
                f"Écrivez NOM=TAUX, le taux entre 0 et 1 ; noms : {names}.",
                f"Write NAME=RATE, the rate between 0 and 1; names: {names}.",
            ),
            "--fault",
        )


class UnknownScenarioError(GatewayError):
    """A scenario was chosen that the simulator does not know."""

    code: ClassVar[str] = "UNKNOWN_SCENARIO"

    def __init__(self, word: str, known: Iterable[str]) -> None:
        names = ", ".join(known)
        super().__init__(
            Text(f"« {word} » ne choisit aucun scénario.", f"“{word}” chooses no scenario."),
            Text(f"Écrivez NUMÉRO=SCÉNARIO ; scénarios : {names}.", f"Write NUMBER=SCENARIO; scenarios: {names}."),
            "--scenario",
        )


class InvalidScenarioRateError(GatewayError):
    """A share was given to a scenario that the simulator does not know, is no share, or the shares do not add up."""

    code: ClassVar[str] = "INVALID_SCENARIO_RATE"

    def __init__(self, word: str, known: Iterable[str]) -> None:
        names = ", ".join(known)
        super().__init__(
            Text(f"« {word} » ne répartit pas les factures.", f"“{word}” does not share the invoices out."),
            Text(
                f"Écrivez SCÉNARIO=PART, la part entre 0 et 1, 1 au plus en tout (1 exactement s’il ne reste aucun "
                f"scénario à tirer) ; scénarios : {names}.",
                f"Write SCENARIO=SHARE, the share between 0 and 1, 1 at most in all (exactly 1 when no scenario "
                f"is left to draw); scenarios: {names}.",
            ),
            "--rate",
        )
