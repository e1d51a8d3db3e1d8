"""Puts payment instructions (BG-16) together where a syntax scatters their terms over the document."""

from collections.abc import Sequence

from gateway.invoices.model import DirectDebit, PaymentMeans

#: UNTDID 4461: direct debit and SEPA direct debit.
DIRECT_DEBIT_CODES = frozenset({"49", "59"})


def complete_payment_means(
    means: Sequence[PaymentMeans],
    *,
    remittance: str | None = None,
    mandate: str | None = None,
    creditor: str | None = None,
) -> list[PaymentMeans]:
    """`means` with the terms that stand outside the group: BT-83 on each, BT-89 and BT-90 on the direct debits.

    When no means is a direct debit, the first one takes BT-89 and BT-90; when there is no means at all, one without
    a code carries what is known.
    """
    if not (remittance or mandate or creditor):
        return list(means)
    known = list(means) or [PaymentMeans()]
    if remittance:
        known = [each.model_copy(update={"remittance": remittance}) for each in known]
    if not (mandate or creditor):
        return known
    debits = [i for i, each in enumerate(known) if each.direct_debit or each.code in DIRECT_DEBIT_CODES] or [0]
    for i in debits:
        debit = known[i].direct_debit or DirectDebit()
        terms = {"mandate": mandate or debit.mandate, "creditor": creditor or debit.creditor}
        known[i] = known[i].model_copy(update={"direct_debit": debit.model_copy(update=terms)})
    return known
