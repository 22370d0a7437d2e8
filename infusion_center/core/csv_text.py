"""CSV files, line by line, that a spreadsheet opens as text and never runs."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator

from django.http import StreamingHttpResponse

# Spreadsheets take such cells for formulas and run them. Source: OWASP, CSV injection.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
# Excel reads a CSV file as UTF-8 only behind this mark.
BYTE_ORDER_MARK = "\ufeff"


def safe_cell(text: str) -> str:
    """Text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


class _Echo:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        return text


def csv_lines(headings: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    # All in quotes: a spreadsheet that divides by another mark than a comma must not find one inside a cell.
    writer = csv.writer(_Echo(), quoting=csv.QUOTE_ALL)
    yield BYTE_ORDER_MARK + writer.writerow(headings)
    for row in rows:
        yield writer.writerow([safe_cell(cell) for cell in row])


def csv_response(lines: Iterable[str], name: str) -> StreamingHttpResponse:
    return StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8", headers=download_headers(name))


def download_headers(name: str) -> dict[str, str]:
    """A file to save, kept by no browser and taken for nothing else."""
    return {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }
