import datetime as dt

import pytest

from infusion_center.audit.models import AuditEvent
from infusions.facility.models import Setting
from infusions.scheduling.models import Appointment
from tests.factories.accounts import make_staff
from tests.factories.facility import make_nurse, make_shift
from tests.factories.orders import make_order
from tests.factories.scheduling import make_appointment
from tests.infusions.scheduling.conftest import DAY, NOW, make_center, signed_in
from tests.infusions.scheduling.support import errors, url

pytestmark = pytest.mark.django_db


def press(client, page_response, nth=0):
    """Send the form of the nth start shown, as its button would."""
    context = page_response.context
    row = [row for group in context["days"] for row in group.rows][nth]
    sent = {"start": row.instant, "token": row.token, "setting": context["setting"]}
    return client.post(context["post_url"], sent, follow=True)


# Searching and booking


def test_the_search_shows_starts_by_day_with_chair_and_nurse_and_books_the_one_pressed(center, desk):
    order = make_order(infusion_minutes=180)
    page = desk.get(url("slot-list", order))
    assert [group.day for group in page.context["days"]] == [DAY + dt.timedelta(days=n) for n in (-1, 0, 1, 2, 3)]
    assert {group.zone for group in page.context["days"]} == {"EST"}
    shown = page.context["days"][0].rows[0].option
    booked = press(desk, page)
    visit = Appointment.objects.get()
    assert booked.redirect_chain == [(url("appointment-detail", visit), 302)]
    assert (visit.start, visit.end, visit.chair, visit.nurse) == (shown.start, shown.end, shown.chair, shown.nurse)
    assert (visit.order, visit.booked_by, visit.site) == (order, center.scheduler, center.site)
    assert "is booked" in booked.content.decode()


def test_pressing_twice_books_once_and_shows_the_same_visit(center, desk):
    page = desk.get(url("slot-list", make_order(infusion_minutes=180)))
    first, second = press(desk, page), press(desk, page)
    assert first.redirect_chain == second.redirect_chain
    assert Appointment.objects.count() == 1


def test_a_start_lost_to_somebody_else_keeps_what_was_typed_and_shows_what_still_fits(center, desk):
    center_page = desk.get(url("slot-list", make_order(infusion_minutes=180)))
    start = center_page.context["days"][0].rows[0].option.start
    for chair, nurse in zip(center.chairs, center.nurses, strict=True):
        make_appointment(chair=chair, nurse=nurse, start=start)
    sent = {"day": "2026-03-02", "time": "08:00", "setting": "facility", "token": "typed", "nurse": ""}
    sent |= {"chair": center.chairs[1].public_id, "override_reason": "Came from far"}
    lost = desk.post(center_page.context["post_url"], sent)
    assert lost.status_code == 200
    assert errors(lost) == [
        f"{center.chairs[1].name} is taken 08:00–12:00. Choose another chair or start.",
        "No nurse has free hands at the start and at the end of 08:00–12:00. Choose another start, or plan a shift.",
    ]
    assert {name: lost.context["form"][name].value() for name in ("day", "time", "chair", "override_reason")} == {
        "day": "2026-03-02",
        "time": "08:00",
        "chair": center.chairs[1].public_id,
        "override_reason": "Came from far",
    }
    assert lost.context["search"].options
    assert Appointment.objects.count() == 2


def test_a_lost_button_shows_its_start_in_the_form(center, desk):
    page = desk.get(url("slot-list", make_order(infusion_minutes=180)))
    for chair, nurse in zip(center.chairs, center.nurses, strict=True):
        make_appointment(chair=chair, nurse=nurse, start=page.context["days"][0].rows[0].option.start)
    lost = press(desk, page)
    assert (lost.context["form"]["day"].value(), lost.context["form"]["time"].value()) == ("2026-03-02", "08:00")
    assert errors(lost)[0].startswith("Every chair (2) is taken or out of service at some time during 08:00–12:00.")


def test_a_typed_start_is_booked_with_the_chair_and_nurse_that_were_chosen(center, desk):
    order = make_order(infusion_minutes=180)
    sent = {"day": "2026-03-03", "time": "10:15", "setting": "facility", "token": "typed"}
    sent |= {"chair": center.chairs[1].public_id, "nurse": center.nurses[1].public_id}
    desk.post(url("appointment-book", order), sent)
    visit = Appointment.objects.get()
    assert (visit.start, visit.chair, visit.nurse) == (center.at("10:15"), center.chairs[1], center.nurses[1])


@pytest.mark.parametrize(
    ("day", "time", "error"),
    [
        ("2026-03-08", "02:30", "02:30 does not exist on 08 Mar 2026 in America/New_York"),
        ("2026-03-03", "10:07", "Visits start on the quarter-hour."),
        ("2026-03-02", "06:00", "The start is past."),
        ("2026-03-07", "09:00", "is closed on Sat 7 Mar 2026."),
        ("2026-03-03", "16:00", "is open 08:00–18:00 on Tue 3 Mar 2026; the visit would take 16:00–20:00."),
        ("", "09:00", "This field is required."),
    ],
)
def test_a_typed_start_that_cannot_be_is_refused_with_the_reason(desk, day, time, error):
    order = make_order(infusion_minutes=180)
    sent = {"day": day, "time": time, "setting": "facility", "token": "typed"}
    response = desk.post(url("appointment-book", order), sent)
    assert any(error in told for told in errors(response)), errors(response)
    assert not Appointment.objects.exists()


def test_a_visit_earlier_than_the_interval_needs_a_nurse_and_her_reason(center, desk):
    order = make_order(infusion_minutes=180, last_dose_on=DAY - dt.timedelta(days=20), doses_given=1)
    sent = {"day": "2026-03-03", "time": "09:00", "setting": "facility", "token": "typed"}
    assert "too early" in errors(desk.post(url("appointment-book", order), sent))[0]
    reasoned = sent | {"override_reason": "Dr. Example agreed"}
    assert "too early" in errors(desk.post(url("appointment-book", order), reasoned))[0]
    signed_in(center.nurses[0].user).post(url("appointment-book", order), reasoned)
    assert Appointment.objects.get().override_reason == "Dr. Example agreed"


def test_a_home_visit_is_searched_and_booked(center, desk):
    road = make_nurse(site=center.site, visits_homes=True)
    make_shift(nurse=road, site=center.site, day=DAY, setting=Setting.HOME)
    order = make_order(infusion_minutes=180, home_allowed=True)
    page = desk.get(url("slot-list", order) + "?setting=home")
    first = page.context["days"][0].rows[0].option
    assert (first.chair, first.nurse, first.start) == (None, road, center.at("08:30"))
    press(desk, page)
    visit = Appointment.objects.get()
    assert (visit.setting, visit.chair, visit.nurse, visit.travel_minutes) == (Setting.HOME, None, road, 30)


def test_the_days_in_the_address_limit_the_search_and_survive_a_refusal(desk):
    order = make_order(infusion_minutes=180)
    page = desk.get(url("slot-list", order) + "?from=2026-03-04&to=2026-03-05")
    assert [group.day.isoformat() for group in page.context["days"]] == ["2026-03-04", "2026-03-05"]
    refused = desk.post(page.context["post_url"], {"setting": "facility", "token": "x", "day": "", "time": ""})
    assert [group.day.isoformat() for group in refused.context["days"]] == ["2026-03-04", "2026-03-05"]


def test_an_unsigned_order_shows_why_nothing_fits(desk):
    page = desk.get(url("slot-list", make_order(status="draft", infusion_minutes=180)))
    assert [problem.code for problem in page.context["search"].refusals] == ["order-unsigned"]
    assert "The order is not signed." in page.content.decode()
    assert "No start fits" in page.content.decode()


def test_the_search_is_recorded_as_an_opening_of_the_chart(center, desk):
    order = make_order(infusion_minutes=180)
    desk.get(url("slot-list", order))
    event = AuditEvent.objects.get(action="chart.opened")
    assert (event.patient_id, event.actor_id) == (order.patient.public_id, center.scheduler.pk)


# Who may, and what it costs


@pytest.mark.parametrize("name", ["slot-list", "appointment-book"])
def test_who_may_not_book_gets_no_slots(center, name):
    pharmacist = signed_in(make_staff(role="pharmacist", site=center.site))
    order = make_order(infusion_minutes=180)
    answer = pharmacist.post if name == "appointment-book" else pharmacist.get
    assert answer(url(name, order)).status_code == 403


def test_a_slot_page_costs_the_same_however_many_starts_it_shows(django_assert_max_num_queries):
    center = make_center(chairs=4, nurses=3)
    client, order = signed_in(center.scheduler), make_order(infusion_minutes=180)
    client.get(url("slot-list", order))
    for number in range(6):
        make_appointment(chair=center.chairs[number % 4], start=NOW + dt.timedelta(hours=30 + 5 * number), minutes=60)
    with django_assert_max_num_queries(24):
        page = client.get(url("slot-list", order))
    assert page.context["search"].options
