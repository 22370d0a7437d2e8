"""Lots in what somebody pastes: a list, a line of a letter, a copied table, the text of a barcode.

What is understood is always shown before it is used, so a cell too few is seen. A lot with a * is a part of a lot.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from infusions.stock.lots import written_lot

ANY = "*"
LONGEST_LOT = 30
STRONG_LENGTH = 6
PLAIN_NUMBERS = range(5, 12)  # digits of a lot that is a number: fewer count vials, more are a GTIN

CELLS = re.compile(r"[\t|]")
PIECES = re.compile(r"(?:[,;]\s*|\s+)(?:and|or|&)\s+|[,;\t|]|\s{2,}", re.IGNORECASE)
# "Lot:", "Lot no.", "Exp. date =" and what follows until the next such word. Possessive (*+), as are the signs of
# LOT_WORD: with plain stars some thousand spaces in a row take hours.
FIELD = re.compile(
    r"\b(lots?|batch(?:es)?|exp(?:iry|ires|iration)?|ndc|gtin|qty|quantity|size|product|serial|s/n|mfg|manufacturer)\b"
    r"\.?\s*+(?:nos?\b\.?|numbers?|codes?|date|id)?\s*+(?:\(s\))?\s*+[:#=]\s*+",
    re.IGNORECASE,
)
LOT_WORD = re.compile(r"^(?:lots?|batch(?:es)?)\b\W*+(?:nos?\b|numbers?|codes?|ids?)?\W*+$", re.IGNORECASE)
BARE_LABEL = re.compile(r"^(?:lots?|batch(?:es)?)\s+(?:(?:nos?\b\.?|numbers?|codes?)\s+)?(?=\S*\d)", re.IGNORECASE)
BARE_OTHER = re.compile(r"^(?:exp(?:iry|ires|iration)?|ndc|gtin|qty|serial)\b\.?\s+\S", re.IGNORECASE)
NUMBERED = re.compile(r"^(?:\d{1,3}[.)]|[-*•–])\s+")
SPLIT_LOT = re.compile(r"^[a-z]{1,4} \d{4,}$", re.IGNORECASE)
GS1_LOT = re.compile(r"\(10\)\s*([^()\s]+)")
SIZE = re.compile(r"(?<!\S)\d+(?:\.\d+)?\s*(?:g|mg|ml|%)(?:/\d*\s*ml)?(?!\S)", re.IGNORECASE)
MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
DATE = re.compile(
    rf"(?<!\S)(?:\d{{4}}-\d{{1,2}}(?:-\d{{1,2}})?|\d{{1,2}}/(?:\d{{1,2}}/)?\d{{2,4}}"
    rf"|(?:\d{{1,2}}[- ])?{MONTH}[- ,]+\d{{2,4}})(?!\S)",
    re.IGNORECASE,
)
NDC = re.compile(r"^\d{4,5}-\d{3,4}-\d{1,2}$")


def lots_in(text: str) -> list[str]:
    """Every lot of the text once, in order, written as on the vial."""
    return list(dict.fromkeys(lot for lot in _found(text) if _is_writable(lot)))


def is_part(lot: str) -> bool:
    return ANY in lot


def pieces_of(part: str) -> list[str]:
    """What stands between the asterisks, longest first."""
    return sorted((piece for piece in part.split(ANY) if piece), key=len, reverse=True)


def pattern_of(part: str) -> re.Pattern:
    """AB*7 is what begins with AB and ends with 7. A piece between is kept where it first fits, never tried again."""
    first, *between, last = (re.escape(piece) for piece in part.split(ANY))
    return re.compile(first + "".join(f"(?>.*?{piece})" for piece in between) + f".*{last}")


def _found(text: str) -> Iterator[str]:
    column = None
    for row in text.splitlines():
        cells = [cell.strip() for cell in CELLS.split(row)]
        if len(cells) == 1:
            yield from _in_line(row)
        elif (head := _lot_column(cells)) is not None:
            column = head
        elif column is not None and column < len(cells):
            yield from map(written_lot, PIECES.split(cells[column]))
        else:
            yield from _in_cells(cells)


def _lot_column(cells: list[str]) -> int | None:
    return next((number for number, cell in enumerate(cells) if LOT_WORD.match(cell)), None)


def _in_cells(cells: Iterable[str]) -> Iterator[str]:
    """A row of a table that does not say which column holds the lots."""
    for cell in cells:
        yield from (lot for lot in _in_line(cell) if _is_strong(lot) or ANY in lot)


def _in_line(line: str) -> Iterator[str]:
    if GS1_LOT.search(line):
        yield from map(written_lot, GS1_LOT.findall(line))
        return
    before, *fields = FIELD.split(line)
    named = list(zip(fields[::2], fields[1::2], strict=True))
    lots = [content for name, content in named if name.lower().startswith(("lot", "batch"))]
    # Before the first label only what cannot be anything else: "Privigen 20 g, Lot: AB12".
    yield from (lot for lot in _in_pieces(before) if not lots or _is_strong(lot))
    for content in lots:
        yield from _in_pieces(content)


def _in_pieces(content: str) -> Iterator[str]:
    for piece in PIECES.split(NUMBERED.sub("", content.strip())):
        bare = NUMBERED.sub("", piece.strip())
        bare = BARE_LABEL.sub("", bare.strip(" .:\"'()[]•"))
        if bare and not BARE_OTHER.match(bare) and not LOT_WORD.match(bare):
            yield from _in_words(bare)


def _in_words(piece: str) -> Iterator[str]:
    """One word is a lot. Of several, those that look like lots if the rest is prose; else a lot typed with spaces."""
    words = piece.split()
    if len(words) > 1 and not SPLIT_LOT.match(piece):
        told = DATE.sub(" ", SIZE.sub(" ", piece))
        words = [word.strip(".:()") for word in told.split()]
        strong = [word for word in words if _is_strong(written_lot(word))]
        if strong and all(word in strong or word.isalpha() for word in words if word):
            yield from map(written_lot, strong)
            return
        is_prose = all(word.isalpha() for word in words if word)
        if is_prose and (told != piece or len(words) > 2):
            return
    yield written_lot(piece)


def _is_strong(lot: str) -> bool:
    """Looks like a lot wherever it stands."""
    if len(lot) < STRONG_LENGTH - lot.isdigit() or NDC.match(lot) or DATE.match(lot) or SIZE.match(lot):
        return False
    return len(lot) in PLAIN_NUMBERS if lot.isdigit() else any(character.isdigit() for character in lot)


def _is_writable(lot: str) -> bool:
    return len(lot) <= LONGEST_LOT and lot.isprintable() and any(character.isalnum() for character in lot)
