"""A wrong setting is refused by its name; nothing misspelt is ignored."""

import pytest

from gateway.kernel.settings import Settings, SettingsError, load_settings


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("GATEWAY_PORT", "abc"),
        ("GATEWAY_PORT", "70000"),
        ("GATEWAY_DATABASE_URL", "mysql://somewhere/else"),
        ("GATEWAY_LOG_LEVEL", "loud"),
        ("GATEWAY_SWEEP_SECONDS", "0"),
    ],
)
def test_a_wrong_value_is_refused_with_the_name_of_its_setting(monkeypatch, variable, value):
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError, match=variable):
        load_settings()


def test_a_misspelt_variable_is_refused_with_the_name_meant(monkeypatch):
    monkeypatch.setenv("GATEWAY_PROT", "8001")
    with pytest.raises(SettingsError, match="GATEWAY_PORT"):
        load_settings()


def test_a_secret_is_never_shown_in_the_refusal(monkeypatch):
    monkeypatch.setenv("GATEWAY_DATABASE_URL", "mysql://user:hunter2@host/db")
    with pytest.raises(SettingsError) as refused:
        load_settings()
    assert "hunter2" not in refused.value.in_language("fr") + refused.value.in_language("en")


def test_the_toml_file_is_read_and_the_environment_wins(tmp_path, monkeypatch):
    (tmp_path / "gateway.toml").write_text('port = 9001\nhost = "0.0.0.0"\n')
    monkeypatch.setenv("GATEWAY_PORT", "9002")
    settings = load_settings()
    assert (settings.host, settings.port) == ("0.0.0.0", 9002)


def test_an_unknown_key_of_the_toml_file_is_refused_by_name(tmp_path):
    (tmp_path / "gateway.toml").write_text("prot = 9001\n")
    with pytest.raises(SettingsError, match="prot"):
        load_settings()


def test_a_toml_file_that_is_not_toml_is_refused(tmp_path):
    (tmp_path / "gateway.toml").write_text("port : 9001\n")
    with pytest.raises(SettingsError, match="TOML"):
        load_settings()


def test_a_missing_configuration_file_is_refused(monkeypatch):
    monkeypatch.setenv("GATEWAY_CONFIG", "absent.toml")
    with pytest.raises(SettingsError, match=r"absent\.toml"):
        load_settings()


def test_every_list_setting_is_written_with_commas(monkeypatch):
    monkeypatch.setenv("GATEWAY_VALIDATION_REQUIRED_LAYERS", "well-formed, xsd,own")
    assert load_settings().validation_required_layers == ("well-formed", "xsd", "own")


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_every_setting_is_documented(name):
    assert Settings.model_fields[name].description
