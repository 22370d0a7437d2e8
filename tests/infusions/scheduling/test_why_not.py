"""Every reason against a start with its object, names only for whom they are meant, and starts nearby that do fit."""

import datetime as dt

import pytest

from infusion_center.core import clock
from infusions.facility.models import ChairKind, ChairOutage, Closure, Setting
from infusions.scheduling.booking import book_appointment
from infusions.scheduling.models import BookingPreference
from infusions.scheduling.rules import approvals, booking_problems
from infusions.scheduling.why_not import explain_start
from tests.factories.accounts import make_staff
from tests.factories.facility import make_chair, make_nurse, make_shift, make_site
from tests.factories.orders import make_order
from tests.factories.patients import make_patient
from tests.factories.scheduling import make_appointment
from tests.infusions.scheduling.conftest import DAY, NOW, make_center

pytestmark = pytest.mark.django_db


def ada():
    return make_patient(given_name="Ada", family_name="Example")


def why(center, wall="10:00", *, order=None, day=DAY, by=None, **wishes):
    return explain_start(
        order=order or make_order(infusion_minutes=180),
        start=center.at(wall, day),
        setting=wishes.pop("setting", Setting.FACILITY),
        site=center.site,
        by=by or center.scheduler,
        **wishes,
    )


def told(found):
    return {problem.code: problem.message for problem in found.problems}


def walls(center, found):
    return [f"{clock.to_local(option.start, center.site.time_zone):%a %H:%M}" for option in found.nearest]


def name_all(center):
    for number, chair in enumerate(center.chairs, 1):
        chair.name = f"Chair {number}"
        chair.save()
    for nurse, name in zip(center.nurses, ("Nora Example", "Otto Example", "Petra Example"), strict=False):
        nurse.user.full_name = name
        nurse.user.save()
    return center


def test_a_start_that_fits_has_nothing_against_it(center):
    found = why(center)
    assert (found.problems, found.nearest, found.is_blocked) == ([], [], False)
    assert found.end == center.at("14:00")


def test_a_chair_that_was_asked_for_is_named_with_who_takes_it_and_when():
    center = name_all(make_center())
    make_appointment(chair=center.chairs[1], nurse=center.nurses[0], patient=ada(), day=DAY, at="12:00", minutes=75)
    found = why(center, chair=center.chairs[1])
    assert told(found) == {"chair-taken": "Chair 2 is taken 12:00–13:15 by Example, Ada."}
    # Another chair has the very start.
    assert walls(center, found)[0] == "Tue 10:00"


def test_names_are_for_members_of_the_site_only():
    center = name_all(make_center())
    make_appointment(chair=center.chairs[1], nurse=center.nurses[0], patient=ada(), day=DAY, at="12:00", minutes=75)
    stranger = make_staff(role="scheduler", site=make_site())
    for by in (stranger, make_staff(role="scheduler")):
        found = why(center, chair=center.chairs[1], by=by)
        assert told(found) == {"chair-taken": "Chair 2 is taken 12:00–13:15 by another visit."}


def test_with_no_chair_named_it_is_said_how_many_there_are_and_when_the_first_is_free():
    center = name_all(make_center(nurses=3))
    make_appointment(chair=center.chairs[0], nurse=center.nurses[0], patient=ada(), day=DAY, at="11:00", minutes=120)
    ChairOutage.objects.create(
        chair=center.chairs[1], starts_at=center.at("09:00"), ends_at=center.at("12:30"), reason="Pump"
    )
    assert told(why(center)) == {
        "chairs-taken": "None of the 2 chairs is free for the whole of 10:00–14:00: Chair 1 is taken 11:00–13:00 by "
        "Example, Ada; Chair 2 is taken at some time by an outage. Chair 2 is the first to be free long enough, "
        "from 12:30."
    }
    assert told(why(center, chair=center.chairs[1])) == {
        "chair-out-of-service": "Chair 2 is out of service during 10:00–14:00."
    }


def test_many_chairs_are_counted():
    center = name_all(make_center(chairs=5, nurses=2))
    for number, chair in enumerate(center.chairs):
        make_appointment(chair=chair, nurse=center.nurses[number % 2], day=DAY, at=f"{8 + number:02d}:00", minutes=300)
    message = told(why(center, "12:00"))["chairs-taken"]
    assert message == (
        "None of the 5 chairs is free for the whole of 12:00–16:00. "
        "Chair 1 is the first to be free long enough, from 13:00."
    )


def test_hands_are_told_nurse_by_nurse_with_the_patient_who_has_them():
    center = name_all(make_center(chairs=4))
    bob = make_patient(given_name="Bob", family_name="Sample")
    make_appointment(chair=center.chairs[0], nurse=center.nurses[0], patient=ada(), day=DAY, at="10:00", minutes=60)
    make_appointment(chair=center.chairs[1], nurse=center.nurses[1], patient=bob, day=DAY, at="13:45", minutes=90)
    found = why(center)
    assert told(found) == {
        "nurse-hands-busy": "Nobody has free hands 10:00–10:30 and 13:45–14:00: the hands of Nora Example are taken "
        "10:00–10:30 by Example, Ada; the hands of Otto Example are taken 13:45–14:15 by Sample, Bob."
    }
    assert told(why(center, nurse=center.nurses[0])) == {
        "nurse-hands-busy": "The hands of Nora Example are taken 10:00–10:30 by Example, Ada; "
        "the visit needs them 10:00–10:30 and 13:45–14:00."
    }


def test_the_only_nurse_with_free_hands_may_be_full():
    center = name_all(make_center(chairs=4, ratio=1))
    make_appointment(chair=center.chairs[0], nurse=center.nurses[0], patient=ada(), day=DAY, at="10:00", minutes=60)
    make_appointment(chair=center.chairs[1], nurse=center.nurses[1], day=DAY, at="11:00", minutes=60)
    assert told(why(center)) == {
        "nurse-hands-busy": "Only Otto Example has free hands 10:00–10:30 and 13:45–14:00: "
        "the hands of Nora Example are taken 10:00–10:30 by Example, Ada.",
        "ratio-full": "Nora Example has 1 of 1 patients 10:00–11:00; Otto Example has 1 of 1 patients 11:00–12:00.",
    }


def test_places_that_are_taken_one_after_the_other_are_told_from_a_full_ratio():
    center = name_all(make_center(chairs=4, nurses=1, ratio=2))
    for chair, place, at in zip(center.chairs, (0, 1), ("09:00", "13:00"), strict=False):
        make_appointment(
            chair=chair, nurse=center.nurses[0], day=DAY, at=at, minutes=90 if place == 0 else 120, ratio_place=place
        )
    assert told(why(center, "09:45")) == {
        "ratio-full": "Nora Example has none of 2 places free throughout, though never 2 patients at once."
    }


def test_nurses_who_leave_early_or_come_late_are_told_by_their_hours():
    center = name_all(make_center(days=0))
    make_shift(nurse=center.nurses[0], site=center.site, day=DAY, start="08:00", end="13:00")
    make_shift(nurse=center.nurses[1], site=center.site, day=DAY, start="12:00", end="18:00")
    message = f"on shift at {center.site.name} for the whole of 10:00–14:00"
    assert told(why(center)) == {
        "no-shift": f"No nurse is {message}: Nora Example works 08:00–13:00; Otto Example works 12:00–18:00."
    }
    assert told(why(center, nurse=center.nurses[0])) == {
        "no-shift": f"Nora Example is not {message}: Nora Example works 08:00–13:00."
    }
    third = make_nurse(site=center.site)
    make_shift(nurse=third, site=center.site, day=DAY, start="08:00", end="13:00")
    third.user.full_name = "Petra Example"
    third.user.save()
    assert told(why(center))["no-shift"].endswith(
        ": Nora Example and Petra Example work 08:00–13:00; Otto Example works 12:00–18:00."
    )
    other = make_nurse(site=center.site)
    assert told(why(center, nurse=other)) == {"no-shift": f"{other.user.full_name} is not {message}."}


def test_another_visit_of_the_patient_is_told_with_its_hours_and_place(center):
    order = make_order(infusion_minutes=180)
    make_appointment(site=make_site(), patient=order.patient, day=DAY, at="12:00", minutes=120)
    assert told(why(center, order=order)) == {"patient-busy": "The patient has another visit 12:00–14:00 elsewhere."}
    here = make_order(infusion_minutes=180)
    make_appointment(chair=make_chair(site=center.site), patient=here.patient, day=DAY, at="12:00", minutes=60)
    assert told(why(center, order=here))["patient-busy"] == (
        f"The patient has another visit 12:00–13:00 at {center.site.name}."
    )


def test_a_closed_day_is_told_with_its_reason_and_the_next_days_are_offered(center):
    Closure.objects.create(site=center.site, starts_on=DAY, ends_on=DAY, reason="Staff day")
    found = why(center)
    assert told(found) == {"closed": f"{center.site.name} is closed on Tue 3 Mar 2026: Staff day."}
    assert walls(center, found) == ["Mon 10:00", "Wed 10:00", "Thu 10:00", "Fri 10:00"]


def test_hours_grid_and_past_are_told(center):
    assert set(told(why(center, "16:30"))) == {"outside-hours", "no-shift"}
    assert "open 08:00–18:00" in told(why(center, "16:30"))["outside-hours"]
    assert set(told(why(center, "10:07"))) == {"start-off-grid"}
    assert walls(center, why(center, "10:07"))[:2] == ["Tue 10:00", "Tue 09:45"]
    past = why(center, "06:00", day=NOW.date())
    assert "in-the-past" in told(past)
    assert all(option.start >= NOW for option in past.nearest)


def test_what_the_order_forbids_is_told_with_what_binds_on_the_day(center):
    early = make_order(infusion_minutes=180, last_dose_on=DAY - dt.timedelta(days=21), doses_given=1)
    found = why(center, order=early)
    assert "is 3 days too early" in told(found)["dose-too-early"]
    assert found.is_blocked  # a scheduler may not decide it
    nurse = make_staff(role="nurse", site=center.site)
    decided = why(center, order=early, by=nurse)
    assert (decided.is_blocked, decided.needs_reason) == (False, True)
    # Nothing of the days around will do: the days in which it is due are offered.
    assert min(option.start for option in found.nearest) >= center.at("00:00", DAY + dt.timedelta(days=3))
    ended = make_order(infusion_minutes=180, valid_until=DAY - dt.timedelta(days=1))
    assert told(why(center, order=ended))["order-expired"].startswith("The order ended on")
    used = make_order(infusion_minutes=180, visits_authorized=1, doses_given=1)
    assert set(told(why(center, order=used))) == {"visits-used-up"}


def test_the_nearest_starts_are_of_the_same_day_earlier_and_later_and_then_of_days_around():
    center = make_center(chairs=1, nurses=2)
    make_appointment(chair=center.chairs[0], nurse=center.nurses[0], day=DAY, at="12:00", minutes=60)
    found = why(center, "11:00", order=make_order(infusion_minutes=60))
    assert walls(center, found) == ["Tue 10:00", "Tue 13:00", "Mon 11:00", "Wed 11:00", "Thu 11:00"]
    assert all(option.merits is not None for option in found.nearest)


def test_every_start_near_can_be_booked():
    center = make_center(chairs=1, nurses=1)
    make_appointment(chair=center.chairs[0], nurse=center.nurses[0], day=DAY, at="11:00", minutes=120)
    order = make_order(infusion_minutes=120)
    found = why(center, order=order)
    assert found.nearest
    for option in found.nearest:
        wishes = {"order": order, "setting": "facility", "site": center.site, "by": center.scheduler}
        problems = booking_problems(order=order, setting="facility", site=center.site, start=option.start, now=NOW)
        assert approvals(problems, center.scheduler) == []
    assert book_appointment(start=found.nearest[0].start, **wishes).start == found.nearest[0].start


def test_a_home_visit_is_explained_with_its_travel(center):
    road = make_nurse(site=center.site, visits_homes=True)
    road.user.full_name = "Rita Example"
    road.user.save()
    make_shift(nurse=road, site=center.site, day=DAY, start="08:00", end="18:00", setting=Setting.HOME)
    order = make_order(infusion_minutes=60, home_allowed=True)
    make_appointment(site=center.site, nurse=road, patient=ada(), setting=Setting.HOME, day=DAY, at="10:00", minutes=60)
    assert told(why(center, "11:15", order=order, setting=Setting.HOME)) == {
        "nurse-busy": "Booked while the visit and its travel take place: Rita Example 09:30–11:30 by Example, Ada."
    }


def test_a_needed_kind_of_chair_binds_in_search_booking_and_reasons():
    center = name_all(make_center(chairs=2))
    bed = make_chair(site=center.site, name="Bed 1", kind=ChairKind.BED)
    order = make_order(infusion_minutes=180)
    BookingPreference.objects.create(patient=order.patient, chair_kind=ChairKind.BED, needs_chair_kind=True)
    assert told(why(center, order=order, chair=center.chairs[0])) == {
        "chair-of-another-kind": "The patient needs a bed; Chair 1 is a recliner."
    }
    make_appointment(chair=bed, nurse=center.nurses[0], patient=ada(), day=DAY, at="12:00", minutes=60)
    assert told(why(center, order=order)) == {
        "chairs-taken": "The only bed is not free for the whole of 10:00–14:00: Bed 1 is taken 12:00–13:00 by "
        "Example, Ada. Bed 1 is the first to be free long enough, from 13:00."
    }
    wishes = {"order": order, "setting": "facility", "site": center.site, "by": center.scheduler}
    assert book_appointment(start=center.at("13:00"), **wishes).chair == bed


def test_explaining_costs_the_same_however_much_is_booked(django_assert_max_num_queries):
    center = make_center(chairs=4, nurses=3)
    order = make_order(infusion_minutes=180)
    for number in range(8):
        chair, nurse = center.chairs[number % 4], center.nurses[number % 3]
        make_appointment(
            chair=chair, nurse=nurse, day=DAY, at=f"{8 + number // 4 * 4:02d}:{number % 4 * 15:02d}", minutes=120
        )
    with django_assert_max_num_queries(24):  # seven of them ask whether others could make room
        assert why(center, order=order).problems
