"""What a scanner reads from a vial or its carton: GS1 element strings in, product number, lot, expiry, serial out."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

from biip import ParseError
from biip.gs1_digital_link_uris import GS1DigitalLinkURI
from biip.gs1_element_strings import GS1ElementStrings
from biip.gs1_messages import GS1Message
from biip.gtin import Gtin

from infusions.stock.lots import written_lot

SEPARATOR = "\x1d"
# What scanners that type like a keyboard send where the code holds the separator.
TYPED_SEPARATORS = ("<GS>", "{GS}", "[GS]", "^]", "\u241d", "\t")
LONGEST = 200  # a pharmacy code has fewer than a hundred characters
GTIN, LOT, EXPIRY, SERIAL = "01", "10", "17", "21"
PLAIN_GTIN = re.compile(r"[0-9]{12,14}")
SYMBOLOGY = re.compile(r"^\][A-Za-z][0-9A-Za-z]")  # scanners may say first which kind of code it was: ]d2, ]C1, ]Q3
# Where a field without an end may have swallowed the next one: a lot or serial, an expiry or a production date.
SWALLOWED = {
    LOT: re.compile(r"10.|17\d\d[01]\d[0-3]\d|11\d\d[01]\d[0-3]\d"),
    SERIAL: re.compile(r"21.|17\d\d[01]\d[0-3]\d|11\d\d[01]\d[0-3]\d"),
}


class UnreadableCode(ValueError):
    """Said to whoever scanned: what is wrong with the code and what to do."""


@dataclass(frozen=True)
class ScannedVial:
    """What the code says; what it does not say is empty. `is_doubtful`: lot or serial may have run into each other."""

    gtin: str = ""
    lot: str = ""
    expires_on: dt.date | None = None
    serial: str = ""
    is_doubtful: bool = False


def written_gtin(text: str) -> str:
    """Twelve to fourteen digits with a right check digit, as fourteen. Raises UnreadableCode."""
    digits = re.sub(r"[\s-]", "", text)
    if not PLAIN_GTIN.fullmatch(digits):
        raise UnreadableCode("A product number (GTIN) has 12 to 14 digits.")
    try:
        return Gtin.parse(digits).as_gtin_14()
    except ParseError:
        raise UnreadableCode("The check digit of the product number is wrong. Scan it again.") from None


def read_code(text: str) -> ScannedVial:
    """Read a GS1 DataMatrix, GS1-128 or QR code, its printed form in brackets, or a bare product number.

    Raises UnreadableCode.
    """
    code = _with_separators(text)
    if not code:
        raise UnreadableCode("Nothing was scanned.")
    if len(code) > LONGEST:
        raise UnreadableCode("That is longer than a code on a vial. Scan one code at a time.")
    code = SYMBOLOGY.sub("", code).lstrip(SEPARATOR)
    if PLAIN_GTIN.fullmatch(code):
        return ScannedVial(gtin=written_gtin(code))
    is_raw = not code.startswith("(") and not _is_link(code)
    return _vial(_elements(code), may_have_run_on=is_raw and SEPARATOR not in code)


def _with_separators(text: str) -> str:
    text = text.strip(" \r\n\t\0")
    for typed in TYPED_SEPARATORS:
        text = text.replace(typed, SEPARATOR)
    return text.strip(f" \r\n{SEPARATOR}")


def _is_link(code: str) -> bool:
    return code.lower().startswith(("http://", "https://"))


def _elements(code: str) -> GS1ElementStrings:
    try:
        if code.startswith("("):
            return GS1Message.parse_hri(code).element_strings
        if _is_link(code):
            return GS1DigitalLinkURI.parse(code).element_strings
        return GS1Message.parse(code).element_strings
    except (ParseError, ValueError):
        raise _not_of_a_vial() from None


def _not_of_a_vial() -> UnreadableCode:
    return UnreadableCode("This is not a code of a vial. Scan the square code on vial or carton, or type what it says.")


def _vial(elements: GS1ElementStrings, *, may_have_run_on: bool) -> ScannedVial:
    found = {name: {one.value for one in elements if one.ai.ai == name} for name in (GTIN, LOT, EXPIRY, SERIAL)}
    if any(len(values) > 1 for values in found.values()):
        raise UnreadableCode("Two codes came at once. Scan one vial at a time.")
    product = elements.get(ai=GTIN)
    if product is None:
        raise UnreadableCode("This code does not name the product. Scan the square code on the vial.")
    if product.gtin is None:
        raise UnreadableCode("The check digit of the product number is wrong. Scan it again.")
    lot, serial = (next(iter(found[name]), "") for name in (LOT, SERIAL))
    expiry = next((one.date for one in elements if one.ai.ai == EXPIRY), None)
    return ScannedVial(
        gtin=product.gtin.as_gtin_14(),
        lot=written_lot(lot),
        expires_on=expiry,
        serial=serial,
        is_doubtful=may_have_run_on and (_swallowed(lot, SERIAL, serial) or _swallowed(serial, LOT, lot)),
    )


def _swallowed(field: str, other: str, value: str) -> bool:
    """Whether a field of open length may hold the next one: the code carried no separator and the next is missing."""
    inside = SWALLOWED[other].search(field, 1) if field else None
    return inside is not None and (not value or not inside.group().startswith(other))
