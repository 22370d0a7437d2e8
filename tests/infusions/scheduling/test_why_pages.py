"""The page and the fragment that say why a start does not fit, and what they let one do."""

import pytest
from django.urls import reverse

from infusion_center.audit.models import AuditEvent
from infusions.scheduling.models import Appointment
from tests.factories.accounts import make_staff
from tests.factories.facility import make_site
from tests.factories.orders import make_order
from tests.factories.patients import make_patient
from tests.factories.scheduling import make_appointment
from tests.infusions.scheduling.conftest import DAY, signed_in
from tests.infusions.scheduling.support import errors, url

pytestmark = pytest.mark.django_db
TEN = {"day": "2026-03-03", "time": "10:00"}


def press(client, page, row):
    context = page.context
    sent = {"start": row.instant, "token": row.token, "setting": context["setting"]}
    return client.post(context["post_url"], sent, follow=True)


def test_the_page_names_the_reasons_and_books_the_nearest_start_by_one_press(center, desk):
    ada = make_patient(given_name="Ada", family_name="Example")
    for chair, nurse, patient in zip(center.chairs, center.nurses, (ada, None), strict=True):
        make_appointment(chair=chair, nurse=nurse, patient=patient, day=DAY, at="10:00")
    order = make_order(infusion_minutes=180)
    page = desk.get(url("slot-why", order), TEN)
    assert [problem.code for problem in page.context["why"].problems] == ["chairs-taken", "nurse-hands-busy"]
    assert "by Example, Ada" in page.content.decode()
    press(desk, page, page.context["nearest"][0])
    visit = Appointment.objects.get(order=order)
    assert visit.start == page.context["nearest"][0].option.start


def test_a_start_that_fits_says_so_and_is_booked_with_the_chair_that_was_asked_for(center, desk):
    order = make_order(infusion_minutes=180)
    asked = TEN | {"chair": center.chairs[1].public_id, "nurse": center.nurses[1].public_id}
    page = desk.get(url("slot-why", order), asked)
    assert page.context["why"].problems == []
    assert "It fits" in page.content.decode()
    sent = {"start": page.context["start_row"].instant, "token": page.context["start_row"].token, **asked}
    desk.post(page.context["post_url"], sent | {"setting": "facility"})
    visit = Appointment.objects.get()
    assert (visit.start, visit.chair, visit.nurse) == (center.at("10:00"), center.chairs[1], center.nurses[1])


def test_asking_changes_nothing_and_is_recorded_as_an_opening(center, desk):
    order = make_order(infusion_minutes=180)
    before = AuditEvent.objects.count()
    desk.get(url("slot-why", order), TEN)
    assert (Appointment.objects.count(), AuditEvent.objects.count()) == (0, before + 1)
    event = AuditEvent.objects.latest("id")
    assert (event.action, event.patient_id) == ("chart.opened", order.patient.public_id)


def test_a_press_without_javascript_leads_to_an_address_that_holds_only_the_question(desk):
    order = make_order(infusion_minutes=180)
    sent = TEN | {"override_reason": "Private", "token": "secret", "csrfmiddlewaretoken": "x", "chair": "", "nurse": ""}
    answer = desk.post(url("slot-why", order) + "?from=2026-03-02", sent)
    assert answer.status_code == 302
    assert answer.url == url("slot-why", order) + "?from=2026-03-02&day=2026-03-03&time=10%3A00&chair=&nurse="


def test_htmx_gets_the_answer_without_the_page_around_it(desk):
    answer = desk.get(url("slot-why", make_order(infusion_minutes=180)), TEN, headers={"HX-Request": "true"})
    text = answer.content.decode()
    assert text.lstrip().startswith('<section id="_slot_why"')
    assert "<html" not in text


@pytest.mark.parametrize(
    ("asked", "told"),
    [({"day": "", "time": "10:00"}, "required"), ({"day": "2026-03-08", "time": "02:30"}, "not exist")],
)
def test_a_start_that_cannot_be_read_is_told_at_its_field(desk, asked, told):
    page = desk.get(url("slot-why", make_order(infusion_minutes=180)), asked)
    assert page.context["why"] is None
    assert told in " ".join(str(error) for group in page.context["asked"].errors.values() for error in group)


def test_a_visit_is_checked_for_another_start_and_moved_by_one_press(center, desk):
    visit = make_appointment(chair=center.chairs[0], nurse=center.nurses[0], day=DAY, at="09:00", minutes=120)
    page = desk.get(url("slot-why", visit.order), {"day": "2026-03-03", "time": "16:30", "visit": visit.public_id})
    assert "outside-hours" in {problem.code for problem in page.context["why"].problems}
    row = page.context["nearest"][0]
    seen = page.context["seen"]
    desk.post(page.context["post_url"], {"start": row.instant, "version": visit.version, "seen": seen})
    visit.refresh_from_db()
    assert visit.start == row.option.start


def test_a_visit_of_another_site_or_order_is_not_found(center, desk):
    order = make_order(infusion_minutes=180)
    elsewhere = make_appointment(order=order, site=make_site(), day=DAY)
    for visit in (elsewhere, make_appointment(chair=center.chairs[0], day=DAY)):
        assert desk.get(url("slot-why", order), TEN | {"visit": visit.public_id}).status_code == 404


def test_who_may_not_book_gets_no_reasons(center):
    pharmacist = signed_in(make_staff(role="pharmacist", site=center.site))
    assert pharmacist.get(url("slot-why", make_order(infusion_minutes=180)), TEN).status_code == 403


def test_the_search_page_offers_the_check(desk):
    page = desk.get(url("slot-list", make_order(infusion_minutes=180)))
    assert page.context["why_url"].startswith(reverse("scheduling:slot-why", args=[page.context["order"].public_id]))
    assert 'id="_slot_why"' in page.content.decode()


# What a patient prefers


def preference_url(patient):
    return reverse("scheduling:preference-edit", args=[patient.public_id])


def test_a_preference_is_entered_and_shown_beside_the_search(center, desk):
    order = make_order(infusion_minutes=180)
    page = desk.get(preference_url(order.patient))
    sent = {"weekdays": ["1", "2"], "earliest": "09:00", "latest": "12:00", "nurse": center.nurses[0].public_id}
    sent |= {"chair_kind": "bed", "seen": page.context["form"]["seen"].value()}
    saved = desk.post(preference_url(order.patient) + "?next=" + url("slot-list", order), sent)
    assert (saved.status_code, saved.url) == (302, url("slot-list", order))
    kept = order.patient.booking_preference
    assert (kept.weekdays, kept.nurse, kept.chair_kind) == ([1, 2], center.nurses[0], "bed")
    shown = desk.get(saved.url).context["wished"]
    name = center.nurses[0].user.full_name
    assert shown == ["Tuesday or Wednesday", "start from 09:00 to 12:00", name, "bed"]
    event = AuditEvent.objects.get(action="preference.set")
    assert event.detail["changed"] == ["weekdays", "earliest", "latest", "nurse", "chair_kind"]


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        ({"earliest": "12:00", "latest": "09:00"}, "The latest start lies before the earliest."),
        ({"needs_chair_kind": "on"}, "Say which kind of chair the patient needs."),
        ({"weekdays": ["9"]}, "9 is not one of the available choices."),
        ({"seen": "2026-01-01"}, "Somebody changed the preference meanwhile."),
    ],
)
def test_a_preference_that_makes_no_sense_is_refused_and_kept_in_the_form(desk, sent, told):
    patient = make_patient()
    answer = desk.post(preference_url(patient), {"seen": "none"} | sent)
    assert any(told in error for error in errors(answer)), errors(answer)
    assert not AuditEvent.objects.filter(action="preference.set").exists()
    assert not hasattr(type(patient).objects.get(pk=patient.pk), "booking_preference")


def test_the_form_leads_nowhere_outside(desk):
    patient = make_patient()
    answer = desk.post(preference_url(patient) + "?next=https://elsewhere.example/", {"seen": "none"})
    assert answer.url == patient.get_absolute_url()
