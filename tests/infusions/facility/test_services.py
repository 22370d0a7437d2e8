import datetime as dt

import pytest

from infusion_center.audit.models import AuditEvent
from infusion_center.core import clock
from infusion_center.core.rules import RuleViolation
from infusions.facility.models import Closure, OpeningHours, Setting, Site, SiteMembership
from infusions.facility.rules import OVER
from infusions.facility.services import (
    add_closure,
    add_member,
    add_public_holidays,
    amend_site,
    create_site,
    holidays_to_add,
    remove_closure,
    remove_member,
    set_opening_hours,
)
from infusions.scheduling.states import DONE, HOLDING, State
from tests.factories.accounts import make_staff
from tests.factories.facility import make_nurse, make_shift, make_site
from tests.factories.scheduling import make_appointment, next_weekday

pytestmark = pytest.mark.django_db
EIGHT_TO_FIVE = (dt.time(8), dt.time(17))


def actions():
    return list(AuditEvent.objects.order_by("pk").values_list("action", flat=True))


def written():
    return (
        list(Site.objects.order_by("pk").values("name", "time_zone", "preparation_minutes")),
        list(OpeningHours.objects.order_by("site", "weekday").values("weekday", "opens", "closes")),
        Closure.objects.count(),
        SiteMembership.objects.count(),
        AuditEvent.objects.count(),
    )


def refusal(service, **kwargs):
    before = written()
    with pytest.raises(RuleViolation) as refused:
        service(**kwargs)
    assert written() == before
    return refused.value.codes


def test_states_that_need_no_cover_are_those_that_hold_nothing_or_are_done():
    assert set(OVER) == (set(State) - HOLDING) | DONE


def test_create_site_makes_its_week_and_its_first_member(manager):
    site = create_site(name="New Center", time_zone="America/Denver", by=manager, hours={0: EIGHT_TO_FIVE, 6: None})
    assert list(site.opening_hours.values_list("weekday", "opens", "closes")) == [(0, *EIGHT_TO_FIVE)]
    assert list(Site.objects.visible_to(manager).filter(pk=site.pk)) == [site]
    assert actions() == ["site.created"]


@pytest.mark.parametrize(
    "fields", [{"time_zone": "America/Nowhere"}, {"name": ""}, {"time_zone": "Mars"}, {"default_ratio": -1}]
)
def test_create_site_refuses_what_cannot_be(manager, fields):
    assert refusal(create_site, by=manager, **{"name": "New Center", "time_zone": "UTC", **fields}) == {"invalid"}


def test_amend_site_records_what_changed(site, manager):
    amend_site(site=site, by=manager, preparation_minutes=45, quiet_from=dt.time(21), name=site.name)
    site.refresh_from_db()
    assert (site.preparation_minutes, site.quiet_from) == (45, dt.time(21))
    assert AuditEvent.objects.get().detail == {"changed": ["preparation_minutes", "quiet_from"], "overridden": []}


def test_amend_site_without_a_change_leaves_no_trace(site, manager):
    amend_site(site=site, by=manager, preparation_minutes=30)
    assert actions() == []


def test_a_new_time_zone_needs_a_reason_once_visits_are_booked(site, manager):
    amend_site(site=site, by=manager, time_zone="America/Chicago")
    make_appointment(site=site)
    assert refusal(amend_site, site=site, by=manager, time_zone="UTC") == {"visits-uncovered"}
    amend_site(site=site, by=manager, time_zone="UTC", override_reason="Entered wrongly")
    site.refresh_from_db()
    assert site.time_zone == "UTC"


def test_set_opening_hours_replaces_the_week(site, manager):
    set_opening_hours(site=site, hours={1: EIGHT_TO_FIVE, 2: EIGHT_TO_FIVE, 3: None}, by=manager)
    assert list(site.opening_hours.values_list("weekday", flat=True)) == [1, 2]
    assert AuditEvent.objects.get().detail["weekdays"] == [0, 1, 2, 3, 4]


def test_set_opening_hours_refuses_a_day_that_closes_before_it_opens(site, manager):
    hours = {0: (dt.time(17), dt.time(8))}
    assert refusal(set_opening_hours, site=site, hours=hours, by=manager) == {"hours-backwards"}


def test_set_opening_hours_counts_the_visits_left_outside(site, manager):
    day = next_weekday(site)
    make_appointment(site=site, day=day, at="13:00", minutes=240)
    make_appointment(site=site, day=day, at="14:00", minutes=240)
    make_appointment(site=site, day=day, at="14:00", minutes=240, state="cancelled")
    hours = dict.fromkeys(range(5), EIGHT_TO_FIVE)
    with pytest.raises(RuleViolation) as refused:
        set_opening_hours(site=site, hours=hours, by=manager)
    assert "1 booked visit would lie outside the new hours" in str(refused.value)
    assert site.opening_hours.first().closes == dt.time(18)
    set_opening_hours(site=site, hours=hours, by=manager, override_reason="The late patient knows")
    assert site.opening_hours.first().closes == dt.time(17)


def test_add_closure_closes_whole_local_days(site, manager):
    first = next_weekday(site)
    closure = add_closure(
        site=site, starts_on=first, ends_on=first + dt.timedelta(days=2), reason=" New floor ", by=manager
    )
    assert (closure.reason, AuditEvent.objects.get().detail) == ("New floor", {"days": 3, "overridden": []})


@pytest.mark.parametrize(
    ("days", "reason", "code"), [(-1, "Floor", "invalid"), (0, " ", "invalid"), (366, "Floor", "closure-too-long")]
)
def test_add_closure_refuses_what_cannot_be(site, manager, days, reason, code):
    first = next_weekday(site)
    last = first + dt.timedelta(days=days)
    assert refusal(add_closure, site=site, starts_on=first, ends_on=last, reason=reason, by=manager) == {code}


def test_add_closure_over_booked_visits_needs_a_reason(site, manager):
    day = next_weekday(site)
    make_appointment(site=site, day=day)
    make_appointment(site=site, day=day, setting=Setting.HOME)
    make_appointment(site=site, day=day, state="cancelled")
    make_appointment(site=site, day=day + dt.timedelta(days=7))
    with pytest.raises(RuleViolation) as refused:
        add_closure(site=site, starts_on=day, ends_on=day, reason="Floor", by=manager)
    assert str(refused.value) == "2 booked visits would fall on a closed day."
    assert Closure.objects.count() == 0
    add_closure(site=site, starts_on=day, ends_on=day, reason="Floor", by=manager, override_reason="Burst pipe")
    assert AuditEvent.objects.get().detail["overridden"] == ["visits-uncovered"]


def test_remove_closure_leaves_only_the_trace(site, manager):
    day = next_weekday(site)
    remove_closure(closure=add_closure(site=site, starts_on=day, ends_on=day, reason="Floor", by=manager), by=manager)
    assert (Closure.objects.count(), actions()) == (0, ["closure.added", "closure.removed"])


def test_holidays_to_add_are_those_on_open_days(manager):
    site = make_site()
    days = dict(holidays_to_add(site, 2027))
    assert days[dt.date(2027, 11, 25)] == "Thanksgiving Day"
    assert dt.date(2027, 7, 4) not in days  # a Sunday; observed on Monday
    assert "observed" in days[dt.date(2027, 7, 5)]


def test_holidays_of_a_region_are_its_own():
    in_texas = dict(holidays_to_add(make_site(region="TX"), 2027))
    assert dt.date(2027, 3, 2) in in_texas
    assert dt.date(2027, 3, 2) not in dict(holidays_to_add(make_site(region="NY"), 2027))


def test_add_public_holidays_adds_the_chosen_days_once(site, manager):
    thanksgiving, christmas = dt.date(2027, 11, 25), dt.date(2027, 12, 24)
    add_public_holidays(site=site, year=2027, days=[thanksgiving, christmas, dt.date(2027, 3, 3)], by=manager)
    add_public_holidays(site=site, year=2027, days=[thanksgiving], by=manager)
    rows = list(site.closures.values_list("starts_on", "is_holiday"))
    assert rows == [(thanksgiving, True), (christmas, True)]
    everything = add_public_holidays(site=site, year=2027, by=manager)
    assert (thanksgiving in {row.starts_on for row in everything}, len(everything) > 5) == (False, True)


def test_holidays_of_an_unknown_country_are_an_error(site):
    site.country = "XX"
    with pytest.raises(ValueError, match="No public holidays are known for XX"):
        holidays_to_add(site, 2027)


def test_members_are_added_once_and_removed(site, manager):
    person = make_staff()
    add_member(site=site, user=person, by=manager)
    add_member(site=site, user=person, by=manager)
    assert list(Site.objects.visible_to(person)) == [site]
    remove_member(site=site, user=person, by=manager)
    remove_member(site=site, user=person, by=manager)
    assert list(Site.objects.visible_to(person)) == []
    assert actions() == ["site.member_added", "site.member_removed"]


def test_nobody_removes_himself_from_a_site(site, manager):
    assert refusal(remove_member, site=site, user=manager, by=manager) == {"own-membership"}


def test_a_nurse_with_shifts_ahead_stays_a_member(site, manager):
    nurse = make_nurse(site=site)
    make_shift(nurse=nurse, site=site, day=clock.now().date() + dt.timedelta(days=2))
    assert refusal(remove_member, site=site, user=nurse.user, by=manager) == {"member-has-shifts"}
