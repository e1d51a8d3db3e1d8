"""Read a file of entries as it comes, one entry in memory at a time: a FEC, or a table with the same facts.

The FEC is what French tax law makes every accounting program export (arrêté du 29 juillet 2013, art. A47 A-1 LPF):
18 columns between tabs or bars, days as YYYYMMDD, a decimal comma, amounts as Debit and Credit or as Montant and Sens.
An entry is taken whole or refused whole; each reason is told with its line, column and value.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import groupby
from typing import IO, Any, NamedTuple

from gateway.customers.errors import RefusedValueError
from gateway.customers.fields import normalised
from gateway.customers.importing import RefusedCell
from gateway.kernel.dated import data_file
from gateway.kernel.money import CENT, ZERO
from gateway.kernel.text import Text
from gateway.treasury.accounting.entries import Entry, EntryLine, balance_of
from gateway.treasury.accounting.errors import UnreadableAccountingFileError

_SEPARATORS = "\t|;,"
_BOM = b"\xef\xbb\xbf"
_DAYS = {8: "%Y%m%d", 10: "%Y-%m-%d"}
_FRENCH_DAY = re.compile(r"\d{2}/\d{2}/\d{4}")
_AMOUNT = re.compile(r"[+-]?\d{1,15}(\.\d+)?")
_NEEDED = ("journal", "number", "date", "account")
_ONE_OF = (("debit", "credit"), ("amount", "side"))
_CHECK_EXPORT = Text(
    "Exportez de nouveau l’écriture depuis la comptabilité.", "Export the entry again from the accounting program."
)


class _Row(NamedTuple):
    """A row of the file: its line, and its cells by our name of the column."""

    line: int
    cells: Mapping[str, str]

    @property
    def entry(self) -> tuple[str, str, str]:
        """What rows of one entry have in common."""
        return self.cells["journal"], self.cells["number"], self.cells["date"]


def read_entries(file: IO[bytes]) -> Iterator[Entry | RefusedCell]:
    """The entries of a file in its order, and why others are refused.

    Raises UnreadableAccountingFileError when no table of entries can be read, also on the way.
    """
    lines = _text_lines(file)
    first = next(lines, "")
    separator = max(_SEPARATORS, key=first.count)
    header = _header(_titles(first, separator))
    rows = _rows(lines, separator, header)
    for _, group in groupby(rows, key=lambda row: row.entry):
        yield from _entry(list(_bounded(group)), header)


def _text_lines(file: IO[bytes]) -> Iterator[str]:
    """Each line by itself: UTF-8, else Windows-1252 when it has characters of it, else ISO 8859-15 as the law says."""
    limit = data_file("accounting.toml")["limits"]["line_characters"]
    start = True
    while data := file.readline(limit + 1):
        if start:
            data, start = data.removeprefix(_BOM), False
        if len(data) > limit or b"\0" in data:
            raise UnreadableAccountingFileError(
                Text("Ce n’est pas un fichier d’écritures.", "This is no file of accounting entries."),
                Text("Exportez le FEC en texte, en UTF-8 de préférence.", "Export the FEC as text, rather in UTF-8."),
            )
        try:
            yield data.decode("utf-8")
        except UnicodeDecodeError:
            windows = any(0x80 <= byte <= 0x9F for byte in data)
            yield data.decode("cp1252" if windows else "iso8859-15", errors="replace")


def _header(titles: Sequence[str]) -> dict[str, tuple[int, str]]:
    """Where each fact stands, and how the file calls it. Raises UnreadableAccountingFileError."""
    known = {
        normalised(word): name for name, words in data_file("accounting.toml")["columns"].items() for word in words
    }
    found: dict[str, tuple[int, str]] = {}
    for place, title in enumerate(titles):
        name = known.get(normalised(title))
        if name and name not in found:
            found[name] = (place, title.strip())
    missing = [name for name in _NEEDED if name not in found]
    if not any(set(pair) <= found.keys() for pair in _ONE_OF):
        missing.append("debit, credit")
    if missing:
        names = ", ".join(data_file("accounting.toml")["columns"].get(each, [each])[0] for each in missing)
        raise UnreadableAccountingFileError(
            Text(f"Il manque des colonnes : {names}.", f"Columns are missing: {names}."),
            Text(
                "Gardez la première ligne du FEC, qui nomme les colonnes.",
                "Keep the first line of the FEC, which names the columns.",
            ),
            "1",
        )
    return found


def _rows(lines: Iterable[str], separator: str, header: Mapping[str, tuple[int, str]]) -> Iterator[_Row]:
    quoting: Any = csv.QUOTE_MINIMAL if separator in ";," else csv.QUOTE_NONE
    reader = csv.reader(lines, delimiter=separator, quoting=quoting)
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                named = {name: _cell(cells, place) for name, (place, _) in header.items()}
                yield _Row(reader.line_num + 1, named)
    except csv.Error as error:
        raise _unreadable(error, reader.line_num + 1) from error


def _titles(first: str, separator: str) -> Sequence[str]:
    """The cells of the first line."""
    try:
        return next(csv.reader([first], delimiter=separator), [])
    except csv.Error as error:
        raise _unreadable(error, 1) from error


def _unreadable(error: csv.Error, line: int) -> UnreadableAccountingFileError:
    return UnreadableAccountingFileError(
        Text(f"Le fichier ne se lit pas : {error}.", f"The file cannot be read: {error}."),
        Text("Vérifiez les guillemets et les fins de ligne.", "Check the quotation marks and the line ends."),
        str(line),
    )


def _cell(cells: Sequence[str], place: int) -> str:
    return cells[place].strip() if place < len(cells) else ""


def _bounded(rows: Iterable[_Row]) -> Iterator[_Row]:
    limit = data_file("accounting.toml")["limits"]["entry_lines"]
    for count, row in enumerate(rows):
        if count >= limit:
            raise UnreadableAccountingFileError(
                Text(
                    f"L’écriture {row.cells['number']} a plus de {limit} lignes.",
                    f"Entry {row.cells['number']} has more than {limit} lines.",
                ),
                _CHECK_EXPORT,
                str(row.line),
            )
        yield row


def _entry(rows: Sequence[_Row], header: Mapping[str, tuple[int, str]]) -> Iterator[Entry | RefusedCell]:
    """The entry of these rows, or why it is refused: each row that cannot be read, else what is wrong with them all."""
    refused, lines = [], []
    first = rows[0]
    day: date | None = None
    for row in rows:
        try:
            if row is first:
                for name in ("journal", "number"):
                    _needed(row.cells[name], name)
                day = _day(_needed(row.cells["date"], "date"), "date")
            lines.append(_line(row))
        except RefusedValueError as error:
            column = header[error.where][1] if error.where in header else error.where
            refused.append(RefusedCell(row.line, column, error.value, error.why, error.fix))
    if refused or day is None:
        yield from refused
        return
    balance = balance_of(lines)
    if balance:
        yield RefusedCell(
            first.line,
            header["number"][1],
            first.cells["number"],
            Text(
                f"L’écriture n’est pas équilibrée, ou ses lignes ne se suivent pas : débit moins crédit = {balance}",
                f"The entry does not balance, or its lines are apart: debit less credit = {balance}",
            ),
            _CHECK_EXPORT,
        )
        return
    yield Entry(first.cells["journal"], first.cells["number"], day, tuple(lines))


def _line(row: _Row) -> EntryLine:
    cells = row.cells
    lettered_on, due_date = cells.get("lettered_on", ""), cells.get("due_date", "")
    return EntryLine(
        line=row.line,
        account=_needed(cells["account"], "account"),
        auxiliary=cells.get("auxiliary", ""),
        auxiliary_name=cells.get("auxiliary_name", ""),
        piece=cells.get("piece", ""),
        label=cells.get("label", ""),
        amount=_signed(cells),
        lettering=cells.get("lettering", ""),
        lettered_on=_day(lettered_on, "lettered_on") if lettered_on else None,
        currency=cells.get("currency", "").upper(),
        due_date=_day(due_date, "due_date") if due_date else None,
    )


def _signed(cells: Mapping[str, str]) -> Decimal:
    if "debit" in cells and "credit" in cells:
        return _amount(cells["debit"], "debit") - _amount(cells["credit"], "credit")
    amount, side = _amount(cells["amount"], "amount"), cells["side"].upper()
    sides = data_file("accounting.toml")["sides"]
    if side in sides["debit"]:
        return amount
    if side in sides["credit"]:
        return -amount
    raise RefusedValueError(
        side,
        Text("Ce n’est pas un sens d’écriture", "This is no side of an entry"),
        Text("Écrivez D ou C, +1 ou -1.", "Write D or C, +1 or -1."),
        "side",
    )


def _amount(cell: str, column: str) -> Decimal:
    """An amount in cents at the finest; an empty cell is nothing."""
    if not cell:
        return ZERO
    plain = re.sub(r"[\s\u00a0\u202f]", "", cell).replace(",", ".")
    amount = Decimal(plain) if _AMOUNT.fullmatch(plain, 0) and plain.isascii() else None
    if amount is None or amount % CENT:
        raise RefusedValueError(
            cell,
            Text("Ce n’est pas un montant en centimes", "This is no amount in cents"),
            Text("Écrivez 1234,56.", "Write 1234,56."),
            column,
        )
    return amount


def _day(cell: str, column: str) -> date:
    pattern = "%d/%m/%Y" if _FRENCH_DAY.fullmatch(cell) else _DAYS.get(len(cell), "")
    try:
        return datetime.strptime(cell, pattern).replace(tzinfo=UTC).date()
    except ValueError:
        raise RefusedValueError(
            cell,
            Text("Ce n’est pas un jour", "This is no day"),
            Text("Écrivez AAAAMMJJ, par exemple 20261031.", "Write YYYYMMDD, such as 20261031."),
            column,
        ) from None


def _needed(cell: str, column: str) -> str:
    if not cell:
        raise RefusedValueError(
            cell, Text("Il faut une valeur", "A value is needed"), Text("Remplissez la case.", "Fill the cell."), column
        )
    return cell
