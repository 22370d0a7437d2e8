"""Day sheets in the ledger: one for each nurse, day and site, sent the evening before if there is something to tell."""

import datetime as dt

import pytest
from django.core import mail
from django.urls import reverse

from infusion_center.accounts.models import User
from infusion_center.audit.models import AuditEvent
from infusion_center.core.rules import RuleViolation
from infusions.facility.models import Nurse, Shift, Site
from infusions.reminders.day_sheets import plan_day_sheets
from infusions.reminders.models import Kind, Reason, Reminder, ReminderState
from infusions.reminders.services import resend_reminder, send_due
from infusions.scheduling.models import Appointment
from infusions.scheduling.states import State
from tests.factories.accounts import force_login, make_staff
from tests.factories.facility import make_nurse, make_shift, make_site
from tests.factories.reminders import make_reminder
from tests.factories.scheduling import make_appointment
from tests.infusions.reminders.scene import NOON

pytestmark = pytest.mark.django_db
TODAY, TOMORROW = dt.date(2026, 6, 1), dt.date(2026, 6, 2)
SIX = dt.datetime(2026, 6, 1, 22, tzinfo=dt.UTC)  # in the evening, in New York
SHIFT = dt.datetime(2026, 6, 2, 12, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)


@pytest.fixture(autouse=True)
def noon(time_machine):
    time_machine.move_to(NOON, tick=False)


@pytest.fixture
def site():
    return make_site(sends_day_sheet=True)


@pytest.fixture
def nurse(site):
    nurse = make_nurse(site=site)
    make_shift(nurse=nurse, site=site, day=TOMORROW)
    return nurse


@pytest.fixture
def visit(nurse, site):
    return make_appointment(site=site, nurse=nurse, day=TOMORROW)


@pytest.fixture
def owed(visit):
    return make_reminder(appointment=visit, kind=Kind.DAY_SHEET, due_at=SIX)


def ledger() -> list[tuple]:
    rows = Reminder.objects.filter(kind=Kind.DAY_SHEET).order_by("day", "pk")
    return list(rows.values_list("nurse", "day_site", "day", "due_at", "state", "reason"))


def test_each_nurse_with_a_shift_tomorrow_is_owed_one_sheet_for_each_site(nurse, site):
    other = make_site(sends_day_sheet=True)
    make_shift(nurse=nurse, site=site, day=TOMORROW, start="19:00", end="22:00")
    make_shift(nurse=nurse, site=other, day=TOMORROW, start="11:00")
    make_shift(nurse=nurse, site=site, day=TOMORROW + dt.timedelta(days=1))
    assert (plan_day_sheets(NOON), plan_day_sheets(NOON)) == (2, 0)
    assert ledger() == [
        (nurse.pk, site.pk, TOMORROW, SIX, ReminderState.OWED, ""),
        (nurse.pk, other.pk, TOMORROW, SIX, ReminderState.OWED, ""),
    ]


def test_tomorrow_is_the_sites(site):
    """Two in the morning in UTC is still the evening before in New York, and long the day itself in Auckland."""
    far = make_site(time_zone="Pacific/Auckland", sends_day_sheet=True)
    for place in (site, far):
        make_shift(nurse=make_nurse(site=place), site=place, day=TOMORROW, start="20:00", end="22:00")
    plan_day_sheets(NOON - 12 * HOUR)
    assert [(place, due) for _, place, _, due, _, _ in ledger()] == [
        (far.pk, dt.datetime(2026, 6, 1, 6, tzinfo=dt.UTC))
    ]


@pytest.mark.parametrize(
    "happens",
    [
        lambda: Site.objects.update(sends_day_sheet=False),
        lambda: Nurse.objects.update(is_active=False),
        lambda: User.objects.update(is_active=False),
        lambda: Shift.objects.all().delete(),
    ],
)
def test_whoever_is_not_to_get_one_is_planned_none(nurse, happens):
    happens()
    assert (plan_day_sheets(NOON), ledger()) == (0, [])


@pytest.mark.parametrize(
    ("now", "expected"),
    [(SHIFT - HOUR, [(ReminderState.OWED, "")]), (SHIFT + 24 * HOUR, [(ReminderState.SKIPPED, Reason.TOO_LATE)])],
)
def test_after_an_outage_it_goes_before_the_shift_or_not_at_all(nurse, now, expected):
    plan_day_sheets(now)
    assert [(state, reason) for *_, state, reason in ledger()] == expected


def test_planning_costs_the_same_for_many_nurses(nurse, site, django_assert_num_queries):
    for _ in range(4):
        make_shift(nurse=make_nurse(site=site), site=site, day=TOMORROW)
    with django_assert_num_queries(6):  # shifts, what is owed; then a transaction of sites and rows
        assert plan_day_sheets(NOON) == 5
    with django_assert_num_queries(2):
        assert plan_day_sheets(NOON) == 0


def test_the_sheet_is_mailed_to_the_nurse_and_kept_in_the_audit_trail(owed, nurse, site):
    assert dict(send_due(now=SIX)) == {"sent": 1}
    assert [(message.to, message.subject) for message in mail.outbox] == [
        ([nurse.user.email], "Your visits on Tuesday, June 2, 2026")
    ]
    event = AuditEvent.objects.get(action="reminder.sent")
    assert (event.patient_id, event.site_id, event.detail) == (
        "",
        site.public_id,
        {"kind": "day_sheet", "nurse": nurse.public_id, "day": "2026-06-02"},
    )


@pytest.mark.parametrize(
    ("happens", "at", "outcome", "reason"),
    [
        (lambda: Shift.objects.all().delete(), SIX, "skipped", Reason.NOT_ON_SHIFT),
        (
            lambda: Appointment.objects.update(state=State.CANCELLED, cancelled_at=NOON),
            SIX,
            "skipped",
            Reason.NOTHING_ON,
        ),
        (lambda: Appointment.objects.update(nurse=make_nurse()), SIX, "skipped", Reason.NOTHING_ON),
        (lambda: User.objects.update(is_active=False), SIX, "skipped", Reason.INACTIVE),
        (lambda: User.objects.filter(nurse__isnull=False).update(email=""), SIX, "skipped", Reason.NO_ADDRESS),
        (lambda: Site.objects.update(sends_day_sheet=False), SIX, "skipped", Reason.SWITCHED_OFF),
        (lambda: None, SIX + 2 * HOUR, "postponed", ""),  # quiet hours of the site
        (lambda: None, SHIFT - HOUR / 60, "postponed", ""),
        (lambda: None, SHIFT, "skipped", Reason.TOO_LATE),
    ],
)
def test_what_holds_at_sending_decides(owed, happens, at, outcome, reason):
    happens()
    assert dict(send_due(now=at)) == {outcome: 1}
    assert Reminder.objects.get().reason == reason


def test_it_can_be_sent_again_until_the_shift_begins(owed, time_machine):
    send_due(now=SIX)
    by = make_staff()
    sent = Reminder.objects.get()
    again = resend_reminder(reminder=sent, reason="Deleted by mistake", by=by, now=SIX + HOUR)
    assert (again.about, again.resend_no, dict(send_due(now=SIX + HOUR))) == (sent.about, 1, {"sent": 1})
    with pytest.raises(RuleViolation) as refused:
        resend_reminder(reminder=sent, reason="Once more", by=by, now=SHIFT)
    assert (refused.value.codes, Reminder.objects.count()) == ({"not-sendable-too_late"}, 2)


def test_staff_see_it_in_the_ledger_without_a_chart_being_opened(owed, nurse, client_for):
    client = client_for("scheduler")
    listed = client.get(reverse("reminders:reminder-list") + "?when=coming&kind=day_sheet").content.decode()
    assert (nurse.user.full_name in listed, "/board/?day=2026-06-02" in listed) == (True, True)
    page = client.get(reverse("reminders:reminder-detail", args=[owed.public_id])).content.decode()
    assert ("You have 1 visit on Tuesday, June 2, 2026." in page, nurse.user.email in page) == (True, True)
    assert not AuditEvent.objects.filter(action="chart.opened").exists()
    found = client.post(reverse("reminders:reminder-list"), {"q": "nobody", "when": "coming"}, follow=True)
    assert list(found.context["page"]) == []


def test_other_sites_do_not_see_it(owed, client):
    force_login(client, make_staff(role="scheduler", site=make_site()))
    assert client.get(reverse("reminders:reminder-detail", args=[owed.public_id])).status_code == 404


def test_staff_send_it_again_from_its_page(owed, client_for):
    send_due(now=SIX)
    url = reverse("reminders:reminder-resend", args=[owed.public_id])
    answer = client_for("scheduler").post(url, {"reason": "Deleted by mistake"})
    again = Reminder.objects.get(resend_no=1)
    assert answer.url == reverse("reminders:reminder-detail", args=[again.public_id])


def test_where_mails_land_in_a_folder_the_sheet_is_read_there(owed, nurse, client_for, settings, tmp_path):
    settings.MAIL_DIR, settings.EMAIL_BACKEND = tmp_path, "infusion_center.core.mail_folder.FolderBackend"
    send_due(now=SIX)
    client = client_for("scheduler")
    [(stored, _)] = client.get(reverse("reminders:mail-list")).context["mails"]
    page = client.get(reverse("reminders:mail-detail", args=[stored.name])).content.decode()
    assert ("First start: 09:00" in page, AuditEvent.objects.filter(action="chart.opened").count()) == (True, 0)
