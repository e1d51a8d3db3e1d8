"""The baseline: invoices a second read, XSD-checked and ingested, each beside a limit or a peer in the same run.

Run it with `make bench`; `docs/performance.md` keeps the results.
"""

import tempfile
from datetime import date
from pathlib import Path
from random import Random
from time import perf_counter
from uuid import UUID

import xmlschema
from lxml import etree
from measuring import best_seconds, machine, table
from sqlalchemy import text

from fixtures.cii import to_cii
from fixtures.companies import Company, make_customers, make_seller
from fixtures.drafts import InvoiceDraft, make_draft
from fixtures.pdf import to_facturx
from fixtures.profiles import Profile
from fixtures.ubl import to_ubl
from gateway.access.model import Organisation
from gateway.app.logs import configure_logs
from gateway.app.services import Services, build_services
from gateway.flows.intake import Submission, accept_flow
from gateway.invoices.reading import read_document, read_invoice
from gateway.kernel.settings import load_settings
from gateway.validation.catalog import installed_catalog
from gateway.validation.layers import RuleSelection
from gateway.validation.service import validate

SELLER = make_seller(1)
CUSTOMER: Company = make_customers(1, 1)[0]
SIZES = (1, 20, 100, 1000, 5000)
INGESTED = 400


def draft(lines: int, number: str | None = None) -> InvoiceDraft:
    issued = date(2026, 9, 1)
    return make_draft(
        Random(lines), SELLER, SELLER.agencies[0], CUSTOMER, number=number, issue_date=issued, line_count=lines
    )


def reading() -> str:
    """Reading into the model, against the limit: lxml parsing the same bytes and doing nothing with them."""
    rows = []
    for lines in SIZES:
        one = draft(lines)
        for syntax, data in {"UBL": to_ubl(one), "CII": to_cii(one, Profile.EN_16931)}.items():
            repeats = 200 if lines <= 20 else 5
            ours = best_seconds(lambda data=data: read_invoice(data), repeats=repeats)
            limit = best_seconds(lambda data=data: etree.fromstring(data), repeats=repeats)
            rows.append([syntax, lines, len(data) // 1024, _rate(ours), f"{ours * 1e3:.2f}", f"{ours / limit:.1f}"])
    pdf = to_facturx(draft(5), Profile.EN_16931)
    ours = best_seconds(lambda: read_invoice(pdf), repeats=20)
    rows.append(["Factur-X PDF", 5, len(pdf) // 1024, _rate(ours), f"{ours * 1e3:.2f}", "-"])
    return table(["syntax", "lines", "KiB", "a second", "ms", "times lxml parsing alone"], rows)


def xsd() -> str:
    """Reading and the XSD verdict, against xmlschema's verdict on the same bytes (schemas loaded once for both)."""
    catalog = installed_catalog()
    only_xsd = RuleSelection.parse("xsd", catalog)
    rows = []
    for syntax, make in {"UBL": to_ubl, "CII": lambda one: to_cii(one, Profile.EN_16931)}.items():
        root = read_document(make(draft(1))).tree.getroot()
        (artefact,) = catalog.candidates("xsd", syntax, Profile.EN_16931, etree.QName(root).localname)
        peer = xmlschema.XMLSchema(str(artefact.file))
        for lines in SIZES:
            data = make(draft(lines))
            repeats = 20 if lines <= 100 else 3
            ours = best_seconds(lambda data=data: validate(data, rules=only_xsd), repeats=repeats)
            theirs = best_seconds(lambda data=data, peer=peer: peer.is_valid(data), repeats=3 if lines <= 100 else 1)
            rows.append([syntax, lines, _rate(ours), f"{ours * 1e3:.2f}", f"{theirs / ours:.0f}"])
    return table(["syntax", "lines", "a second", "ms", "times faster than xmlschema"], rows)


def ingestion() -> str:
    """Accepted (durable) and processed end to end by one process, against the limit: bare commits of one row."""
    invoices = [to_ubl(draft(5, f"B26-{n:05d}")) for n in range(INGESTED)]
    with tempfile.TemporaryDirectory(prefix="gateway-bench-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        settings = load_settings(data_dir=Path(folder), log_level="error")
        configure_logs(settings)
        services = build_services(settings)
        organisation = _organisation(services)
        start = perf_counter()
        for number, data in enumerate(invoices):
            with services.database.transaction(organisation) as session:
                one = Submission(data=data, name=f"{number}.xml", source="api")
                accept_flow(session, services.documents, one, now=services.clock())
        accepted = perf_counter() - start
        start = perf_counter()
        services.engine.run_until_idle()
        processed = perf_counter() - start
        start = perf_counter()
        for number in range(INGESTED):
            with services.database.system_transaction() as session:
                session.connection().execute(
                    text("INSERT INTO sign_in_attempt VALUES (gen_random_uuid(), :s, now())"), {"s": str(number)}
                )
        commits = perf_counter() - start
        services.close()
    rows = [
        ["accepted (202, durable)", f"{INGESTED / accepted:.0f}", f"{accepted / commits:.1f}"],
        ["processed (read, validated, registered, sent)", f"{INGESTED / processed:.0f}", f"{processed / commits:.1f}"],
    ]
    return table(["step", "invoices a second", "times a bare commit"], rows)


def _organisation(services: Services) -> UUID:
    with services.database.system_transaction() as session:
        row = Organisation(siren=SELLER.siren, name=SELLER.name, created_at=services.clock())
        session.add(row)
        session.flush()
        return row.id


def _rate(seconds: float) -> str:
    return f"{1 / seconds:,.0f}"


if __name__ == "__main__":
    print(f"Measured on: {machine()}\n")
    for title, part in {"Reading": reading, "XSD": xsd, "Ingestion": ingestion}.items():
        print(f"### {title}\n\n{part.__doc__}\n\n{part()}\n", flush=True)
