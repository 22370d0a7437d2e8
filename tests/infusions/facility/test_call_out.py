"""A nurse cannot come: which hours leave the roster, which stay, and where the page leads."""

import datetime as dt

import pytest

from infusion_center.audit.models import AuditEvent
from infusion_center.core import clock
from infusion_center.core.rules import RuleViolation
from infusions.facility.models import Setting, Shift
from infusions.facility.roster_services import call_out
from tests.factories.accounts import make_staff
from tests.factories.facility import make_nurse, make_shift, make_site
from tests.factories.scheduling import make_appointment, next_weekday

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
DAY = dt.date(2026, 3, 3)


def at(site, wall, day=DAY):
    return clock.from_local(day, dt.time.fromisoformat(wall), site.time_zone)


def hours_of(nurse):
    """Each shift by the wall clock of its site, with what else it says."""
    shifts = Shift.objects.filter(nurse=nurse).select_related("site").order_by("starts_at")
    return [
        (
            f"{clock.to_local(shift.starts_at, shift.site.time_zone):%d %H:%M}",
            f"{clock.to_local(shift.ends_at, shift.site.time_zone):%d %H:%M}",
            shift.ratio,
        )
        for shift in shifts
    ]


def out(nurse, start, end, **changed):
    wanted = {"reason": "Ill", "by": make_staff(), "now": NOW} | changed
    return call_out(nurse=nurse, starts_at=start, ends_at=end, **wanted)


CUTS = {
    "the whole shift": ("08:00", "18:00", []),
    "more than the shift": ("00:00", "23:00", []),
    "its beginning": ("07:00", "11:00", [("03 11:00", "03 18:00", 3)]),
    "its end": ("11:07", "19:00", [("03 08:00", "03 11:07", 3)]),
    "its middle": ("11:00", "12:00", [("03 08:00", "03 11:00", 3), ("03 12:00", "03 18:00", 3)]),
}


@pytest.mark.parametrize("case", CUTS)
def test_call_out_cuts_the_shift_and_leaves_the_rest(site, case):
    start, end, left = CUTS[case]
    nurse, other = make_nurse(site=site), make_nurse(site=site)
    for one in (nurse, other):
        make_shift(nurse=one, site=site, day=DAY, ratio=3)
    make_shift(nurse=nurse, site=site, day=DAY + dt.timedelta(days=1), ratio=3)
    gone = out(nurse, at(site, start), at(site, end))
    assert hours_of(nurse) == [*left, ("04 08:00", "04 18:00", 3)]
    assert hours_of(other) == [("03 08:00", "03 18:00", 3)]
    assert gone == [(max(at(site, start), at(site, "08:00")), min(at(site, end), at(site, "18:00")))]


def test_call_out_takes_off_several_shifts_at_several_sites_and_tells_the_trail(site):
    nurse, by = make_nurse(site=site, visits_homes=True), make_staff()
    river = make_site(name="River", time_zone="America/Chicago")
    make_shift(nurse=nurse, site=site, day=DAY, start="06:00", end="10:00")
    make_shift(nurse=nurse, site=river, day=DAY, start="11:00", end="18:00", setting=Setting.HOME)
    gone = out(nurse, at(site, "08:00"), at(site, "23:00"), by=by)
    assert gone == [(at(site, "08:00"), at(site, "10:00")), (at(river, "11:00"), at(river, "18:00"))]
    assert hours_of(nurse) == [("03 06:00", "03 08:00", 4)]
    events = AuditEvent.objects.filter(action="shift.called_out").order_by("id")
    assert [(event.actor_id, event.site_id, event.detail) for event in events] == [
        (
            by.pk,
            site.public_id,
            {"nurse": nurse.public_id, "hours": ["2026-03-03T13:00Z", "2026-03-03T15:00Z"], "reason": "Ill"},
        ),
        (
            by.pk,
            river.public_id,
            {"nurse": nurse.public_id, "hours": ["2026-03-03T17:00Z", "2026-03-04T00:00Z"], "reason": "Ill"},
        ),
    ]


def test_call_out_cuts_a_night_in_which_the_clocks_go_forward(site):
    """From 22:00 to 06:00 on 8 March 2026 are seven hours; from midnight to four by the clock are three."""
    nurse, night = make_nurse(site=site), dt.date(2026, 3, 7)
    Shift.objects.create(
        nurse=nurse, site=site, starts_at=at(site, "22:00", night), ends_at=at(site, "06:00", dt.date(2026, 3, 8))
    )
    gone = out(nurse, at(site, "00:00", dt.date(2026, 3, 8)), at(site, "04:00", dt.date(2026, 3, 8)))
    assert hours_of(nurse) == [("07 22:00", "08 00:00", 4), ("08 04:00", "08 06:00", 4)]
    assert [end - start for start, end in gone] == [dt.timedelta(hours=3)]


REFUSED = {
    "backwards": ("12:00", "11:00", DAY, {}, "call-out-backwards"),
    "over": ("08:00", "18:00", dt.date(2026, 3, 1), {}, "call-out-past"),
    "without a reason": ("08:00", "18:00", DAY, {"reason": " "}, "reason-missing"),
    "without a shift": ("08:00", "18:00", DAY + dt.timedelta(days=1), {}, "no-shift-then"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_call_out_refuses(site, case):
    start, end, day, changed, code = REFUSED[case]
    nurse = make_nurse(site=site)
    make_shift(nurse=nurse, site=site, day=DAY)
    with pytest.raises(RuleViolation) as refused:
        out(nurse, at(site, start, day), at(site, end, day), **changed)
    assert (refused.value.codes, hours_of(nurse)) == ({code}, [("03 08:00", "03 18:00", 4)])
    assert not AuditEvent.objects.filter(action="shift.called_out").exists()


def post(client, nurse, day, **fields):
    return client.post(f"/nurses/{nurse.public_id}/call-out/", {"first_day": day.isoformat(), "reason": "Ill"} | fields)


def test_the_page_takes_the_whole_shift_and_leads_to_the_visits_that_are_hit(client_for, site):
    visit = make_appointment(site=site)
    day, nurse = dt.date.fromisoformat(visit.local_start[:10]), visit.nurse
    client = client_for("scheduler")
    assert client.get(f"/nurses/{nurse.public_id}/call-out/?day={day}").status_code == 200
    answer = post(client, nurse, day)
    assert (answer.status_code, answer.url) == (302, f"/cover/?site={site.public_id}&from={day}&to={day}")
    page = client.get(answer.url)
    assert [one.appointment for one in page.context["page"]] == [visit]
    assert not Shift.objects.filter(nurse=nurse).exists()


def test_the_page_takes_a_night_shift_with_the_day_on_which_it_begins(client_for, site):
    nurse, day = make_nurse(site=site), next_weekday(site, ahead=3)
    after = day + dt.timedelta(days=1)
    for first, last in ((day - dt.timedelta(days=1), day), (day, after)):
        Shift.objects.create(
            nurse=nurse, site=site, starts_at=at(site, "22:00", first), ends_at=at(site, "06:00", last)
        )
    answer = post(client_for("scheduler"), nurse, day)
    assert answer.url == f"/cover/?site={site.public_id}&from={day}&to={after}"
    assert [shift.ends_at for shift in Shift.objects.filter(nurse=nurse)] == [at(site, "06:00", day)]


def test_the_page_cuts_from_a_time_on_and_keeps_what_was_typed_when_refused(client_for, site):
    nurse, day = make_nurse(site=site), next_weekday(site)
    make_shift(nurse=nurse, site=site, day=day)
    client = client_for("nurse")
    refused = post(client, nurse, day + dt.timedelta(days=7), starts="11:00")
    assert refused.status_code == 200
    assert "has no shift then" in refused.context["form"].errors["first_day"][0]
    assert refused.context["form"]["starts"].value() == "11:00"
    assert post(client, nurse, day, starts="11:00").status_code == 302
    assert [(s.starts_at, s.ends_at) for s in Shift.objects.filter(nurse=nurse)] == [
        (at(site, "08:00", day), at(site, "11:00", day))
    ]


def test_a_nurse_of_another_site_is_not_found(client_for):
    assert post(client_for("manager"), make_nurse(site=make_site()), DAY).status_code == 404


def test_a_failed_chair_and_a_closed_site_lead_to_the_visits_at_once_and_ask_nothing_twice(client_for, site):
    visit, client = make_appointment(site=site), client_for("manager")
    day = visit.local_start[:10]
    listed = f"/cover/?site={site.public_id}&from={day}&to={day}"
    times = {"starts_on": day, "starts": "08:00", "ends_on": day, "ends": "12:00"}
    taken_out = client.post(f"/chairs/{visit.chair.public_id}/take-out/", times | {"reason": "Pump"})
    closed = client.post("/closures/new/", {"starts_on": day, "reason": "Storm"})
    assert (taken_out.url, closed.url) == (listed, listed)
    words = [problem.code for one in client.get(listed).context["page"] for problem in one.problems]
    assert words == ["chair-out", "site-closed"]
