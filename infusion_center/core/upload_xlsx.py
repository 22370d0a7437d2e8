"""Rows of an XLSX file: an archive of XML, looked through before a parser sees any of it.

Refused are archives that swell, parts that declare entities, macros, and what is encrypted or encoded unusually.
"""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from decimal import Decimal

from openpyxl import load_workbook

from infusion_center.core import uploads

MAX_PARTS = 200
MAX_UNPACKED = 30_000_000
NEEDED = {"[Content_Types].xml", "xl/workbook.xml"}
PLAIN_PACKING = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
# Written by no spreadsheet; they make a parser swell, or read other files.
DECLARATIONS = re.compile(rb"<!\s*(?:DOCTYPE|ENTITY)", re.IGNORECASE)
ENCODING = re.compile(rb"""^<\?xml[^>]*?encoding\s*=\s*["']([\w.-]+)["']""")
PLAIN_ENCODINGS = {b"utf-8", b"us-ascii", b"ascii"}
NEW = "Copy the values into a new sheet and save it as .xlsx."


def xlsx_rows(content: bytes) -> Iterator[list[str]]:
    """Texts of the first sheet, row by row."""
    try:
        book = load_workbook(_checked_copy(content), read_only=True, keep_links=False)
        sheet = book.worksheets[0]
        sheet.reset_dimensions()  # what the file says of its own size may be wrong
        for row in sheet.iter_rows(max_col=uploads.MAX_COLUMNS + 1):
            yield [_text(cell) for cell in row]
    except uploads.RuleViolation:
        raise
    except Exception:  # openpyxl answers broken files with whatever went wrong inside
        uploads.refuse("file-broken", "This XLSX file cannot be read.", NEW)


def _checked_copy(content: bytes) -> io.BytesIO:
    """The markup of the archive, unpacked: the parser sees the very bytes that were looked at, and nothing else."""
    copy = io.BytesIO()
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive, zipfile.ZipFile(copy, "w") as unpacked:
            parts = archive.infolist()
            _refuse_archive(parts)
            for part in parts:
                if part.filename.lower().endswith((".xml", ".rels")):
                    with archive.open(part) as packed:
                        markup = packed.read(part.file_size)  # bounded, whatever the part swells to
                    _refuse_markup(markup)
                    unpacked.writestr(part.filename, markup)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, OSError, EOFError, ValueError):
        uploads.refuse("file-content", "This is not an XLSX file, whatever its name says.", NEW)
    copy.seek(0)
    return copy


def _refuse_archive(parts: list[zipfile.ZipInfo]) -> None:
    names = [part.filename for part in parts]
    if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNPACKED:
        uploads.refuse("file-size", "This XLSX file is far larger than it seems.", NEW)
    if not set(names) >= NEEDED or len(set(names)) < len(names):
        uploads.refuse("file-content", "This is not an XLSX file, whatever its name says.", NEW)
    if any(part.flag_bits & 1 or part.compress_type not in PLAIN_PACKING for part in parts):
        uploads.refuse("file-content", "This XLSX file is encrypted or packed unusually.", NEW)
    if any("vbaproject" in name.lower() or "macrosheet" in name.lower() for name in names):
        uploads.refuse("file-macros", "This file holds macros.", NEW)


def _refuse_markup(part: bytes) -> None:
    """Only as text of one byte each can the declarations be looked for."""
    start = part.removeprefix(b"\xef\xbb\xbf").lstrip()
    encoding = ENCODING.match(start)
    usual = start.startswith(b"<") and b"\x00" not in part
    if not usual or (encoding and encoding[1].lower() not in PLAIN_ENCODINGS):
        uploads.refuse("file-content", "A part of this XLSX file is encoded unusually.", NEW)
    if DECLARATIONS.search(part):
        uploads.refuse("file-entities", "This XLSX file declares what no spreadsheet writes.", NEW)


def _text(cell) -> str:
    value = cell.value
    if value is None:
        return ""
    if cell.data_type == "f" and not str(value).startswith("="):
        return f"={value}"
    if isinstance(value, dt.datetime):
        return value.date().isoformat() if value.time() == dt.time() else value.isoformat(" ")
    if isinstance(value, float):
        return format(Decimal(repr(value)).normalize(), "f")
    return str(value)
