"""Alerts of what was sent, settled by a status that shows what became of it. Pure."""

from collections.abc import Iterator

from gateway.alerts.conditions import Closing
from gateway.kernel.dated import data_file
from gateway.kernel.text import Text
from gateway.lifecycle.events import StatusEvent

#: Tables of `schemas/alerts.toml` whose alert a later status settles: `settled_by`.
_SETTLED = ("unaddressable_buyer", "refused_delivery")


def settled_by_status(event: StatusEvent) -> Iterator[Closing]:
    """The conditions settled once a status shows that the invoice arrived, or that a platform said what is wrong."""
    label = event.status.label
    because = Text(f"Statut « {label.fr} » ({event.code}) reçu.", f"Status “{label.en}” ({event.code}) received.")
    for name in _SETTLED:
        table = data_file("alerts.toml")[name]
        if event.code in table["settled_by"]:
            yield Closing(table["id"], because)
