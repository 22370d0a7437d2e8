import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infusions.stock.lot_text import is_part, lots_in, pattern_of, pieces_of

LOT = st.builds(
    "{}{:06d}{}".format,
    st.sampled_from(["A", "LE", "P", "XYZ"]),
    st.integers(min_value=0, max_value=10**8),
    st.sampled_from(["", "B", "AB", "*"]),
)
LOTS = st.lists(LOT, min_size=1, max_size=12)
WORDS = st.lists(st.text("ABCLOT0189", min_size=1, max_size=30), max_size=9)
SEPARATORS = st.sampled_from(
    [",", ", ", ";", " ; ", "\n", "\r\n", "\t", " | ", "  ", "\n\n", " and ", "\nLot: ", ", Lot # ", "\n• ", "\n2. "]
)
SPELLINGS = st.sampled_from([str, str.lower, lambda lot: f" {lot} ", lambda lot: f"{lot}\u00a0"])


@given(lots=LOTS, data=st.data())
def test_lots_in_finds_each_lot_once_whatever_stands_between(lots, data):
    text = data.draw(st.sampled_from(["", "Lot: ", "Lots\n", "lot no. "]))
    for number, lot in enumerate(lots):
        text += (data.draw(SEPARATORS) if number else "") + data.draw(SPELLINGS)(lot)
    assert lots_in(text) == list(dict.fromkeys(lots))


@given(lots=WORDS, between=st.sampled_from("\n,;"))
def test_lots_in_takes_any_single_word_of_a_list(lots, between):
    lots = [lot for lot in lots if lot not in {"LOT", "LOTS", "BATCH", "BATCHES"}]
    assert lots_in(between.join(lots)) == list(dict.fromkeys(lots))


@given(text=st.text(max_size=300))
def test_lots_in_writes_alike_whatever_is_pasted(text):
    found = lots_in(text)
    assert [lot for lot in found if lot != "".join(lot.split()).upper() or len(lot) > 30] == []
    assert len(set(found)) == len(found)


@pytest.mark.parametrize(
    ("text", "lots"),
    [
        (" ab 12", ["AB12"]),
        ("lot a", ["LOTA"]),
        ("le 120345", ["LE120345"]),
        ("Privigen 120345", ["120345"]),
        ("Lot\tNDC\nle x 120345\t44206-436-05", ["LEX120345"]),
        ("P100 234 567", ["P100234567"]),
        ("P100234567 P100234568", ["P100234567", "P100234568"]),
        ("Lots: A1, B2 and C3", ["A1", "B2", "C3"]),
        ("A1, B2, or  C3 & D4", ["A1", "B2", "C3", "D4"]),
        ("Lot AB12; Batch no CD34", ["AB12", "CD34"]),
        ("Lot: AB12 Exp: 2027-10-31 Lot: CD34 Exp: 10/2027", ["AB12", "CD34"]),
        ("AB12, exp 10/2027", ["AB12"]),
        ("Privigen 20 g, Lot: AB12", ["AB12"]),
        ("Recall of Privigen 20 g lots P100234567 and P100234568 due to reports", ["P100234567", "P100234568"]),
        ("We are writing to you", []),
        ("(01)00344206436055(17)271031(10)P100234567(21)9988", ["P100234567"]),
        ("Product\tLot\tExpires\nPrivigen 20 g\tAB 12\t2027-10-31\nPrivigen 10 g\tCD34\t2027-11-30", ["AB12", "CD34"]),
        ("| Lot No. | NDC |\n| 771 | 44206-436-05 |", ["771"]),
        ("Privigen 20 g\tP100234567\t31-Oct-2027\t44206-436-05\t120\t00344206436055", ["P100234567"]),
        ("P1002*\n*4567\nP1*67", ["P1002*", "*4567", "P1*67"]),
        ("", []),
        ("; , \n *", []),
    ],
)
def test_lots_in_reads(text, lots):
    assert lots_in(text) == lots


@pytest.mark.parametrize(
    "text",
    ["lot" + " " * 3000 + "x", "lot " + "." * 40000 + "x", "lots\t" + "#" * 40000 + "x", "lot , " * 8000, "1 " * 25000],
    ids=lambda text: text[:6],
)
def test_a_long_paste_is_read_in_a_moment(text):
    began = time.process_time()
    lots_in(text)
    assert time.process_time() - began < 2


def test_a_part_of_many_asterisks_is_matched_in_a_moment():
    began = time.process_time()
    assert pattern_of("AAA*" + "A*" * 10 + "B").fullmatch("A" * 30) is None
    assert time.process_time() - began < 1


def test_a_part_stands_for_what_its_asterisks_leave_open():
    assert [is_part(lot) for lot in ("AB12", "AB*", "A*2")] == [False, True, True]
    lots = ["AB12", "AB1", "XAB12", "AB12X", "AB.12"]
    matched = {
        part: [lot for lot in lots if pattern_of(part).fullmatch(lot)] for part in ("AB1*", "*AB1*", "A*2", "AB.1*")
    }
    assert matched == {
        "AB1*": ["AB12", "AB1", "AB12X"],
        "*AB1*": ["AB12", "AB1", "XAB12", "AB12X"],
        "A*2": ["AB12", "AB.12"],
        "AB.1*": ["AB.12"],
    }
    assert pieces_of("*A*123*B7") == ["123", "B7", "A"]
