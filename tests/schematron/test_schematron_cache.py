"""The cache of compiled rules: rebuilt whenever it is not exactly ours, never trusted where others can write."""

import marshal
import os
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest
from lxml import etree

from gateway.schematron import StylesheetError, cache, load_rules
from gateway.schematron.cache import cache_key, cached_code
from tests.schematron.artefacts import BY_NAME
from tests.schematron.small_rules import SmallRule, write_rules


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "cache"
    path.mkdir(mode=0o700)
    return path


@pytest.fixture
def stylesheet(tmp_path: Path) -> Path:
    return write_rules(tmp_path / "small.xsl", [[SmallRule("a", [("R", "b", ())])]])


class Generator:
    """A source that counts how often it is asked for."""

    def __init__(self, source: str = "answer = 1\n") -> None:
        self.asked = 0
        self.source = source

    def __call__(self) -> str:
        self.asked += 1
        return self.source


def found(folder: Path, generator: Generator, key: bytes = b"k" * 32) -> int:
    namespace: dict[str, int] = {}
    exec(cached_code(folder, "rules.xsl", key, generator), namespace)
    return namespace["answer"]


def test_a_second_load_reads_what_the_first_wrote(folder: Path):
    generator = Generator()
    assert (found(folder, generator), found(folder, generator), generator.asked) == (1, 1, 1)


def test_the_generated_source_lies_beside_the_code_for_inspection(folder: Path):
    found(folder, Generator())
    assert [path.read_text() for path in folder.glob("*.py")] == ["answer = 1\n"]


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[:-1],
        lambda content: content[:40],
        lambda content: b"",
        lambda content: content[:-1] + bytes([content[-1] ^ 1]),
        lambda content: b"X" + content[1:],
        lambda content: content[:-20] + marshal.dumps("foreign"),
    ],
)
def test_a_damaged_or_foreign_file_is_compiled_again_and_mended(folder: Path, damage):
    generator = Generator()
    found(folder, generator)
    (file,) = folder.glob("*.code")
    file.write_bytes(damage(file.read_bytes()))
    assert (found(folder, generator), generator.asked) == (1, 2)
    assert (found(folder, generator), generator.asked) == (1, 2)


def test_code_of_another_key_is_not_taken(folder: Path):
    found(folder, Generator("answer = 1\n"))
    (file,) = folder.glob("*.code")
    other = b"k" * 16 + b"x" * 16
    assert found(folder, Generator("answer = 2\n"), other) == 2
    assert file.exists()


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="file owners are a notion of POSIX")
@pytest.mark.parametrize("mode", [0o777, 0o770, 0o702])
def test_a_directory_that_others_can_write_is_neither_read_nor_written(
    folder: Path, mode: int, caplog: pytest.LogCaptureFixture
):
    generator = Generator()
    found(folder, generator)
    assert caplog.messages == []
    folder.chmod(mode)
    before = sorted(folder.iterdir())
    assert (found(folder, generator), generator.asked) == (1, 2)
    assert sorted(folder.iterdir()) == before
    assert [str(folder) in message for message in caplog.messages] == [True]


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="file owners are a notion of POSIX")
def test_a_file_that_others_can_write_is_compiled_again(folder: Path):
    generator = Generator()
    found(folder, generator)
    (file,) = folder.glob("*.code")
    file.chmod(0o666)
    assert (found(folder, generator), generator.asked) == (1, 2)


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="file owners are a notion of POSIX")
def test_a_directory_of_another_user_is_not_trusted(folder: Path, monkeypatch: pytest.MonkeyPatch):
    generator = Generator()
    found(folder, generator)
    monkeypatch.setattr(cache.os, "geteuid", lambda: folder.stat().st_uid + 1)
    assert (found(folder, generator), generator.asked) == (1, 2)


def test_a_link_to_a_directory_is_not_trusted(folder: Path, tmp_path: Path):
    generator = Generator()
    link = tmp_path / "link"
    link.symlink_to(folder)
    found(link, generator)
    assert (list(folder.iterdir()), generator.asked) == ([], 1)


def test_a_place_where_no_directory_can_be_is_no_error(tmp_path: Path):
    file = tmp_path / "file"
    file.write_text("")
    assert found(file / "cache", Generator()) == 1


def test_the_key_changes_with_the_rules_the_code_lists_the_engine_and_python(monkeypatch: pytest.MonkeyPatch):
    keys = {
        cache_key(b"a", {}),
        cache_key(b"b", {}),
        cache_key(b"a", {"l.xml": b"1"}),
        cache_key(b"a", {"l.xml": b"2"}),
    }
    monkeypatch.setattr(cache.sys, "version", "another")
    keys.add(cache_key(b"a", {}))
    monkeypatch.undo()
    monkeypatch.setattr(cache, "_ENGINE", b"another")
    keys.add(cache_key(b"a", {}))
    assert len(keys) == 6


def test_rules_that_changed_on_disk_are_compiled_anew(folder: Path, stylesheet: Path):
    root = etree.fromstring("<a/>")
    assert [finding.rule for finding in load_rules(stylesheet, folder).check(root)] == ["R"]
    write_rules(stylesheet, [[SmallRule("a", [("S", "b", ())])]])
    assert [finding.rule for finding in load_rules(stylesheet, folder).check(root)] == ["S"]


def test_code_lists_are_read_from_beside_the_rules_and_belong_to_the_key(folder: Path, tmp_path: Path):
    lists = tmp_path / "lists.xml"
    lists.write_text('<codedb><cl id="3"><enumeration value="EUR"/></cl></codedb>')
    test = "document('lists.xml')/codedb/cl[@id=3]/enumeration[@value=$code]"
    rule = SmallRule("a", [("R", test, ())], more='<xsl:variable name="code" select="@c"/>')
    path = write_rules(tmp_path / "small.xsl", [[rule]])
    root = etree.fromstring("<a c='USD'/>")
    assert [finding.rule for finding in load_rules(path, folder).check(root)] == ["R"]
    lists.write_text('<codedb><cl id="3"><enumeration value="USD"/></cl></codedb>')
    assert load_rules(path, folder).check(root) == []
    lists.unlink()
    with pytest.raises(StylesheetError, match=r"lists\.xml"):
        load_rules(path, folder)


def _load(folder: Path) -> int:
    return len(load_rules(BY_NAME["BR-FR-CDV"].path, folder).check(etree.fromstring("<x/>")))


def test_several_processes_may_fill_one_cache_at_once(folder: Path):
    with ProcessPoolExecutor(2) as pool:
        assert list(pool.map(_load, [folder] * 6)) == [0] * 6
    assert sorted(path.suffix for path in folder.iterdir()) == [".code", ".py"]
