"""Words sealed into an address: they open for who searched, for a day's work, and say nothing otherwise."""

import datetime as dt

import pytest

from infusion_center.core.searching import seal, unseal


@pytest.mark.parametrize("words", ["", "lópez mar", "3/12/1961", "%' OR 1=1 --", "x" * 100])
def test_sealed_words_open_for_who_searched_only(words):
    sealed = seal(words, whose="ann")
    assert (unseal(sealed, whose="ann"), unseal(sealed, whose="bea")) == (words, "")
    assert not words or words not in sealed


@pytest.mark.parametrize("sealed", ["", "x", "bright", "gAAAAA", "é", "=" * 200, "a" * 5000])
def test_what_was_not_sealed_here_is_no_search(sealed):
    assert unseal(sealed, whose="ann") == ""


def test_the_seal_holds_for_a_day_of_work(time_machine):
    time_machine.move_to(dt.datetime(2026, 6, 1, 12, tzinfo=dt.UTC), tick=False)
    sealed = seal("bright", whose="ann")
    time_machine.shift(dt.timedelta(hours=11))
    assert unseal(sealed, whose="ann") == "bright"
    time_machine.shift(dt.timedelta(hours=2))
    assert unseal(sealed, whose="ann") == ""
