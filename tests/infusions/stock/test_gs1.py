"""Codes as scanners send them, and what must never be guessed."""

import datetime as dt
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infusions.stock.gs1 import ScannedVial, UnreadableCode, read_code, written_gtin
from tests.factories.stock import gtin_of

GTIN = gtin_of("0021234500001")
NDC = "00344206436059"  # 3, then the ten digits of an NDC
OCTOBER, NOVEMBER = dt.date(2028, 10, 31), dt.date(2028, 11, 30)
WHOLE = ScannedVial(GTIN, "AB12", OCTOBER, "SN1")


@pytest.mark.parametrize(
    ("code", "vial"),
    [
        # DataMatrix as scanners send it, with the separator in each of its guises
        (f"]d201{GTIN}1728103110AB12\x1d21SN1", WHOLE),
        (f"]d2\x1d01{GTIN}1728103110AB12\x1d21SN1\r\n", WHOLE),
        (f"01{GTIN}1728103110AB12<GS>21SN1", WHOLE),
        (f"01{GTIN}1728103110AB12{{GS}}21SN1", WHOLE),
        (f"01{GTIN}1728103110AB12^]21SN1", WHOLE),
        (f"01{GTIN}1728103110AB12\u241d21SN1", WHOLE),
        (f"01{GTIN}1728103110AB12\t21SN1\t", WHOLE),
        # serial before lot, as on most US packs; lot last needs no separator
        (f"01{GTIN}21SN1\x1d1728103110AB12", WHOLE),
        (f"]C101{GTIN}21SN1\x1d1728103110ab12", WHOLE),
        (f"]Q301{GTIN}1728103121SN1\x1d10AB12", WHOLE),
        # as printed for people, and as an address
        (f"(01){GTIN}(17)281031(10)AB12(21)SN1", WHOLE),
        (f" (01) {GTIN} (17) 281031 (10) AB 12 (21) SN1", WHOLE),
        (f"https://id.gs1.org/01/{GTIN}/10/AB12/21/SN1?17=281031", WHOLE),
        # day 00 is the last day of the month, also of February
        (f"01{GTIN}1728100010AB12", ScannedVial(GTIN, "AB12", OCTOBER)),
        (f"01{GTIN}1728020010AB12", ScannedVial(GTIN, "AB12", dt.date(2028, 2, 29))),
        (f"01{GTIN}1727020010AB12", ScannedVial(GTIN, "AB12", dt.date(2027, 2, 28))),
        # production date and count are no expiry
        (f"01{GTIN}11250101301\x1d17281130", ScannedVial(GTIN, expires_on=NOVEMBER)),
        (f"01{NDC}1728103110P100456789", ScannedVial(NDC, "P100456789", OCTOBER)),
        # a bare product number, as 14, 13 or 12 digits
        (GTIN, ScannedVial(GTIN)),
        (GTIN[1:], ScannedVial(GTIN)),
        (GTIN[2:], ScannedVial(GTIN)),
        (NDC[2:], ScannedVial(NDC)),
    ],
)
def test_read_code_reads_what_scanners_send(code, vial):
    assert read_code(code) == vial


@pytest.mark.parametrize(
    ("code", "vial"),
    [
        (f"01{GTIN}1728103110AB1221SN1", ScannedVial(GTIN, "AB1221SN1", OCTOBER, is_doubtful=True)),
        (f"01{GTIN}1728103121SN110AB12", ScannedVial(GTIN, "", OCTOBER, "SN110AB12", is_doubtful=True)),
        (f"01{GTIN}10AB1217281031", ScannedVial(GTIN, "AB1217281031", is_doubtful=True)),
        # the serial is there, or a separator: 21 and 10 inside are just digits
        (f"01{GTIN}21S10\x1d10AB21X", ScannedVial(GTIN, "AB21X", None, "S10")),
        (f"(01){GTIN}(10)AB21X", ScannedVial(GTIN, "AB21X")),
    ],
)
def test_read_code_says_when_lot_and_serial_may_have_run_together(code, vial):
    assert read_code(code) == vial


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("", "Nothing was scanned"),
        ("\x1d\t ", "Nothing was scanned"),
        ("junk", "not a code of a vial"),
        ("3456", "not a code of a vial"),
        ("]", "not a code of a vial"),
        ("]d2", "does not name the product"),
        ("https://example.com/", "not a code of a vial"),
        ("(" * 50, "not a code of a vial"),
        (f"01{GTIN}17281340", "not a code of a vial"),  # month 13
        (f"01{GTIN}10{'A' * 21}", "not a code of a vial"),  # lots have at most twenty characters
        ("10AB12\x1d21SN1", "does not name the product"),
        (f"01{GTIN[:-1]}{(int(GTIN[-1]) + 1) % 10}10AB12", "check digit"),
        (f"{NDC[:-1]}8", "check digit"),
        (f"01{GTIN}10AB12\x1d01{NDC}10CD34", "Two codes"),
        (f"01{GTIN}10AB12" * 100, "longer than a code"),
        ("x" * 1000, "longer than a code"),
    ],
)
def test_read_code_refuses_with_what_to_do(code, words):
    with pytest.raises(UnreadableCode, match=words):
        read_code(code)


LETTERS = st.text(string.ascii_uppercase + string.digits + "-/.", min_size=1, max_size=20)


@given(
    payload=st.text(string.digits, min_size=13, max_size=13),
    lot=LETTERS,
    serial=LETTERS,
    expires_on=st.dates(dt.date(2020, 1, 1), dt.date(2060, 12, 31)),
    order=st.permutations(["01", "10", "17", "21"]),
    separator=st.sampled_from(["\x1d", "<GS>", "^]", "\u241d", "\t"]),
)
def test_read_code_reads_back_what_was_encoded(payload, lot, serial, expires_on, order, separator):
    values = {"01": gtin_of(payload), "10": lot, "17": f"{expires_on:%y%m%d}", "21": serial}
    code = "".join(name + values[name] + (separator if name in ("10", "21") else "") for name in order)
    assert read_code(code) == ScannedVial(gtin_of(payload), lot, expires_on, serial)


@given(st.text(max_size=300))
def test_read_code_answers_or_refuses_whatever_comes(text):
    try:
        assert isinstance(read_code(text), ScannedVial)
    except UnreadableCode as error:
        assert str(error)


def test_written_gtin_takes_hyphens_and_refuses_letters():
    assert written_gtin("0-0212345 000014") == GTIN
    with pytest.raises(UnreadableCode, match="12 to 14 digits"):
        written_gtin("ABC")
