"""A gateway and a platform, whose processes are killed again and again, end with the same story of every invoice."""

from tests.story.telling import tell

SEED = 20261122


def test_both_sides_agree_on_every_invoice_whatever_is_killed(tmp_path):
    agreement = tell(tmp_path, count=16, seed=SEED, deaths=6)
    assert agreement.quarrels == []
    assert agreement.invoices == 16
    assert agreement.statuses > 16
    assert agreement.called > 0
    assert sum(agreement.deaths.values()) == 6
