"""Sheets that people upload, checked before anything reads them: kind, size, encoding, bounds, no formulas.

What comes out is text in rows. Nothing is written to the disk, and no name of a file is used for anything.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import PurePath

from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadedfile import InMemoryUploadedFile, UploadedFile
from django.core.files.uploadhandler import FileUploadHandler

from infusion_center.core.rules import RuleViolation, blocker

MAX_BYTES = 5_000_000
# So much more is read on, so that the page can say what is wrong; beyond, the connection is not worth it.
HOPELESS_BYTES = 4 * MAX_BYTES
MAX_ROWS = 5_000
MAX_COLUMNS = 60
MAX_CELL = 2_000
# What a file begins with that is no text, whatever its name says.
NOT_TEXT = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"%PDF", b"\x7fELF", b"MZ", b"\x1f\x8b", b"{\\rtf")
MARKUP = ("<!doctype", "<html", "<?xml", "<script", "<table")
WIDE_MARKS = (b"\xff\xfe", b"\xfe\xff")
DELIMITERS = ",;\t"
# A plus begins a phone number, a hyphen a remark; these two begin nothing that a person types about a patient.
FORMULA_STARTS = ("=", "@")


@dataclass(frozen=True)
class Sheet:
    """A table of text. The first row names the columns; `encoding` is told to the person, who sees broken letters."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    encoding: str = "utf-8"


def refuse(code: str, message: str, remedy: str = ""):
    raise RuleViolation([blocker(code, message, field="file", remedy=remedy)])


class BoundedUploadHandler(FileUploadHandler):
    """Keeps one file in memory up to the limit and counts the rest: patients' data never lies in a temporary folder."""

    def new_file(self, *args, **kwargs):
        super().new_file(*args, **kwargs)
        self.kept = io.BytesIO()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        if start + len(raw_data) > HOPELESS_BYTES:
            raise RequestDataTooBig("An uploaded file is far too large.")
        if start <= MAX_BYTES:
            self.kept.write(raw_data)

    def file_complete(self, file_size: int) -> InMemoryUploadedFile:
        self.kept.seek(0)
        return InMemoryUploadedFile(
            self.kept, self.field_name, self.file_name, self.content_type, file_size, self.charset
        )


def read_sheet(upload: UploadedFile) -> Sheet:
    """The rows of a CSV or XLSX file. Raises RuleViolation with one problem, about the field `file`."""
    from infusion_center.core.upload_xlsx import xlsx_rows  # openpyxl is slow to load: only who uploads waits for it

    kind = PurePath(upload.name or "").suffix.lower()
    if kind not in (".csv", ".xlsx"):
        refuse("file-kind", "Only .csv and .xlsx files are read.", "Save the sheet as one of them.")
    if upload.size > MAX_BYTES:
        refuse("file-size", f"The file is larger than {MAX_BYTES // 1_000_000} MB.", "Divide it.")
    content = upload.read()
    if not content.strip():
        refuse("file-empty", "The file is empty.")
    if kind == ".xlsx":
        return _checked(xlsx_rows(content), "utf-8")
    text, encoding = decoded(content)
    return _checked(csv_rows(text), encoding)


def decoded(content: bytes) -> tuple[str, str]:
    """Text and encoding. Excel writes UTF-8 with a mark, UTF-16 as "Unicode text", else the code page of Windows."""
    if content.startswith(NOT_TEXT):
        refuse("file-content", "This is not a CSV file, whatever its name says.", "Export the sheet anew.")
    encodings = ("utf-16",) if content.startswith(WIDE_MARKS) else ("utf-8-sig", "cp1252")
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if text.lstrip()[:9].lower().startswith(MARKUP):
            refuse("file-content", "This is a web page and not a CSV file.", "Export the sheet anew.")
        return text, encoding.removesuffix("-sig")
    return refuse("file-encoding", "The letters of this file cannot be read.", "Save it as CSV UTF-8.")


def csv_rows(text: str):
    first = text.partition("\n")[0]
    delimiter = max(DELIMITERS, key=first.count)
    try:
        yield from csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    except csv.Error:
        refuse("file-broken", "A quoted cell of this file is not closed, or is far too long.", "Export the sheet anew.")


def _checked(found, encoding: str) -> Sheet:
    rows = []
    for number, row in enumerate(found, start=1):
        cells = _without_end(tuple(cell.strip() for cell in row))
        if number > MAX_ROWS + 1:
            refuse("file-rows", f"The sheet has more than {MAX_ROWS} rows.", "Divide it.")
        if len(cells) > MAX_COLUMNS:
            refuse("file-columns", f"Row {number} has more than {MAX_COLUMNS} columns.")
        for column, cell in enumerate(cells, start=1):
            _refuse_cell(cell, f"Row {number}, column {column}")
        rows.append(cells)
    while rows and not rows[-1]:
        rows.pop()
    headings = rows[0] if rows else ()
    if not all(headings) or len({heading.casefold() for heading in headings}) < len(headings):
        refuse("file-headings", "The first row must name each column, and no two alike.")
    if len(rows) < 2:
        refuse("file-empty", "There is no row below the headings.")
    width = len(headings)
    if wide := next((number for number, row in enumerate(rows, start=1) if len(row) > width), None):
        refuse("file-columns", f"Row {wide} has more cells than the first row has headings.")
    return Sheet(headings, tuple(row + ("",) * (width - len(row)) for row in rows[1:]), encoding)


def _without_end(cells: tuple[str, ...]) -> tuple[str, ...]:
    """Without the empty cells on the right."""
    used = next((at for at in range(len(cells), 0, -1) if cells[at - 1]), 0)
    return cells[:used]


def _refuse_cell(cell: str, where: str) -> None:
    if len(cell) > MAX_CELL:
        refuse("cell-length", f"{where} is longer than {MAX_CELL} characters.")
    if any(not (char.isprintable() or char in "\n\r\t\u00a0\u200b\u3000") for char in cell):
        refuse("cell-control", f"{where} holds a character that cannot be printed.", "Clear the cell, type it anew.")
    if cell.startswith(FORMULA_STARTS):
        refuse("cell-formula", f"{where} holds a formula.", "Paste the values only, then upload again.")
