import pytest
from hypothesis import given
from hypothesis import strategies as st

from infusions.stock.lot_text import is_part, lots_in, pattern_of, pieces_of

LOTS = st.lists(st.from_regex(r"[A-Z]{1,3}[0-9]{5,8}[A-Z]{0,2}\*?", fullmatch=True), min_size=1, max_size=12)
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


@given(lots=st.lists(st.from_regex(r"[A-Z0-9]{1,30}", fullmatch=True), max_size=9), between=st.sampled_from("\n,;"))
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
        ("P100 234 567", ["P100234567"]),
        ("P100234567 P100234568", ["P100234567", "P100234568"]),
        ("Lots: A1, B2 and C3", ["A1", "B2", "C3"]),
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
