"""No start is refused that an assignment exists for, and none is offered without one: compared with an exact solver.

`python -m tests.bench.reseating_proof 5000` compares thousands of days and prints the counts.
"""

import random

import pytest

from infusions.scheduling.bitmaps import fitting
from infusions.scheduling.reseat_search import thinkable_starts
from infusions.scheduling.reseating import reseat_in
from infusions.scheduling.seating_puzzle import Puzzle
from tests.infusions.scheduling.reseating_days import LENGTH, generate, instant, rows_of, seen_by_search, wanted_at
from tests.infusions.scheduling.reseating_oracle import faults, newcomer, possible

DAYS = 20


@pytest.fixture(autouse=True)
def _frozen_clock():
    """Nothing here reads a clock."""


def judge(seed: int) -> tuple[int, int, int]:
    """Compares every start of one generated day; how many were free, freed by re-seating, impossible."""
    day, rng = generate(seed), random.Random(-seed)
    home, length = rng.random() < 0.15, rng.choice([5, 8, 12])
    kind = rng.choice(["", "", "", "recliner", "bed"])
    puzzle, counts = Puzzle(rows_of(day)), [0, 0, 0]
    direct, thinkable = starts_that_search_sees(day, length, home, kind)
    for start in range(max(day.now, 0), LENGTH - length + 2):
        found = reseat_in(puzzle.seeking(wanted_at(start, length, home=home, kind=kind)))
        wanted = newcomer(start, length, home)
        where = f"seed {seed}, start {start}"
        assert (found is not None) == possible(day, wanted, kind=kind), where
        if found is None:
            counts[2] += 1
            continue
        changes = {c.appointment.pk: (c.chair and c.chair.pk, c.nurse.pk, c.place) for c in found.changes}
        wanted.chair, wanted.nurse, wanted.place = found.seat.chair_id, found.seat.nurse_id, found.seat.place
        assert faults(day, wanted, changes) == [], where
        assert not kind or home or day.chairs[wanted.chair] == kind, where
        # What fits as it is needs no change; what needs one is asked about when a search runs short.
        assert direct >> start & 1 or thinkable >> start & 1, where
        assert not (direct >> start & 1 and found.visible), where
        counts[1 if found.visible else 0] += 1
    return tuple(counts)


def starts_that_search_sees(day, length, home, kind) -> tuple[int, int]:
    seen, need = seen_by_search(day, home=home, kind=kind), wanted_at(0, length, home=home).need
    fits = fitting(seen.picture, need)
    return fits.starts >> seen.bit(instant(0)), thinkable_starts(seen, need, fits) >> seen.bit(instant(0))


def test_every_start_of_generated_days_is_offered_if_and_only_if_it_can_be_seated():
    totals = [sum(column) for column in zip(*map(judge, range(DAYS)), strict=True)]
    assert min(totals) > DAYS  # the days are neither empty nor full
