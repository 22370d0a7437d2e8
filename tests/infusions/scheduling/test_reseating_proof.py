"""No start is refused that an assignment exists for, and none is offered without one: compared with an exact solver.

RESEATING_DAYS=5000 with --junitxml runs it long and keeps the counts; the seeds of the first days are always the same.
"""

import os
import random

import pytest

from infusions.scheduling.reseating import reseat
from tests.infusions.scheduling.reseating_days import LENGTH, generate, rows_of, wanted_at
from tests.infusions.scheduling.reseating_oracle import faults, newcomer, possible

DAYS = int(os.environ.get("RESEATING_DAYS", "20"))
FIRST = int(os.environ.get("RESEATING_FIRST", "0"))


@pytest.fixture(autouse=True)
def _frozen_clock():
    """Nothing here reads a clock."""


def judge(seed: int) -> tuple[int, int, int]:
    """Compares every start of one generated day; how many were free, freed by re-seating, impossible."""
    day, rng = generate(seed), random.Random(-seed)
    home, length = rng.random() < 0.15, rng.choice([5, 8, 12])
    kind = rng.choice(["", "", "", "recliner", "bed"])
    rows, counts = rows_of(day), [0, 0, 0]
    for start in range(max(day.now, 0), LENGTH - length + 2):
        found = reseat(rows, wanted_at(start, length, home=home, kind=kind))
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
        counts[1 if found.visible else 0] += 1
    return tuple(counts)


def test_every_start_of_generated_days_is_offered_if_and_only_if_it_can_be_seated(record_property):
    totals = [sum(column) for column in zip(*map(judge, range(FIRST, FIRST + DAYS)), strict=True)]
    record_property("starts that fit, that fit after re-seating, that cannot", totals)
    assert min(totals) > DAYS  # the days are neither empty nor full
