"""What a visit takes is defined by lanes_of; the fast drawing of a window must say the same."""

import datetime as dt
import random

import pytest

from infusion_center.core import clock
from infusions.facility.models import Setting
from infusions.scheduling.availability import rows_within
from infusions.scheduling.drawing import draw_visits, visit_of
from infusions.scheduling.lanes import lanes_of, patient_lane
from infusions.scheduling.models import Appointment
from tests.factories.facility import make_site
from tests.factories.scheduling import make_appointment
from tests.infusions.scheduling.conftest import DAY, make_center

ORIGIN = 2_000_000
PATIENT_ID = 7


def drawn_by_definition(visits, origin, size, patient_id):
    """Every lane quarter by quarter; of the patients only one is drawn."""
    bitmaps = {}
    for visit in visits:
        for lane, quarters in lanes_of(visit):
            if lane % 16 != 1 or lane == patient_lane(patient_id):
                for quarter in quarters:
                    bitmaps.setdefault(lane, 0)
                    if 0 <= quarter - origin < size:
                        bitmaps[lane] |= 1 << (quarter - origin)
    return {lane: bitmap for lane, bitmap in bitmaps.items() if bitmap}


def a_row(dice):
    """Any visit near the window: in a chair or at home, on the grid or off it, over early, late or not at all."""
    start = (ORIGIN + dice.randint(-90, 2500)) * 900 + dice.choice([0, 0, 0, 0, 137, 420])
    end = start + dice.choice([900, 2700, 7200, 16200, 18300, 100])
    finished = dice.choice([None, None, None, start + 60, end - 3600, end, end + 4000])
    chair_id = dice.choice([1, 2, 3, None])
    minutes = dice.choice([0, 15, 30, 40, 240]), dice.choice([0, 10, 15, 30])
    return (start, end, chair_id, dice.randint(1, 4), dice.randint(0, 5), dice.randint(6, 8), *minutes, 45, finished)


@pytest.mark.parametrize("seed", range(8))
def test_fast_drawing_says_what_the_lanes_of_each_visit_say(seed):
    dice = random.Random(seed)
    rows = [a_row(dice) for _ in range(300)]
    size = dice.choice([96, 1000, 2400])
    drawn = draw_visits(rows, ORIGIN, size, PATIENT_ID)
    assert {lane: bitmap for lane, bitmap in drawn.items() if bitmap} == drawn_by_definition(
        [visit_of(row) for row in rows], ORIGIN, size, PATIENT_ID
    )


@pytest.mark.django_db
def test_what_is_read_of_a_visit_takes_the_lanes_of_the_visit_itself():
    center = make_center()
    visit = make_appointment(chair=center.chairs[0], nurse=center.nurses[0], day=DAY, at="09:00", minutes=190)
    start, end = clock.day_bounds(DAY, center.site.time_zone)
    fraction = dt.timedelta(microseconds=999_999)
    for finished_at in (None, visit.start + dt.timedelta(hours=1), visit.start + dt.timedelta(minutes=89) + fraction):
        Appointment.objects.filter(pk=visit.pk).update(finished_at=finished_at)
        visit.refresh_from_db()
        (row,) = rows_within(center.site, [(start, end)], nurse_ids=[], patient_id=0)
        assert lanes_of(visit_of(row)) == lanes_of(visit)


@pytest.mark.django_db
def test_visits_elsewhere_are_read_for_the_patient_and_the_nurses_and_no_others():
    center, other = make_center(), make_site()
    kept = make_appointment(site=other, nurse=center.nurses[0], day=DAY, at="08:00", setting=Setting.HOME)
    own = make_appointment(site=other, day=DAY, at="13:00")
    make_appointment(site=other, day=DAY, at="09:00")
    start, end = clock.day_bounds(DAY, center.site.time_zone)
    rows = rows_within(center.site, [(start, end)], nurse_ids=[center.nurses[0].pk], patient_id=own.patient_id)
    seconds = [int(visit.start.timestamp()) for visit in (kept, own)]
    assert sorted(row[0] for row in rows) == seconds
