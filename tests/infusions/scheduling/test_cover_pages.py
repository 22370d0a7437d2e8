"""From "she cannot come" to an empty list: what is proposed, what one press does, and what is refused."""

import datetime as dt
import html

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from infusion_center.audit.models import AuditEvent
from infusions.facility.models import Chair, Closure, Shift
from infusions.scheduling import cover_plans, cover_views
from infusions.scheduling.booking import cancel_appointment, move_appointment
from infusions.scheduling.cover import uncovered_ids
from infusions.scheduling.invariants import claim_violations
from infusions.scheduling.models import Appointment
from infusions.scheduling.states import State
from tests.factories.accounts import make_staff
from tests.factories.facility import make_chair, make_shift
from tests.factories.orders import make_order
from tests.factories.scheduling import make_appointment
from tests.infusions.scheduling.conftest import DAY, NOW, make_center, signed_in
from tests.infusions.scheduling.support import everything_written

pytestmark = pytest.mark.django_db
DAYS = f"from={DAY}&to={DAY}"


def visit_at(center, at, chair=0, nurse=0, **fields):
    order = fields.pop("order", None) or make_order(infusion_minutes=60)
    place = {"chair": center.chairs[chair], "nurse": center.nurses[nurse]}
    return make_appointment(site=center.site, day=fields.pop("day", DAY), at=at, order=order, **place, **fields)


def seats():
    return {
        visit.pk: (visit.chair, visit.nurse) for visit in Appointment.objects.select_related("chair", "nurse__user")
    }


def proposal(desk, query=DAYS):
    page = desk.get(f"/cover/plan/?{query}")
    assert page.status_code == 200
    return page


def lines(page):
    """Each day's changes: visit, chair and nurse it would get; then those without a seat."""
    plan = page.context["plan"]
    return (
        [(c.appointment.pk, c.chair, c.nurse) for day in plan.days for c in day.seated],
        [(c.appointment.pk, c.chair, c.nurse) for day in plan.days for c in day.others],
        [visit.pk for visit in plan.unseated],
    )


def press(desk, page, visits=(), query=DAYS, **new_starts):
    posted = {"plan": page.context["shown"], "visit": [visit.public_id for visit in visits]}
    posted |= {f"to-{key}": start.isoformat() for key, start in new_starts.items()}
    return desk.post(f"/cover/plan/?{query}", posted)


def listed(desk, query=DAYS):
    return [one.appointment.pk for one in desk.get(f"/cover/?{query}").context["page"]]


def test_a_call_out_is_listed_proposed_applied_and_gone(center):
    ill, other = center.nurses
    first, second = visit_at(center, "09:00"), visit_at(center, "10:00", chair=1, state=State.CONFIRMED)
    version = second.version
    desk = signed_in(center.scheduler)
    answer = desk.post(f"/nurses/{ill.public_id}/call-out/", {"first_day": DAY.isoformat(), "reason": "Ill"})
    query = answer.url.split("?")[1]
    assert listed(desk, query) == [first.pk, second.pk]
    assert f"{ill} is not on shift at that time." in html.unescape(desk.get(answer.url).content.decode())
    page = proposal(desk, query)
    assert lines(page) == (
        [(first.pk, first.chair, other), (second.pk, second.chair, other)],
        [],
        [],
    )
    applied = press(desk, page, [first, second], query)
    assert (applied.status_code, applied.url) == (302, f"/cover/?{query}")
    assert "2 visits re-seated." in desk.get(applied.url).content.decode()
    assert seats() == {first.pk: (first.chair, other), second.pk: (second.chair, other)}
    second.refresh_from_db()
    assert (second.version, second.state) == (version, State.CONFIRMED)
    assert (listed(desk, query), uncovered_ids(center.site, NOW), claim_violations()) == ([], set(), [])
    events = AuditEvent.objects.filter(action="appointment.reseated").values_list("actor_id", flat=True)
    assert list(events) == [center.scheduler.pk] * 2


def test_others_make_room_for_a_visit_whose_chair_fails(db):
    """The last free hours lie in two chairs: somebody has to change over before she fits."""
    center = make_center(chairs=3, nurses=3)
    stranded = visit_at(center, "09:00")
    late = visit_at(center, "11:00", chair=1, nurse=1, minutes=120)
    early = visit_at(center, "08:00", chair=2, nurse=2, minutes=120)
    Chair.objects.filter(pk=center.chairs[0].pk).update(is_active=False)
    desk = signed_in(center.scheduler)
    page = proposal(desk)
    (seated,), (other,), unseated = lines(page)
    assert (seated[0], other[0] in (late.pk, early.pk), unseated) == (stranded.pk, True, [])
    assert f'value="{stranded.public_id}"' in page.content.decode()
    assert press(desk, page, [stranded]).status_code == 302
    now_at = seats()
    assert (now_at[stranded.pk], now_at[other[0]]) == (seated[1:], other[1:])
    assert (listed(desk), claim_violations()) == ([], [])


def test_what_has_no_seat_stays_on_the_list(db):
    """A bed fails, and a visit keeps the kind of its chair: beside a free recliner it stays without a seat."""
    center = make_center(chairs=2)
    center.chairs.append(make_chair(site=center.site, kind="bed"))
    lying, sitting = visit_at(center, "09:00", chair=2), visit_at(center, "09:00", chair=1, nurse=1)
    Chair.objects.filter(pk__in=[lying.chair_id, sitting.chair_id]).update(is_active=False)
    desk = signed_in(center.scheduler)
    page = proposal(desk)
    assert lines(page) == ([(sitting.pk, center.chairs[0], center.nurses[1])], [], [lying.pk])
    assert press(desk, page, [sitting]).status_code == 302
    assert (listed(desk), seats()[sitting.pk]) == ([lying.pk], (center.chairs[0], center.nurses[1]))


def test_later_visits_that_an_overrun_hits_are_re_seated(center, monkeypatch):
    with time_machine.travel(center.at("12:50"), tick=False):
        desk = signed_in(center.scheduler)
        late = visit_at(center, "09:00", state=State.IN_PROGRESS)
        hit = visit_at(center, "13:00", minutes=120)
        free = visit_at(center, "15:00", chair=0, minutes=60)
        monkeypatch.setattr(cover_views, "late_until", lambda *_: None)
        assert desk.get(f"/cover/late/{late.public_id}/").url == f"/appointments/{late.public_id}/"
        monkeypatch.setattr(cover_views, "late_until", lambda *_: center.at("13:40"))
        page = desk.get(f"/cover/late/{late.public_id}/")
        assert lines(page) == ([], [(hit.pk, center.chairs[1], center.nurses[1])], [])
        posted = {"plan": page.context["shown"], "visit": [hit.public_id]}
        answer = desk.post(f"/cover/late/{late.public_id}/", posted)
    assert (answer.status_code, answer.url) == (302, f"/board/?day={DAY}")
    assert [seats()[visit.pk] for visit in (late, hit, free)] == [
        (center.chairs[0], center.nurses[0]),
        (center.chairs[1], center.nurses[1]),
        (center.chairs[0], center.nurses[0]),
    ]


def test_a_visit_without_a_seat_is_moved_to_the_nearest_start_that_was_offered(center, desk):
    order = make_order(infusion_minutes=60, tolerance_days=4)
    visit = visit_at(center, "09:00", order=order)
    Closure.objects.create(site=center.site, starts_on=DAY, ends_on=DAY, reason="Storm")
    page = proposal(desk)
    options = page.context["times"][0][1]
    # Closed on Tuesday: the same hour on Monday and on Wednesday, then the hour beside it.
    assert [(option.start - visit.start) // dt.timedelta(hours=1) for option in options] == [-24, 24, -25]
    assert lines(page) == ([], [], [visit.pk])
    answer = press(desk, page, **{visit.public_id: options[0].start})
    assert answer.status_code == 302
    moved = Appointment.objects.get(pk=visit.pk)
    assert (moved.start, moved.version, moved.state) == (options[0].start, visit.version + 1, State.EXPECTED)
    assert (listed(desk), claim_violations()) == ([], [])


def test_what_is_too_much_for_one_sitting_is_left_for_the_next(center, desk, monkeypatch):
    monkeypatch.setattr(cover_plans, "TIMES_FOR", 1)
    monkeypatch.setattr(cover_plans, "DAYS_AT_ONCE", 1)
    first, second = visit_at(center, "09:00"), visit_at(center, "09:00", chair=1, nurse=1)
    third = visit_at(center, "09:00", day=DAY + dt.timedelta(days=1))
    Closure.objects.create(site=center.site, starts_on=DAY, ends_on=DAY + dt.timedelta(days=2), reason="Storm")
    page = proposal(desk, "")
    assert ([visit for visit, _ in page.context["times"]], page.context["plan"].left_for_later) == ([first], 2)
    assert "2 more visits later on" in page.content.decode()
    assert listed(desk, "") == [first.pk, second.pk, third.pk]


def test_new_starts_keep_the_interval_to_the_visits_around(center, desk):
    order = make_order(infusion_minutes=60, interval_days=4, tolerance_days=1)
    visit_at(center, "09:00", order=order, day=dt.date(2026, 2, 27), state=State.COMPLETED)
    visit = visit_at(center, "09:00", order=order)
    visit_at(center, "09:00", order=order, day=dt.date(2026, 3, 6), chair=1)
    Closure.objects.create(site=center.site, starts_on=DAY, ends_on=DAY, reason="Storm")
    days = {option.start.date() for option in proposal(desk).context["times"][0][1]}
    assert days == {dt.date(2026, 3, 2)}  # the 4th would push the next visit too close
    assert visit.start.date() == DAY


STALE = {
    "moved": lambda c, v: move_appointment(appointment=v, start=c.at("14:00"), by=c.scheduler),
    "cancelled": lambda c, v: cancel_appointment(appointment=v, reason="Ill", by=c.scheduler),
    "re-seated": lambda c, v: move_appointment(appointment=v, start=v.start, nurse=c.nurses[1], by=c.scheduler),
    "the other nurse gone too": lambda c, v: Shift.objects.all().delete(),
    "moved, and ill again": lambda c, v: (
        make_shift(nurse=c.nurses[0], site=c.site, day=DAY),
        move_appointment(appointment=v, start=c.at("14:00"), nurse=c.nurses[0], by=c.scheduler),
        Shift.objects.filter(nurse=c.nurses[0]).delete(),
    ),
}


@pytest.mark.parametrize("case", STALE)
def test_a_proposal_that_no_longer_holds_is_refused_whole_and_shown_anew(center, desk, case):
    first, second = visit_at(center, "09:00"), visit_at(center, "10:00", chair=1)
    Shift.objects.filter(nurse=center.nurses[0]).delete()
    page = proposal(desk)
    assert len(lines(page)[0]) == 2
    STALE[case](center, second)
    before = everything_written()
    answer = press(desk, page, [first, second])
    assert answer.status_code == 200
    assert everything_written() == before
    assert [problem.code for problem in answer.context["problems"]] == ["plan-outdated"]
    assert "Nothing was changed." in answer.content.decode()


def test_a_new_start_that_was_lost_takes_the_re_seating_back_with_it(center, desk):
    seated, homeless = visit_at(center, "09:00"), visit_at(center, "09:00", chair=1, nurse=1)
    Shift.objects.filter(nurse=center.nurses[0]).delete()
    Appointment.objects.filter(pk=homeless.pk).update(is_pinned=True)
    Chair.objects.filter(pk=center.chairs[1].pk).update(is_active=False)
    page = proposal(desk)
    before = everything_written()
    answer = press(desk, page, [seated], **{homeless.public_id: center.at("20:00")})
    assert (answer.status_code, everything_written()) == (200, before)


def test_nothing_ticked_and_a_forged_plan_change_nothing(center, desk):
    visit = visit_at(center, "09:00")
    Shift.objects.filter(nurse=center.nurses[0]).delete()
    page, before = proposal(desk), everything_written()
    nothing = press(desk, page)
    forged = desk.post(f"/cover/plan/?{DAYS}", {"plan": "x" + page.context["shown"], "visit": [visit.public_id]})
    codes = [[problem.code for problem in answer.context["problems"]] for answer in (nothing, forged)]
    assert codes == [["nothing-chosen"], ["plan-outdated"]]
    assert everything_written() == before


def test_a_lower_ratio_may_take_no_more_than_another_place(center, desk):
    visit = visit_at(center, "09:00", ratio_place=3)
    Shift.objects.filter(nurse=center.nurses[0]).update(ratio=1)
    page = proposal(desk)
    assert (lines(page)[0], "another of her places" in page.content.decode()) == (
        [(visit.pk, visit.chair, visit.nurse)],
        True,
    )
    assert press(desk, page, [visit]).status_code == 302
    visit.refresh_from_db()
    assert (listed(desk), visit.ratio_place, claim_violations()) == ([], 0, [])


def test_whoever_is_being_infused_when_the_nurse_leaves_is_named_to_be_handed_over(center):
    running, waiting = visit_at(center, "09:00", state=State.IN_PROGRESS), visit_at(center, "13:00", nurse=1)
    nurse = center.nurses[0]
    with time_machine.travel(center.at("11:00"), tick=False):
        desk = signed_in(center.scheduler)
        assert desk.get("/cover/").context["alone"] == []
        gone = {"first_day": DAY.isoformat(), "starts": "11:30", "reason": "Ill"}
        page = desk.get(desk.post(f"/nurses/{nurse.public_id}/call-out/", gone).url)
        assert (page.context["alone"], list(page.context["page"])) == ([running], [])
        assert "Hand them over by word of mouth" in page.content.decode()
    assert waiting.nurse != nurse


def test_one_of_two_may_be_chosen(center, desk):
    first, second = visit_at(center, "09:00"), visit_at(center, "10:00", chair=1)
    Shift.objects.filter(nurse=center.nurses[0]).delete()
    assert press(desk, proposal(desk), [second]).status_code == 302
    assert (listed(desk), seats()[second.pk]) == ([first.pk], (center.chairs[1], center.nurses[1]))


def test_the_list_is_of_one_site_and_of_those_who_may_see_it(center, desk):
    visit = visit_at(center, "09:00")
    elsewhere = make_appointment(day=DAY)
    Shift.objects.all().delete()
    assert listed(desk, "") == [visit.pk]
    assert desk.get(f"/cover/?site={elsewhere.site.public_id}").status_code == 404
    assert desk.get("/cover/?from=nonsense&to=2026-03-03&day=x").status_code == 200
    assert listed(desk, "from=2026-03-05&to=2026-03-01") == [visit.pk]
    assert listed(desk, "day=2026-03-04") == []
    pharmacist = signed_in(make_staff(role="pharmacist", site=center.site))
    assert {pharmacist.get(path).status_code for path in ("/cover/", "/cover/plan/", "/to-do/")} == {403}
    assert pharmacist.post("/cover/plan/").status_code == 403


def test_the_list_costs_the_same_for_three_visits_as_for_thirty(center, desk):
    def cost():
        Shift.objects.filter(nurse=center.nurses[0]).delete()
        with CaptureQueriesContext(connection) as queries:
            number = desk.get(f"/cover/?{DAYS}").context["page"].paginator.count
        return number, len(queries)

    def fill(hour, number):
        """Quarter-hours at both chairs that take no hands."""
        for n in range(number):
            at = f"{hour + n // 8:02d}:{n % 4 * 15:02d}"
            place = {"chair": n % 8 // 4, "ratio_place": n % 8 // 4}
            hands = {"start_hands_minutes": 0, "end_hands_minutes": 0}
            visit_at(center, at, minutes=15, order=make_order(infusion_minutes=60), **place, **hands)

    fill(8, 3)
    few = cost()
    fill(12, 27)
    assert (few[0], cost()) == (3, (30, few[1]))
