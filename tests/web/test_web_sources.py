"""The pages name where a flow came from, however it came."""

import pytest

from gateway.flows.model import Flow
from gateway.web.i18n import Words


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("api", "API"),
        ("api:6f1e4a0c-51c1-4b4e-8a53-2f7f0c3f2a11", "API"),
        ("file", "Fichier déposé"),
        ("drop:erp", "Dossier de dépôt"),
    ],
)
def test_each_way_in_has_a_name(source, shown):
    assert Words("fr").t(f"flow.source_{Flow(source=source, name='a.xml').way}") == shown
