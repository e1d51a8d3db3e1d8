"""Money is `Decimal`, never float, and always beside its currency."""

from decimal import ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")
ZERO = Decimal("0.00")


def round_cents(amount: Decimal) -> Decimal:
    """`amount` rounded half up to two decimals, as EN 16931 rounds amounts (BR-DEC rules)."""
    return amount.quantize(CENT, rounding=ROUND_HALF_UP)


def share_out(total: Decimal, weights: list[Decimal]) -> list[Decimal]:
    """Split `total` (in cents) in proportion to `weights`; the parts always add up to `total`.

    The cents left by rounding go to the largest remainders, first come first served. Raises ValueError when
    the weights are empty or add up to zero.
    """
    whole = sum(weights, Decimal(0))
    if not weights or whole == 0:
        raise ValueError("weights must not be empty nor add up to zero")
    exact = [total * weight / whole for weight in weights]
    parts = [value.quantize(CENT, rounding="ROUND_FLOOR") for value in exact]
    missing = int((total - sum(parts, Decimal(0))) / CENT)
    by_remainder = sorted(range(len(parts)), key=lambda i: parts[i] - exact[i])
    for i in by_remainder[:missing]:
        parts[i] += CENT
    return parts
