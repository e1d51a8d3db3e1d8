"""`gateway simulate-platform`: a platform of XP Z12-013 on this machine, with scenarios and faults on demand."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from gateway.kernel.settings import load_settings

_CLIENT = "gateway:simulated-secret"


def simulate_platform_command(
    port: Annotated[int, typer.Option(help="Port TCP ; 0 : un port libre. / TCP port; 0: a free one.")] = 8100,
    host: Annotated[str, typer.Option(help="Adresse d’écoute. / Address to listen on.")] = "127.0.0.1",
    data_dir: Annotated[
        Path | None, typer.Option(help="Dossier de ses données à elle. / Folder of its own data.")
    ] = None,
    database_url: Annotated[
        str | None, typer.Option(help="Sa base PostgreSQL, sinon embarquée. / Its PostgreSQL, else embedded.")
    ] = None,
    client: Annotated[
        list[str] | None, typer.Option(metavar="ID:SECRET", help=f"Client OAuth2 ; {_CLIENT} sinon. / OAuth2 client.")
    ] = None,
    scenario: Annotated[
        list[str] | None,
        typer.Option(metavar="NUMÉRO=SCÉNARIO", help="Scénario d’une facture. / Scenario of an invoice."),
    ] = None,
    rate: Annotated[
        list[str] | None,
        typer.Option(metavar="SCÉNARIO=PART", help="Part d’un scénario, 0 à 1. / Share of a scenario, 0 to 1."),
    ] = None,
    fault: Annotated[
        list[str] | None,
        typer.Option(metavar="PANNE=TAUX", help="Panne et son taux, 0 à 1. / Fault and its rate, 0 to 1."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Graine des tirages. / Seed of what is drawn.")] = 0,
    step: Annotated[float, typer.Option(help="Secondes entre deux statuts. / Seconds between statuses.")] = 2.0,
    slow: Annotated[float, typer.Option(help="Secondes d’une réponse lente. / Seconds of a slow answer.")] = 0.5,
    lost: Annotated[
        float, typer.Option(help="Secondes de retenue d’une réponse perdue. / Seconds a lost answer is held.")
    ] = 30.0,
) -> None:
    """Simule une plateforme agréée : l’API XP Z12-013, des réponses par scénario, des pannes à la demande.

    Simulate an accredited platform: the XP Z12-013 API, answers by scenario, faults on demand. Faults: slow, 429, 500,
    lost-answer, expired-token, changed-cursor, duplicated, reordered, damaged, lost-webhook; all=RATE names every one.
    """
    from gateway.app.logs import configure_logs
    from gateway.app.simulated_platform import Simulation, run_simulated_platform
    from gateway.flows.simulator.faults import FaultDice, fault_rates
    from gateway.flows.simulator.scenarios import chosen_scenarios, scenario_rates
    from gateway.flows.simulator.service import PlatformHabits

    simulation = Simulation(
        habits=PlatformHabits(clients=_pairs(client or [_CLIENT]), slow=slow, lost=lost),
        dice=FaultDice(fault_rates(fault or ()), seed),
        scenarios=chosen_scenarios(scenario or ()),
        rates=scenario_rates(rate or ()),
        step=timedelta(seconds=step),
    )
    settings = load_settings(
        host=host,
        port=port,
        data_dir=data_dir or load_settings().data_dir / "simulated-platform",
        database_url=database_url,
    )
    configure_logs(settings)
    run_simulated_platform(settings, simulation)


def _pairs(given: list[str]) -> dict[str, str]:
    pairs = {}
    for word in given:
        client_id, colon, secret = word.partition(":")
        if not (client_id and colon and secret):
            raise typer.BadParameter(f"{word}: ID:SECRET")
        pairs[client_id] = secret
    return pairs
