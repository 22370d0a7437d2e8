import datetime as dt

import pytest

from infusions.facility.chair_services import take_chair_out
from infusions.facility.models import Chair, ChairOutage, Nurse, Shift
from infusions.facility.roster_services import add_shifts
from tests.factories.accounts import make_staff
from tests.factories.facility import make_chair, make_nurse, make_site
from tests.infusions.orders.test_races import at_once

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]
DAY = dt.date(2027, 3, 8)


def test_a_nurse_gets_no_overlapping_shifts():
    site, by = make_site(), make_staff(role="manager")
    nurse = make_nurse(site=site)
    answers = at_once(
        *(
            lambda hour=hour: add_shifts(
                nurse=Nurse.objects.get(pk=nurse.pk),
                site=site,
                days=[DAY],
                starts=dt.time(hour),
                ends=dt.time(18),
                by=by,
            )
            for hour in (8, 9, 10)
        )
    )
    assert (Shift.objects.count(), answers.count({"shift-overlaps"})) == (1, 2)


def test_a_chair_is_taken_out_once():
    chair, by = make_chair(site=make_site()), make_staff(role="manager")
    start = dt.datetime(2027, 3, 8, 9, tzinfo=dt.UTC)
    answers = at_once(
        *(
            lambda: take_chair_out(chair=Chair.objects.get(pk=chair.pk), starts_at=start, reason="Pump", by=by)
            for _ in range(3)
        )
    )
    assert (ChairOutage.objects.count(), answers.count({"outage-overlaps"})) == (1, 2)
