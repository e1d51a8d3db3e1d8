"""Money received, split by the VAT rates of its invoice, as a 212 tells it (DGFiP annex 7, G7.45: by rate). Pure."""

from collections.abc import Mapping
from decimal import Decimal

from gateway.kernel.money import ZERO, share_out

ByRate = Mapping[Decimal, Decimal]


def split_by_rate(amount: Decimal, totals: ByRate, collected: ByRate) -> dict[Decimal, Decimal]:
    """`amount` (in cents, VAT included) by VAT rate in percent, in proportion; the parts add up to it to the cent.

    `totals`: what the invoice asks for at each rate, with VAT (BT-116 + BT-117); `collected`: what the 212 told so far.
    Money that pays the invoice is split like what is left at each rate, so that the last payment leaves nothing at any
    rate; money given back is split like what was collected. Rates without a part are left out; nothing at all when the
    invoice tells no amount by rate.
    """
    asked = sum(totals.values(), ZERO)
    pays = (amount > 0) == (asked > 0)
    weights = _left(totals, collected) if pays else {rate: collected.get(rate, ZERO) for rate in totals}
    if sum(weights.values(), ZERO) == 0:
        weights = dict(totals)
    if sum(weights.values(), ZERO) == 0:
        return {}
    parts = share_out(amount, list(weights.values()))
    return {rate: part for rate, part in zip(weights, parts, strict=True) if part}


def _left(totals: ByRate, collected: ByRate) -> dict[Decimal, Decimal]:
    """What is left at each rate; nothing where more came in than was asked for."""
    left = {rate: total - collected.get(rate, ZERO) for rate, total in totals.items()}
    return {rate: part if part * totals[rate] > 0 else ZERO for rate, part in left.items()}
