"""Uploaded sheets: what people's programs write is read as they see it, what would harm is refused by name."""

import datetime as dt
import io
import zipfile
import zlib

import pytest
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadedfile import SimpleUploadedFile
from openpyxl import Workbook

from infusion_center.core.rules import RuleViolation
from infusion_center.core.uploads import (
    HOPELESS_BYTES,
    MAX_BYTES,
    MAX_CELL,
    MAX_COLUMNS,
    MAX_ROWS,
    BoundedUploadHandler,
    Sheet,
    read_sheet,
)

BOM = b"\xef\xbb\xbf"


def csv_file(content, name="patients.csv"):
    return SimpleUploadedFile(name, content.encode() if isinstance(content, str) else content)


def xlsx(*rows, name="patients.xlsx"):
    book, kept = Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(row)
    book.save(kept)
    return SimpleUploadedFile(name, kept.getvalue())


def changed(upload, part=None, put=None, *, add=None, packing=zipfile.ZIP_DEFLATED):
    """The same archive with one part's text changed by `put`, or with parts added."""
    kept = io.BytesIO()
    with zipfile.ZipFile(upload) as old, zipfile.ZipFile(kept, "w", packing) as new:
        for name in old.namelist():
            content = old.read(name)
            new.writestr(name, put(content) if name == part else content)
        for name, content in (add or {}).items():
            new.writestr(name, content)
    return SimpleUploadedFile("patients.xlsx", kept.getvalue())


def good():
    return xlsx(["Name"], ["Ann"])


BOOK, SHEET = "xl/workbook.xml", "xl/worksheets/sheet1.xml"
BOMB = b"<!DOCTYPE x [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;'>]>"


def declaring(content: bytes) -> bytes:
    return content.replace(b"<sheetData>", BOMB + b"<sheetData>", 1)


def understated() -> SimpleUploadedFile:
    """A part that unpacks to 40 MB, and says of itself one byte."""
    upload = changed(good(), add={"xl/big.xml": b"<" + b" " * 31_000_000})
    content = bytearray(upload.read())
    true, said = (31_000_001).to_bytes(4, "little"), (1).to_bytes(4, "little")
    crc = zlib.crc32(b"<" + b" " * 31_000_000).to_bytes(4, "little")
    patched = bytes(content).replace(true, said).replace(crc, zlib.crc32(b"<").to_bytes(4, "little"))
    assert patched.count(said) > bytes(content).count(said)
    return SimpleUploadedFile("patients.xlsx", patched)


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        ("Name,Phone\nNúñez,+1 555 0100\n".encode(), "utf-8"),
        (BOM + "Name,Phone\r\nNúñez,+1 555 0100\r\n".encode(), "utf-8"),
        ("Name;Phone\nNúñez;+1 555 0100\n".encode("cp1252"), "cp1252"),
        ("Name\tPhone\nNúñez\t+1 555 0100\n".encode("utf-16"), "utf-16"),
        ('Name,Phone\n"Núñez ",+1 555 0100,,\n,,\n'.encode(), "utf-8"),
    ],
)
def test_what_spreadsheets_write_as_csv_is_read(content, encoding):
    assert read_sheet(csv_file(content)) == Sheet(("Name", "Phone"), (("Núñez", "+1 555 0100"),), encoding)


def test_an_xlsx_file_is_read_as_it_shows():
    rows = [["Name", "Born", "Weight", "MRN", "Note"], ["Núñez", dt.date(1961, 3, 12), 70.5, 100, None]]
    assert read_sheet(xlsx(*rows)).rows == (("Núñez", "1961-03-12", "70.5", "100", ""),)


def test_only_what_was_looked_at_reaches_the_parser():
    """A part that says of itself that it is short is read as short, however far it would unpack."""
    assert read_sheet(understated()).rows == (("Ann",),)


HOSTILE = {
    "another kind by name": (lambda: csv_file("a\nb", name="patients.xls"), "file-kind"),
    "a page by name": (lambda: csv_file("a\nb", name="patients.csv.html"), "file-kind"),
    "an archive called csv": (lambda: csv_file(good().read()), "file-content"),
    "an old workbook called csv": (lambda: csv_file(b"\xd0\xcf\x11\xe0\xa1\xb1"), "file-content"),
    "a page called csv": (lambda: csv_file("\n <HTML><script>alert(1)</script>"), "file-content"),
    "text called xlsx": (lambda: csv_file("a\nb", name="patients.xlsx"), "file-content"),
    "an archive of anything": (lambda: changed(good(), BOOK, lambda _: b"PK"), "file-content"),
    "cut off": (lambda: csv_file(good().read()[:-400], name="patients.xlsx"), "file-content"),
    "too large": (lambda: csv_file(b"a\n" * (MAX_BYTES // 2 + 1)), "file-size"),
    "empty": (lambda: csv_file(" \n\n"), "file-empty"),
    "headings only": (lambda: csv_file("Name,Phone\n,,\n"), "file-empty"),
    "no letters": (lambda: csv_file(b"Name\n\x81\x8d"), "file-encoding"),
    "NULs": (lambda: csv_file(b"Name\nA\x00nn"), "cell-control"),
    "control characters": (lambda: csv_file("Name\nA\x1bnn"), "cell-control"),
    "turned around": (lambda: csv_file("Name\nA\u202enn"), "cell-control"),
    "rows": (lambda: csv_file("Name\n" + "a\n" * (MAX_ROWS + 1)), "file-rows"),
    "a row far below": (lambda: changed(good(), SHEET, lambda x: x.replace(b'r="2"', b'r="99999999"')), "file-rows"),
    "columns": (lambda: csv_file("a," * MAX_COLUMNS + "a\nb"), "file-columns"),
    "columns of xlsx": (lambda: xlsx(["a"] * (MAX_COLUMNS + 1)), "file-columns"),
    "more cells than headings": (lambda: csv_file("Name\na,b"), "file-columns"),
    "a heading twice": (lambda: csv_file("Name,name\na,b"), "file-headings"),
    "a column without heading": (lambda: csv_file("Name,,Phone\na,b,c"), "file-headings"),
    "a long cell": (lambda: csv_file("Name\n" + "a" * (MAX_CELL + 1)), "cell-length"),
    "a quote not closed": (lambda: csv_file('Name\n"Ann'), "file-broken"),
    "a cell without end": (lambda: csv_file('Name\n"' + "a" * 200_000 + '"'), "file-broken"),
    "a formula": (lambda: csv_file("Name\n=HYPERLINK(A1)"), "cell-formula"),
    "a formula behind a space": (lambda: csv_file("Name\n @SUM(A1)"), "cell-formula"),
    "a formula of xlsx": (lambda: xlsx(["Name"], ["=1+1"]), "cell-formula"),
    "entities": (lambda: changed(good(), SHEET, declaring), "file-entities"),
    "entities in another encoding": (
        lambda: changed(good(), SHEET, lambda x: b'<?xml version="1.0" encoding="cp037"?>' + x),
        "file-content",
    ),
    "entities in wide letters": (lambda: changed(good(), SHEET, lambda x: x.decode().encode("utf-16")), "file-content"),
    "swelling": (lambda: changed(good(), add={"xl/big.xml": b"<" + b" " * 31_000_000}), "file-size"),
    "many parts": (lambda: changed(good(), add={f"xl/{n}.xml": b"<a/>" for n in range(300)}), "file-size"),
    "macros": (lambda: changed(good(), add={"xl/vbaProject.bin": b"x"}), "file-macros"),
    "packed unusually": (lambda: changed(good(), packing=zipfile.ZIP_LZMA), "file-content"),
    "no sheet": (lambda: changed(good(), SHEET, lambda _: b"<worksheet"), "file-broken"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_sheets_are_refused_by_name(case):
    make, code = HOSTILE[case]
    with pytest.raises(RuleViolation) as refused:
        read_sheet(make())
    assert (refused.value.codes, {problem.field for problem in refused.value.problems}) == ({code}, {"file"})


def uploaded(size: int):
    handler = BoundedUploadHandler()
    handler.new_file("file", "patients.csv", "text/csv", size)
    for start in range(0, size, 64_000):
        handler.receive_data_chunk(b"a" * min(64_000, size - start), start)
    return handler.file_complete(size)


def test_a_file_too_large_is_counted_and_not_kept():
    file = uploaded(2 * MAX_BYTES)
    assert (file.size, len(file.read()) < MAX_BYTES + 64_001) == (2 * MAX_BYTES, True)
    with pytest.raises(RuleViolation):
        read_sheet(uploaded(2 * MAX_BYTES))


def test_a_file_without_end_is_not_read_to_its_end():
    with pytest.raises(RequestDataTooBig):
        uploaded(HOPELESS_BYTES + 64_000)
