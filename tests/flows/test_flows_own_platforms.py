"""An installation adds or changes a platform by a data file of its own; what cannot be used is refused by name."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.alerts.deadline_policy import use_deadlines_file
from gateway.app.own_data import use_own_data
from gateway.app.services import build_services
from gateway.cli import app
from gateway.flows.platforms.breaker import breaker_policy
from gateway.flows.platforms.profile import platform_kinds, platform_profile, use_platforms_file
from gateway.kernel.errors import OwnDataError

OWN = """
[platform.maison]
fr = "Plateforme de la maison"
en = "House platform"
valid_from = 2026-09-01
source = "its manual"
flow_url = "https://maison.example/flow/v1"
token_auth = "json"
page_limit = 20
breaker = { failures = 2 }

[platform.maison.statuses]
B2BInt = ["212"]

[platform.superpdp]
page_limit = 50
"""


@pytest.fixture(autouse=True)
def as_shipped() -> Iterator[None]:
    """Nothing of a test stays for the next one."""
    yield
    use_platforms_file(None)
    use_deadlines_file(None)


@pytest.fixture
def own(tmp_path: Path) -> Callable[[str], Path]:
    """Writes a file of platforms."""

    def write(text: str) -> Path:
        path = tmp_path / "platforms.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_a_platform_of_the_installations_own_is_known_and_a_shipped_one_takes_what_is_changed(own):
    before, shipped = platform_profile("superpdp"), platform_kinds()
    use_platforms_file(own(OWN))
    assert platform_kinds() == [*shipped, "maison"]
    maison, superpdp = platform_profile("maison"), platform_profile("superpdp")
    assert (maison.label.en, maison.token_auth, maison.page_limit) == ("House platform", "json", 20)
    assert maison.paging == "cursor", "what is not told is as the standard has it"
    assert (maison.takes_status("212", "B2BInt"), maison.takes_status("207", "B2BInt")) == (True, False)
    assert (superpdp.page_limit, superpdp.flow_url, superpdp.statuses) == (50, before.flow_url, before.statuses)
    assert (breaker_policy("maison").failures, breaker_policy("superpdp").failures) == (2, 5)
    use_platforms_file(None)
    assert (platform_kinds(), platform_profile("superpdp")) == (shipped, before)


@pytest.mark.parametrize(
    ("before", "after", "where", "said"),
    [
        ("page_limit = 20", "page_limits = 20", "platform.maison", "page_limits"),
        ("page_limit = 20", 'page_limit = "many"', "platform.maison", "page_limit"),
        ('token_auth = "json"', 'token_auth = "magic"', "platform.maison", "token_auth"),
        ('en = "House platform"\n', "", "platform.maison", "'en'"),
        ("page_limit = 50", 'paging = "none"', "platform.superpdp", "paging"),
        ("failures = 2", 'failures = "two"', "platform.maison", "failures"),
        ("failures = 2", "patience = 2", "platform.maison", "breaker.patience"),
        ("[platform.superpdp]", "[platforms.superpdp]", "", "[platform."),
        ("[platform.superpdp]", "[platform.superpdp", "", "TOML"),
    ],
)
def test_an_entry_that_cannot_be_used_is_refused_by_name_and_changes_nothing(own, before, after, where, said):
    shipped = platform_kinds()
    assert before in OWN
    with pytest.raises(OwnDataError) as refused:
        use_platforms_file(own(OWN.replace(before, after)))
    assert refused.value.where == where
    assert said in refused.value.what.fr
    assert said in refused.value.what.en
    assert platform_kinds() == shipped


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(OwnDataError, match="nowhere"):
        use_platforms_file(tmp_path / "nowhere.toml")


def test_service_and_commands_know_what_the_settings_name(own, settings, database, clock, monkeypatch, tmp_path):
    named = settings.model_copy(update={"platforms_file": own(OWN)})
    services = build_services(named, clock=clock, database=database)
    services.flows.connections.close()
    assert "maison" in platform_kinds()
    use_own_data(settings)
    assert "maison" not in platform_kinds()
    monkeypatch.setenv("GATEWAY_PLATFORMS_FILE", str(tmp_path / "nowhere.toml"))
    refused = CliRunner().invoke(app, ["platforms", "list"])
    assert isinstance(refused.exception, OwnDataError)
