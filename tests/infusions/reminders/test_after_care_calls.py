"""Whom nurses call after visits: the list, the page of a visit, and what a call settles."""

import datetime as dt

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from infusion_center.audit.models import AuditEvent
from infusions.doses.models import DoseState
from infusions.facility.models import OpeningHours
from infusions.reminders.after_care_calls import LOOKS_BACK, call_counts, calls_owed, owed_about
from infusions.reminders.after_care_models import AfterCareCall, AfterCareReport
from infusions.reminders.after_care_services import record_after_care_call
from infusions.scheduling.states import State
from tests.factories.after_care import make_report
from tests.factories.doses import make_dose_record
from tests.factories.facility import make_site
from tests.factories.patients import make_patient
from tests.factories.scheduling import make_appointment

pytestmark = pytest.mark.django_db
NOON = dt.datetime(2026, 6, 18, 16, tzinfo=dt.UTC)  # a Thursday, in New York
MINUTE, HOUR, DAY = dt.timedelta(minutes=1), dt.timedelta(hours=1), dt.timedelta(days=1)
LIST = reverse("reminders:after-care-list")


@pytest.fixture(autouse=True)
def noon(time_machine, site):
    cache.clear()
    time_machine.move_to(NOON, tick=False)
    site.time_zone = "America/New_York"
    site.save()
    OpeningHours.objects.filter(site=site).delete()
    for weekday in range(5):
        OpeningHours.objects.create(site=site, weekday=weekday, opens="08:00", closes="18:00")


@pytest.fixture
def nurse(client_for):
    return client_for("nurse")


def make_visit(site, **fields):
    patient = fields.pop("patient", None) or make_patient(phone="+12025550143")
    fields = {"state": State.COMPLETED, "day": dt.date(2026, 6, 17)} | fields
    return make_appointment(site=site, patient=patient, **fields)


def listed(site) -> list[tuple]:
    return [(one.visit.pk, one.urgency.value, one.is_overdue) for one in calls_owed(site, NOON)]


def call(report, nurse_user, outcome="reached", **more):
    return record_after_care_call(report=report, outcome=outcome, by=nurse_user, **more)


def test_the_most_urgent_first_and_of_those_the_latest_due_last(site):
    today, urgent, late, emergency, well = (make_visit(site) for _ in range(5))
    make_report(today, "rash", at=NOON - HOUR)
    make_report(urgent, "limb", at=NOON - 10 * MINUTE)
    make_report(late, "dark-urine", at=NOON - 61 * MINUTE)
    make_report(emergency, "chest-pain", at=NOON - MINUTE)
    make_report(well, at=NOON - HOUR)
    make_report(make_appointment(state=State.COMPLETED), "chest-pain", at=NOON - HOUR)  # of another site
    assert listed(site) == [
        (emergency.pk, "emergency", False),
        (late.pk, "urgent", True),
        (urgent.pk, "urgent", False),
        (today.pk, "today", False),
    ]
    assert call_counts(site, NOON) == {"emergency": 1, "urgent": 2, "today": 1}


@pytest.mark.parametrize(
    ("sign", "at", "due_at"),
    [
        ("chest-pain", NOON, NOON + 15 * MINUTE),
        ("limb", NOON, NOON + HOUR),
        ("limb", NOON + 10 * HOUR, NOON + 11 * HOUR),  # at night too
        ("rash", NOON, NOON + 6 * HOUR),  # closes at 18:00
        ("rash", NOON + 7 * HOUR, NOON + 30 * HOUR),  # Friday at 18:00
        ("rash", NOON + 31 * HOUR, NOON + 4 * DAY + 6 * HOUR),  # from Friday night to Monday
    ],
)
def test_when_a_call_is_due(site, sign, at, due_at):
    make_report(make_visit(site), sign, at=at)
    owed = calls_owed(site, due_at)
    assert [(one.due_at, one.is_overdue) for one in owed] == [(due_at, False)]
    assert calls_owed(site, due_at + MINUTE)[0].is_overdue


def test_without_opening_hours_a_call_is_due_by_the_end_of_the_day(site):
    OpeningHours.objects.all().delete()
    make_report(make_visit(site), "rash", at=NOON)
    assert calls_owed(site, NOON)[0].due_at == NOON + 12 * HOUR


def test_a_newer_report_takes_the_place_of_an_older_one(site):
    visit = make_visit(site)
    make_report(visit, "rash", at=NOON - 2 * HOUR)
    newer = make_report(visit, "limb", at=NOON - 30 * MINUTE)
    (owed,) = calls_owed(site, NOON)
    assert (owed.gravest, owed.newest, owed.is_overdue) == (newer, newer, False)


def test_a_newer_report_never_hides_a_graver_one_that_nobody_called_about(site):
    visit = make_visit(site)
    grave = make_report(visit, "limb", at=NOON - 2 * HOUR)
    well = make_report(visit, at=NOON - HOUR)
    (owed,) = calls_owed(site, NOON)
    assert (owed.gravest, owed.newest, owed.is_overdue) == (grave, well, True)


def test_reporting_the_same_again_does_not_put_the_call_off(site):
    visit = make_visit(site)
    make_report(visit, "limb", at=NOON - 2 * HOUR)
    make_report(visit, "limb", at=NOON - MINUTE)
    assert calls_owed(site, NOON)[0].due_at == NOON - HOUR


@pytest.mark.parametrize(("outcome", "stays"), [("reached", False), ("passed_on", False), ("not_reached", True)])
def test_reached_or_passed_on_leaves_the_list(site, nurse_user, outcome, stays):
    report = make_report(make_visit(site), "limb", at=NOON - 10 * MINUTE)
    made = call(report, nurse_user, outcome, note="Dr. Sample")
    assert (len(listed(site)), sum(call_counts(site, NOON).values())) == (stays, stays)
    assert (owed_about(report.appointment, NOON) is not None) == stays
    event = AuditEvent.objects.get(action="after_care.called")
    assert (event.actor_name, event.detail["outcome"], event.target_id) == (
        nurse_user.full_name,
        outcome,
        report.appointment.public_id,
    )
    assert list(AfterCareCall.objects.values_list("outcome", "note", "called_by")) == [
        (made.outcome, "Dr. Sample", nurse_user.pk)
    ]


def test_a_call_settles_what_was_reported_until_then_and_nothing_later(site, nurse_user):
    visit = make_visit(site)
    make_report(visit, "chest-pain", at=NOON - 3 * HOUR)
    seen = make_report(visit, "rash", at=NOON - 2 * HOUR)
    meanwhile = make_report(visit, "limb", at=NOON - MINUTE)  # sent while she was on the telephone
    call(seen, nurse_user)
    assert [(one.gravest, len(one.reports)) for one in calls_owed(site, NOON)] == [(meanwhile, 1)]


def test_the_same_press_twice_is_one_call(site, nurse_user):
    report = make_report(make_visit(site), "limb")
    calls = [call(report, nurse_user, "not_reached", now=NOON + n * MINUTE / 2) for n in (0, 1, 3)]
    assert (calls[0] == calls[1], AfterCareCall.objects.count()) == (True, 2)


def test_the_list_looks_back_two_months_and_the_visit_for_ever(site):
    visit = make_visit(site)
    make_report(visit, "rash", at=NOON - LOOKS_BACK - MINUTE)
    assert (listed(site), owed_about(visit, NOON).is_overdue) == ([], True)


def test_the_list_shows_what_is_needed_for_the_call(nurse, site):
    visit = make_visit(site)
    record = make_dose_record(visit, state=DoseState.SIGNED, lot="LOT77")
    make_report(visit, "limb", at=NOON - 2 * HOUR, comment="Left calf")
    make_report(visit, "rash", at=NOON - HOUR)
    page = nurse.get(LIST).text
    given, name = str(record.product), visit.patient.name
    for shown in (name, "tel:+1-202-555-0143", given, "lot LOT77", "Within the hour", "Overdue"):
        assert shown in page, shown
    assert page.index("One arm or leg swollen") < page.index("“Left calf”") < page.index("Since then")
    assert page.index("Since then") < page.index("Rash, itching or hives")


def test_without_a_telephone_the_list_says_so(nurse, site):
    make_report(make_visit(site, patient=make_patient(phone="", email="a@example.org")), "rash", at=NOON)
    assert "No telephone number on file: write to a@example.org" in nurse.get(LIST).text


def test_an_empty_list_says_what_will_stand_there(nurse):
    assert "Nobody waits for a call" in nurse.get(LIST).text


def test_a_call_is_recorded_on_the_page_of_the_visit(nurse, site):
    visit = make_visit(site)
    make_report(visit, "limb", at=NOON - HOUR)
    newest = make_report(visit, "rash", at=NOON - MINUTE)
    address = reverse("reminders:after-care-detail", args=[visit.public_id])
    page = nurse.get(address).text
    assert f'value="{newest.public_id}"' in page
    post = reverse("reminders:after-care-call", args=[visit.public_id])
    refused = nurse.post(post, {"upto": newest.public_id, "outcome": "passed_on"})
    assert ("Say to whom" in refused.text, AfterCareCall.objects.count()) == (True, 0)
    answer = nurse.post(post, {"upto": newest.public_id, "outcome": "reached", "note": "Comes in at two"})
    assert (answer.url, listed(site)) == (LIST, [])
    told = nurse.get(address).text
    assert ("No call is owed." in told, "Comes in at two" in told) == (True, True)


def test_from_there_a_reaction_is_added_to_the_signed_record_or_at_the_chair(nurse, site):
    for state, place in ((DoseState.SIGNED, "late-reactions/new/"), (DoseState.ENDED, "/infusion/")):
        visit = make_visit(site, state=State.COMPLETED)
        make_dose_record(visit, state=state)
        make_report(visit, "rash")
        assert place in nurse.get(reverse("reminders:after-care-detail", args=[visit.public_id])).text


def test_nothing_reported_has_no_page(nurse, site):
    assert nurse.get(reverse("reminders:after-care-detail", args=[make_visit(site).public_id])).status_code == 404


def test_visit_page_and_chart_show_the_report_to_whom_may_see_doses(client_for, site):
    visit = make_visit(site)
    make_report(visit, "dark-urine", comment="Since noon")
    addresses = [
        reverse("scheduling:appointment-detail", args=[visit.public_id]),
        reverse("patients:patient-detail", args=[visit.patient.public_id]),
    ]
    for role, sees in (("nurse", True), ("scheduler", False)):
        client = client_for(role)
        pages = [client.get(address).text for address in addresses]
        assert ["Dark urine" in page and "Since noon" in page for page in pages] == [sees, sees], role


@pytest.mark.parametrize(
    ("role", "sign", "said"),
    [
        ("nurse", "chest-pain", "<strong>1 emergency after a visit.</strong> Call now"),
        ("nurse", "limb", "<strong>1 urgent call after a visit.</strong> Call within the hour"),
        ("nurse", "rash", None),
        ("scheduler", "chest-pain", None),
    ],
)
def test_nurses_are_told_on_every_page_and_on_the_tablet(client_for, site, role, sign, said):
    make_report(make_visit(site), sign, at=NOON)
    client = client_for(role)
    menu = client.get(reverse("scheduling:work-counts")).text
    assert ("after a visit" in menu) == (said is not None)
    assert ('<span class="rail-count' in menu) == (role == "nurse")
    if role == "nurse":
        tablet = client.get(reverse("reminders:after-care-alert")).text
        assert (said or "") in menu and (said or "") in tablet
        assert reverse("reminders:after-care-alert") in client.get(reverse("doses:my-patients")).text


def test_the_list_costs_the_same_for_three_calls_as_for_twelve(nurse, site):
    def cost(number):
        for _ in range(number):
            visit = make_visit(site)
            make_dose_record(visit, state=DoseState.SIGNED)
            make_report(visit, "limb", at=NOON)
        with CaptureQueriesContext(connection) as queries:
            nurse.get(LIST)
        return len(queries)

    assert cost(3) == cost(9)


def test_the_database_refuses_to_change_what_was_reported(site):
    report = make_report(make_visit(site), "limb")
    with pytest.raises(Exception, match="append-only"):
        AfterCareReport.objects.filter(pk=report.pk).update(urgency="none")


def test_the_page_of_another_sites_report_is_not_there(nurse):
    other = make_visit(make_site())
    make_report(other, "limb")
    assert nurse.get(reverse("reminders:after-care-detail", args=[other.public_id])).status_code == 404
