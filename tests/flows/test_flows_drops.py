"""A billing system that can only drop files is served as one that calls the API: nothing lost, nothing twice."""

import json
import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import select

from gateway.access.model import Organisation
from gateway.flows.drops import taking
from gateway.flows.drops.places import Folder, LocalPlace, open_place
from gateway.flows.drops.round import DropRound, visit_drops
from gateway.flows.model import Flow
from gateway.flows.simulator.answers import AnsweredInvoice, answer
from gateway.flows.simulator.scenarios import Step
from gateway.invoices.reading import read_invoice
from gateway.kernel.settings import DropSettings, SettingsError, load_settings
from gateway.ledger.documents import DocumentStore
from gateway.ledger.errors import DocumentStoreUnavailableError
from gateway.lifecycle.cdar.writing import write_cdar
from gateway.lifecycle.model import InvoiceRecord
from tests.flows.sftp_server import sftp_server

QUIET = timedelta(seconds=5)


class Dropped:
    """A drop of the world's organisation, as its billing system sees it."""

    def __init__(self, world, root: Path, drop: DropSettings) -> None:
        self.world, self.root, self.drop = world, root, drop
        settings = world.context.settings.model_copy(
            update={"drops": (drop,), "drop_quiet_seconds": QUIET.total_seconds(), "max_file_bytes": 100_000}
        )
        self.context = replace(world.context, settings=settings)
        for folder in Folder:
            (root / folder).mkdir(exist_ok=True)

    def put(self, name: str, data: bytes, *, rested: bool = True) -> Path:
        path = self.root / "in" / name
        path.write_bytes(data)
        written = self.world.clock().timestamp() - (QUIET.total_seconds() if rested else 0)
        os.utime(path, (written, written))
        return path

    def visit(self) -> DropRound:
        [done] = visit_drops(self.context, self.world.organisation_id)
        return done

    def names(self, folder: str) -> list[str]:
        return sorted(os.listdir(self.root / folder))

    def acknowledgements(self) -> list[dict]:
        return [json.loads((self.root / "out" / name).read_text()) for name in self.names("out") if "ack" in name]


@pytest.fixture(params=["folder", "sftp"])
def dropped(request, world, tmp_path):
    root, keys = tmp_path / "drop", tmp_path / "keys"
    root.mkdir()
    keys.mkdir()
    with world.database.transaction(world.organisation_id) as session:
        siren = session.exec(select(Organisation.siren)).one()
    if request.param == "folder":
        yield Dropped(world, root, DropSettings(name="billing", organisation=siren, url=str(root)))
        return
    with sftp_server(root, keys) as server:
        drop = DropSettings(
            name="billing",
            organisation=siren,
            url=server.url,
            key_file=server.key_file,
            known_hosts=server.known_hosts,
        )
        yield Dropped(world, root, drop)


def test_a_dropped_invoice_is_taken_acknowledged_and_followed(dropped, invoice):
    dropped.world.scenarios["F1"] = "rejected"
    dropped.put("F1.xml", invoice("F1"))
    assert dropped.visit().files.taken == 1
    assert dropped.names("in") == []
    [taken] = dropped.names("taken")
    assert taken.endswith("-F1.xml")
    assert (dropped.root / "taken" / taken).read_bytes() == invoice("F1")
    assert dropped.acknowledgements() == []
    dropped.world.turn()
    assert dropped.visit().acknowledgements == 1
    [told] = dropped.acknowledgements()
    assert (told["name"], told["acknowledgement"]["status"]) == ("F1.xml", "Ok")
    dropped.world.clock.advance(timedelta(minutes=1))
    dropped.world.turn()
    assert dropped.visit().statuses == 1
    [status] = [name for name in dropped.names("out") if name.endswith(".xml")]
    assert status.startswith("F1_213_")
    assert b"CrossDomainAcknowledgementAndResponse" in (dropped.root / "out" / status).read_bytes()
    again = dropped.visit()
    assert (again.files.taken, again.acknowledgements, again.statuses) == (0, 0, 0)


def test_an_invoice_that_breaks_a_rule_is_acknowledged_with_what_is_wrong(dropped, invoice):
    dropped.put("F1.xml", invoice("F1").replace(b"F1</cbc:ID>", b"F 1</cbc:ID>"))
    dropped.visit()
    dropped.world.drain()
    dropped.visit()
    [told] = dropped.acknowledgements()
    assert told["acknowledgement"]["status"] == "Error"
    assert told["acknowledgement"]["details"]


def test_the_same_file_dropped_twice_is_one_flow(dropped, invoice):
    for name in ("F1.xml", "F1 again.xml"):
        dropped.put(name, invoice("F1"))
        assert dropped.visit().files.taken == 1
    assert len(dropped.world.rows(Flow)) == 1
    dropped.world.drain()
    assert len(dropped.world.rows(InvoiceRecord)) == 1


def test_two_files_of_one_name_are_both_kept(dropped, invoice):
    for number in ("F1", "F2"):
        dropped.put("invoice.xml", invoice(number))
        dropped.visit()
    assert len(dropped.names("taken")) == len(dropped.world.rows(Flow)) == 2


@pytest.mark.parametrize("name", [".F1.xml", "F1.xml.part", "F1.tmp", "F1.xml.filepart"])
def test_a_file_under_the_name_of_an_unfinished_one_waits(dropped, invoice, name):
    dropped.put(name, invoice("F1"))
    assert dropped.visit().files.taken == 0
    assert dropped.names("in") == [name]


def test_a_file_that_was_just_written_waits_until_it_rests(dropped, invoice):
    dropped.put("F1.xml", invoice("F1"), rested=False)
    assert dropped.visit().files.taken == 0
    dropped.world.clock.advance(QUIET)
    assert dropped.visit().files.taken == 1


def test_a_file_that_is_too_large_is_put_aside_with_its_reason_and_stops_no_other(dropped, invoice):
    dropped.put("A.xml", b"x" * 100_001)
    dropped.put("F1.xml", invoice("F1"))
    files = dropped.visit().files
    assert (files.taken, files.refused) == (1, 1)
    kept, told = dropped.names("refused")
    assert (kept[-6:], told) == ("-A.xml", f"{kept}.error.json")
    assert json.loads((dropped.root / "refused" / told).read_text())["errorCode"] == "FILE_SIZE_EXCEEDED"
    assert (dropped.root / "refused" / kept).stat().st_size == 100_001


def test_two_refused_files_of_one_name_are_both_kept(dropped):
    for letter in (b"x", b"y"):
        dropped.world.clock.advance(timedelta(seconds=10))
        dropped.put("A.xml", letter * 100_001)
        assert dropped.visit().files.refused == 1
    assert len(dropped.names("refused")) == 4


@pytest.mark.parametrize("name", ["F" * 251 + ".xml", "é" * 125 + ".xml"])
def test_a_file_with_the_longest_name_is_taken_or_refused_as_any_other(dropped, invoice, name):
    dropped.put(name, invoice("F1"))
    assert dropped.visit().files.taken == 1
    dropped.put(name, b"x" * 100_001)
    assert dropped.visit().files.refused == 1
    assert dropped.names("in") == []


def test_while_documents_cannot_be_stored_every_file_stays(dropped, invoice, monkeypatch):
    dropped.put("F1.xml", invoice("F1"))

    def silent(self, data):
        raise DocumentStoreUnavailableError("s3://bucket", "timeout")

    with monkeypatch.context() as outage:
        outage.setattr(DocumentStore, "put", silent)
        with pytest.raises(DocumentStoreUnavailableError):
            dropped.visit()
    assert (dropped.names("in"), dropped.names("refused")) == (["F1.xml"], [])
    assert dropped.visit().files.taken == 1


def test_a_crash_between_storing_and_moving_doubles_nothing(dropped, invoice, monkeypatch):
    path = dropped.put("F1.xml", invoice("F1"))
    with monkeypatch.context() as broken, pytest.raises(KeyboardInterrupt):
        broken.setattr(taking, "sha256", _interrupt)
        dropped.visit()
    assert path.exists()
    assert len(dropped.world.rows(Flow)) == 1
    assert dropped.visit().files.taken == 1
    assert len(dropped.world.rows(Flow)) == 1


def test_folders_and_links_are_left_alone(dropped, invoice, tmp_path):
    secret = tmp_path / "secret.xml"
    secret.write_bytes(invoice("F1"))
    (dropped.root / "in" / "folder.xml").mkdir()
    (dropped.root / "in" / "link.xml").symlink_to(secret)
    assert dropped.visit().files.taken == 0
    assert dropped.world.rows(Flow) == []


def test_a_drop_of_another_organisation_is_not_visited(dropped, invoice):
    dropped.drop = dropped.drop.model_copy(update={"organisation": "000000000"})
    other = Dropped(dropped.world, dropped.root, dropped.drop)
    other.put("F1.xml", invoice("F1"))
    assert visit_drops(other.context, dropped.world.organisation_id) == []


def test_a_drop_that_cannot_be_reached_is_named_and_stops_no_other(dropped, invoice, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    broken = dropped.drop.model_copy(update={"name": "broken", "url": str(blocked)})
    settings = dropped.context.settings.model_copy(update={"drops": (broken, dropped.drop)})
    dropped.context = replace(dropped.context, settings=settings)
    dropped.put("F1.xml", invoice("F1"))
    first, second = visit_drops(dropped.context, dropped.world.organisation_id)
    assert first.problem is not None
    assert "broken" in first.problem.in_language("fr")
    assert second.files.taken == 1


class ForbiddenPlace(LocalPlace):
    """A folder with one file that may not be read, whoever runs the test."""

    def read(self, name: str, limit: int) -> bytes:
        if name == "A.xml":
            raise PermissionError(13, "Permission denied", name)
        return super().read(name, limit)


def test_a_file_that_may_not_be_read_stays_and_stops_no_other(world, tmp_path, invoice):
    drop = DropSettings(name="billing", organisation="000000000", url=str(tmp_path))
    dropped = Dropped(world, tmp_path, drop)
    dropped.put("A.xml", invoice("F1"))
    dropped.put("B.xml", invoice("F2"))
    files = taking.take_files(dropped.context, world.organisation_id, drop, ForbiddenPlace(tmp_path))
    assert (files.taken, files.forbidden) == (1, 1)
    assert dropped.names("in") == ["A.xml"]


def test_a_server_whose_key_is_not_known_is_refused(tmp_path):
    root, keys = tmp_path / "drop", tmp_path / "keys"
    root.mkdir()
    keys.mkdir()
    with sftp_server(root, keys) as server:
        (keys / "nobody").write_text("")
        drop = DropSettings(
            name="billing",
            organisation="000000000",
            url=server.url,
            key_file=server.key_file,
            known_hosts=keys / "nobody",
        )
        with pytest.raises(Exception, match="known_hosts"), open_place(drop):
            pass


@pytest.mark.parametrize(
    "drop",
    [
        {"name": "Billing!", "organisation": "123456789", "url": "/drop"},
        {"name": "billing", "organisation": "1234", "url": "/drop"},
        {"name": "billing", "organisation": "123456789", "url": "ftp://host/drop"},
        {"name": "billing", "organisation": "123456789", "url": "drop"},
        {"name": "billing", "organisation": "123456789", "url": "/drop", "colour": "blue"},
    ],
)
def test_a_drop_that_is_badly_set_is_refused_by_name(drop):
    with pytest.raises(SettingsError, match=r"(?i)drops"):
        load_settings(drops=[drop])


def test_two_drops_of_one_name_are_refused():
    drop = {"name": "billing", "organisation": "123456789", "url": "/drop"}
    with pytest.raises(SettingsError, match="same name"):
        load_settings(drops=[drop, drop])


def _interrupt(data: bytes) -> None:
    raise KeyboardInterrupt


def test_a_status_that_came_before_its_invoice_is_told_with_the_acknowledgement_and_once(dropped, invoice):
    world = dropped.world
    read = read_invoice(invoice("F2")).invoice
    sold = AnsweredInvoice(read, read.seller_siren, read.buyer_siren, read.issue_date)
    status = answer(sold, Step("202"), at=world.clock(), received_at=world.clock())
    world.push(write_cdar(status), source="file", name="status.xml")
    world.drain()
    world.scenarios["F1"] = "rejected"
    dropped.put("F1.xml", invoice("F1"))
    dropped.visit()
    world.turn()
    dropped.visit()
    world.clock.advance(timedelta(minutes=1))
    world.turn()
    assert dropped.visit().statuses == 1, "that of the other invoice: the feed of the drop is past the early status"
    dropped.put("F2.xml", invoice("F2"))
    dropped.visit()
    world.drain()
    assert dropped.visit().acknowledgements == 1
    [early] = [name for name in dropped.names("out") if name.startswith("F2_")]
    assert early.startswith("F2_202_")
    (dropped.root / "out" / early).unlink()
    dropped.visit()
    assert not [name for name in dropped.names("out") if name.startswith("F2_")]
