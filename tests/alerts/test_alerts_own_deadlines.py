"""An installation changes its deadlines by a data file of its own; what cannot be used is refused by name."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from gateway.alerts.deadline_policy import Matter, deadline_policy, use_deadlines_file
from gateway.kernel.errors import OwnDataError

DAY = date(2026, 10, 5)
OWN = """
look_again_hours = 2

[condition."deadline.not_made_available"]
working_days = 5
team = "ar"

[condition."deadline.receipt_to_check"]
active = false
"""


@pytest.fixture(autouse=True)
def as_shipped() -> Iterator[None]:
    """Nothing of a test stays for the next one."""
    yield
    use_deadlines_file(None)


@pytest.fixture
def own(tmp_path: Path) -> Callable[[str], Path]:
    """Writes a file of deadlines."""

    def write(text: str) -> Path:
        path = tmp_path / "deadlines.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_a_deadline_takes_what_is_changed_and_keeps_the_rest(own):
    shipped = deadline_policy(DAY)
    use_deadlines_file(own(OWN))
    changed = deadline_policy(DAY)
    before, after = shipped.rules[Matter.NOT_MADE_AVAILABLE], changed.rules[Matter.NOT_MADE_AVAILABLE]
    assert (before.working_days, after.working_days, after.team) == (3, 5, "ar")
    assert (after.title, after.met_by, after.term_share) == (before.title, before.met_by, before.term_share)
    assert Matter.RECEIPT_TO_CHECK not in changed.rules
    assert changed.look_again == timedelta(hours=2)
    assert changed.rules[Matter.NOT_DEPOSITED] == shipped.rules[Matter.NOT_DEPOSITED]
    use_deadlines_file(None)
    assert deadline_policy(DAY) == shipped


def test_a_list_of_dated_tables_replaces_a_deadline(own):
    shipped = deadline_policy(DAY).rules[Matter.NOT_DEPOSITED]
    words = "\n".join(
        f'{key} = {{ fr = "{text.fr}", en = "{text.en}" }}'
        for key, text in (
            ("title", shipped.title),
            ("reason", shipped.reason),
            ("next", shipped.next_step),
            ("awaited", shipped.awaited),
            ("cured", shipped.cured),
        )
    )
    common = f'severity = "warning"\nteam = "billing"\nact_in_working_days = 1\n{words}\n'
    dated = "".join(
        f'[[condition."deadline.not_deposited"]]\nvalid_from = {first}\nhours = {hours}\n{common}'
        for first, hours in (("2026-09-01", 24), ("2027-01-01", 12))
    )
    use_deadlines_file(own(dated))
    assert deadline_policy(DAY).rules[Matter.NOT_DEPOSITED].hours == 24
    assert deadline_policy(date(2027, 1, 1)).rules[Matter.NOT_DEPOSITED].hours == 12


@pytest.mark.parametrize(
    ("before", "after", "where"),
    [
        ("working_days = 5", 'working_days = "five"', 'condition."deadline.not_made_available"'),
        ("working_days = 5", "workdays = 5", 'condition."deadline.not_made_available"'),
        ('team = "ar"', 'severity = "dreadful"', 'condition."deadline.not_made_available"'),
        (
            'team = "ar"',
            'title = { fr = "{nombre}", en = "{nombre}" }',
            'condition."deadline.not_made_available"',
        ),
        ("deadline.receipt_to_check", "deadline.other", "deadline.other"),
        ("look_again_hours = 2", "look_again = 2", "look_again"),
        ("look_again_hours = 2", 'look_again_hours = "two"', "look_again_hours"),
    ],
)
def test_an_entry_that_cannot_be_used_is_refused_by_name_and_changes_nothing(own, before, after, where):
    shipped = deadline_policy(DAY)
    assert before in OWN
    with pytest.raises(OwnDataError) as refused:
        use_deadlines_file(own(OWN.replace(before, after)))
    assert refused.value.where == where
    assert deadline_policy(DAY) == shipped
