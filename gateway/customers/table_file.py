"""A table out of a file: CSV in any usual separator and encoding, or the first sheet of an Excel file."""

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

import python_calamine

from gateway.customers.errors import UnreadableCustomerFileError
from gateway.kernel.text import Text

_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
_SEPARATORS = ";\t|,"
_SMALLER = Text("Coupez le fichier en plusieurs.", "Cut the file into several.")


@dataclass(frozen=True, slots=True)
class Limits:
    """How large a file may be: its bytes, those of an Excel file once unpacked, its rows below the header."""

    size: int
    unpacked: int
    rows: int


@dataclass(frozen=True, slots=True)
class Row:
    """A row that is not empty: its line in the file (the header is line 1) and its cells as text."""

    line: int
    cells: tuple[str, ...]


def read_table(data: bytes, limits: Limits) -> list[Row]:
    """The rows of a file, the header first. Raises UnreadableCustomerFileError."""
    if len(data) > limits.size:
        raise too_large(limits.size)
    cells = _workbook(data, limits) if data.startswith((_ZIP, _OLE)) else _csv(data)
    rows: list[Row] = []
    for number, found in enumerate(cells, start=1):
        texts = tuple(cell.strip() for cell in found)
        if not any(texts):
            continue
        if len(rows) > limits.rows:
            raise _refused(f"Plus de {limits.rows} lignes.", f"More than {limits.rows} rows.", _SMALLER)
        rows.append(Row(number, texts))
    if not rows:
        raise _refused(
            "Le fichier est vide.", "The file is empty.", Text("Choisissez un autre fichier.", "Choose another file.")
        )
    return rows


def too_large(limit: int) -> UnreadableCustomerFileError:
    """The refusal of a file of more than `limit` bytes."""
    return _refused(f"Plus de {limit} octets.", f"More than {limit} bytes.", _SMALLER)


def _csv(data: bytes) -> Iterator[Iterable[str]]:
    text = _decoded(data)
    head = text.lstrip().split("\n", 1)[0]
    separator = max(_SEPARATORS, key=head.count)
    try:
        yield from csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    except csv.Error as error:
        raise _refused(
            f"Le CSV ne se lit pas : {error}.",
            f"The CSV cannot be read: {error}.",
            Text("Vérifiez les guillemets.", "Check the quotation marks."),
        ) from error


def _decoded(data: bytes) -> str:
    """UTF-8, UTF-16 with its mark, else Windows-1252, which Excel writes in France."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings: tuple[str, ...] = ("utf-16",)
    else:
        encodings = ("utf-8-sig", "cp1252")
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise _refused(
        "Ce n’est ni du texte ni un classeur.",
        "This is neither text nor a workbook.",
        Text("Enregistrez le tableau en CSV UTF-8 ou en .xlsx.", "Save the table as CSV UTF-8 or as .xlsx."),
    )


def _workbook(data: bytes, limits: Limits) -> Iterator[Iterable[str]]:
    try:
        if data.startswith(_ZIP):
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                unpacked = sum(entry.file_size for entry in archive.infolist())
            if unpacked > limits.unpacked:
                raise _refused("Classeur trop grand.", "The workbook is too large.", _SMALLER)
        with python_calamine.load_workbook(io.BytesIO(data)) as book:
            sheet = book.get_sheet_by_index(0)
            if sheet.total_height > limits.rows + 1:
                raise _refused(f"Plus de {limits.rows} lignes.", f"More than {limits.rows} rows.", _SMALLER)
            rows = sheet.to_python(skip_empty_area=False)
    except (python_calamine.CalamineError, zipfile.BadZipFile) as error:
        raise _refused(
            "Le classeur ne se lit pas.",
            "The workbook cannot be read.",
            Text("Enregistrez-le en .xlsx sans mot de passe, ou en CSV.", "Save it as .xlsx without password, or CSV."),
        ) from error
    for row in rows:
        yield [_written(cell) for cell in row]


def _written(cell: object) -> str:
    """A cell as a person would write it: a whole number without its point, a day as ISO 8601."""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else str(Decimal(repr(cell)))
    if isinstance(cell, datetime):
        return cell.date().isoformat()
    return cell.isoformat() if isinstance(cell, date) else str(cell)


def _refused(fr: str, en: str, fix: Text) -> UnreadableCustomerFileError:
    return UnreadableCustomerFileError(Text(fr, en), fix)
