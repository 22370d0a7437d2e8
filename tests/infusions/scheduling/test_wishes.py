"""What patients prefer and sites weigh, through the whole search."""

import datetime as dt

import pytest

from infusion_center.core import clock
from infusions.facility.models import ChairKind, Setting
from infusions.orders.models import InfusionOrder
from infusions.scheduling.models import BookingPreference
from infusions.scheduling.slots import find_slots
from tests.factories.facility import make_chair, make_shift
from tests.factories.orders import make_order
from tests.factories.scheduling import make_appointment
from tests.infusions.scheduling.conftest import DAY, make_center

pytestmark = pytest.mark.django_db
WEDNESDAY = DAY + dt.timedelta(days=1)


def wishing(**fields):
    order = make_order(infusion_minutes=180)
    BookingPreference.objects.create(patient=order.patient, **fields)
    return order


def best(center, order, *, days=2, **wishes):
    wishes = {"earliest": DAY, "latest": DAY + dt.timedelta(days=days - 1), "limit": None} | wishes
    return find_slots(order, setting=Setting.FACILITY, site=center.site, **wishes).options


def wall(center, option):
    return f"{clock.to_local(option.start, center.site.time_zone):%a %H:%M}"


def weigh(center, **weights):
    names = ("weight_level", "weight_chairs", "weight_wishes", "weight_due")
    for name in names:
        setattr(center.site, name, weights.get(name, 0))
    center.site.save()


def test_the_day_and_hours_that_are_wished_for_come_first_and_are_said(center):
    order = wishing(weekdays=[2], earliest=dt.time(9), latest=dt.time(11))
    first = best(center, order)[0]
    assert wall(center, first) == "Wed 09:00"
    assert "Wednesday morning as wished" in first.merits


@pytest.mark.parametrize(
    ("wish", "first", "word"),
    [
        ({"weekdays": [2]}, "Wed 08:00", "Wednesday as wished"),
        ({"earliest": dt.time(13)}, "Tue 13:00", "afternoon as wished"),
        ({"latest": dt.time(10)}, "Tue 08:00", "morning as wished"),
    ],
)
def test_each_wish_by_itself(center, wish, first, word):
    weigh(center, weight_wishes=3)
    option = best(center, wishing(**wish))[0]
    assert (wall(center, option), option.merits) == (first, (word,))


def test_wishes_do_not_count_where_the_site_leaves_them_out(center):
    order = wishing(weekdays=[2], earliest=dt.time(9), chair_kind=ChairKind.BED)
    weigh(center)
    option = best(center, order)[0]
    assert (wall(center, option), option.merits) == ("Tue 08:00", ())


def test_the_nurse_asked_for_is_given_before_the_one_of_the_last_visit(center):
    first, second = center.nurses
    order = wishing(nurse=first)
    make_appointment(order=order, nurse=second, site=center.site, day=dt.date(2026, 2, 3), at="09:00")
    option = best(center, order)[0]
    assert (option.nurse, "the nurse asked for" in option.merits) == (first, True)


def test_a_chair_of_the_wished_kind_is_given_and_recliners_before_beds_to_all_others():
    center = make_center(chairs=0)
    bed = make_chair(site=center.site, kind=ChairKind.BED)
    recliner = make_chair(site=center.site)
    wished = best(center, wishing(chair_kind=ChairKind.BED))[0]
    assert (wished.chair, "bed as wished" in wished.merits) == (bed, True)
    assert best(center, make_order(infusion_minutes=180))[0].chair == recliner


def test_a_needed_kind_is_the_only_one_searched_and_said():
    center = make_center(chairs=2)
    bed = make_chair(site=center.site, kind=ChairKind.BED)
    make_appointment(chair=bed, nurse=center.nurses[0], day=DAY, at="08:00", minutes=240)
    order = wishing(chair_kind=ChairKind.BED, needs_chair_kind=True)
    found = find_slots(order, setting=Setting.FACILITY, site=center.site, earliest=DAY, latest=DAY, limit=None)
    assert {option.chair for option in found.options} == {bed}
    assert min(wall(center, option) for option in found.options) == "Tue 12:00"
    assert "chair-kind-needed" in [problem.code for problem in found.refusals]


def test_a_site_without_the_needed_kind_offers_nothing_and_says_so(center):
    order = wishing(chair_kind=ChairKind.PRIVATE_ROOM, needs_chair_kind=True)
    found = find_slots(order, setting=Setting.FACILITY, site=center.site, earliest=DAY, latest=DAY)
    assert found.options == []
    missing = {problem.code: problem.message for problem in found.refusals}["chair-kind-missing"]
    assert missing == f"The patient needs a private room, and {center.site.name} has none."


def test_the_due_day_is_praised_only_where_something_is_due(center):
    due = make_order(infusion_minutes=180, last_dose_on=WEDNESDAY - dt.timedelta(days=28), doses_given=1)
    option = best(center, due)[0]
    assert (wall(center, option)[:3], "on the due day" in option.merits) == ("Wed", True)
    assert not any("on the due day" in option.merits for option in best(center, make_order(infusion_minutes=180)))


def test_a_busy_morning_is_left_for_calmer_hours_and_the_option_says_that_it_levels_the_day():
    center = make_center(chairs=6, nurses=2)
    for chair, nurse in zip(center.chairs, center.nurses, strict=False):
        make_appointment(chair=chair, nurse=nurse, day=DAY, at="09:00", minutes=120)
    make_appointment(chair=center.chairs[2], nurse=center.nurses[0], day=DAY, at="08:00", minutes=120)
    weigh(center, weight_level=3)
    option = best(center, make_order(infusion_minutes=60), days=1)[0]
    assert option.start >= center.at("11:00")
    assert "levels the day" in option.merits
    weigh(center)
    assert wall(center, best(center, make_order(infusion_minutes=60), days=1)[0]) == "Tue 08:00"


def test_a_start_that_fills_a_gap_is_praised_for_it():
    center = make_center(chairs=1, nurses=2)
    for at in ("08:00", "14:00"):
        make_appointment(chair=center.chairs[0], nurse=center.nurses[0], day=DAY, at=at, minutes=120)
    option = best(center, make_order(infusion_minutes=180), days=1)[0]
    assert (wall(center, option), "fills a gap" in option.merits) == ("Tue 10:00", True)


def test_hours_that_are_wished_follow_the_wall_clock_across_a_change_of_clocks():
    center = make_center(days=0)
    monday = dt.date(2026, 3, 9)  # clocks went forward on the day before
    for day in (dt.date(2026, 3, 6), monday):
        make_shift(nurse=center.nurses[0], site=center.site, day=day)
    options = best(center, wishing(earliest=dt.time(9), latest=dt.time(9)), earliest=dt.date(2026, 3, 6), latest=monday)
    wished = {wall(center, option) for option in options if "morning as wished" in option.merits}
    assert wished == {"Fri 09:00", "Mon 09:00"}


def test_a_search_with_every_wish_costs_six_queries(center, django_assert_num_queries):
    pk = wishing(
        weekdays=[1], earliest=dt.time(8), nurse=center.nurses[0], chair_kind=ChairKind.RECLINER, needs_chair_kind=True
    ).pk
    order = InfusionOrder.objects.select_related("patient", "product").get(pk=pk)
    with django_assert_num_queries(6):
        assert best(center, order)
