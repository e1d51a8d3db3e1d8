"""The alert for an invoice that leaves for an address the directory would not route. Pure."""

from gateway.alerts.conditions import AlertDecision, Severity, words_for
from gateway.kernel.dated import data_file, text_of
from gateway.kernel.text import Text
from gateway.lifecycle.correlation import InvoiceKey


def alert_for_unaddressable(key: InvoiceKey, says: Text, to_do: Text, *, credit_note: bool = False) -> AlertDecision:
    """The alert to open, one for each invoice. `says`, `to_do`: the answer of the directory about the buyer's address.

    Data: `unaddressable_buyer` of `schemas/alerts.toml`.
    """
    table = words_for(data_file("alerts.toml")["unaddressable_buyer"], credit_note=credit_note)
    reason = text_of(table["reason"])
    return AlertDecision(
        condition=table["id"],
        severity=Severity(table["severity"]),
        title=text_of(table["title"]).format(number=key.number),
        reason=Text(reason.fr.format(says=says.fr), reason.en.format(says=says.en)),
        next_step=to_do,
        team=table["team"],
        also_concerned=(),
        working_days=table["working_days"],
        dedup_key=f"{table['id']}:{key}",
        key=key,
        event="",
        of_credit_note=credit_note,
    )
