"""The ledger and the mail folder for staff."""

import datetime as dt

import pytest
from django.urls import reverse

from infusion_center.audit.models import AuditEvent
from infusions.reminders.heartbeat import SENDER, note_beat
from infusions.reminders.models import Kind, Reason, Reminder, ReminderState
from infusions.reminders.services import plan_reminders, send_due
from patients.search_keys import write_search_keys
from tests.factories.accounts import force_login, make_staff
from tests.factories.facility import make_site
from tests.factories.patients import make_patient
from tests.factories.reminders import make_reminder
from tests.factories.scheduling import make_appointment

pytestmark = pytest.mark.django_db
URL = reverse("reminders:reminder-list")
NOON = dt.datetime(2026, 6, 1, 16, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)


@pytest.fixture(autouse=True)
def noon(time_machine):
    time_machine.move_to(NOON, tick=False)


@pytest.fixture
def appointment(site):
    return make_appointment(site=site, day=dt.date(2026, 6, 18))


def listed(client, query="") -> list[str]:
    page = client.get(reverse("reminders:reminder-list") + query).context["page"]
    return [reminder.public_id for reminder in page]


def test_the_list_shows_what_was_due_lately_newest_first(client_for, appointment):
    early, late, old, coming = (
        make_reminder(appointment=appointment, kind=kind, due_at=NOON + due)
        for kind, due in [
            (Kind.CONFIRMATION, -2 * DAY),
            (Kind.DAYS_3, -DAY),
            (Kind.DAYS_7, -8 * DAY),
            (Kind.DAYS_1, DAY),
        ]
    )
    client = client_for("scheduler")
    assert listed(client) == [late.public_id, early.public_id]
    assert listed(client, "?when=coming") == [coming.public_id]
    assert listed(client, "?day=2026-05-24") == [old.public_id]
    assert listed(client, "?kind=days_3") == [late.public_id]
    assert len(listed(client, f"?patient={appointment.patient.public_id}")) == 4


def test_the_list_filters_by_state_and_counts(client_for, appointment):
    failed = make_reminder(appointment=appointment, state=ReminderState.FAILED, reason=Reason.ADDRESS_REFUSED)
    make_reminder(appointment=appointment, kind=Kind.DAYS_1)
    response = client_for("nurse").get(reverse("reminders:reminder-list") + "?state=failed")
    assert [r.public_id for r in response.context["page"]] == [failed.public_id]
    assert [(label, n) for _, label, n in response.context["states"]] == [
        ("All", 2),
        ("Waiting", 1),
        ("Sent", 0),
        ("Skipped", 0),
        ("Failed", 1),
        ("Came back", 0),
    ]
    assert "The mail server refused the message for good" in response.content.decode()


def test_the_list_finds_a_patient_by_name(client_for, site, appointment):
    patient = make_patient(given_name="Quentin", family_name="Zebra")
    visit = make_appointment(site=site, patient=patient, day=dt.date(2026, 6, 18))
    mine, _ = (make_reminder(appointment=one, due_at=NOON + dt.timedelta(days=1)) for one in (visit, appointment))
    write_search_keys(patient)
    sent = client_for("scheduler").post(URL, {"q": "zebra", "when": "coming", "kind": ""})
    assert ("zebra" in sent.url, "when=coming&s=" in sent.url) == (False, True)
    assert listed(client_for("scheduler"), sent.url.removeprefix(URL)) == [mine.public_id]


@pytest.mark.parametrize("query", ["?day=x", "?when=x&state=x&kind=x", "?page=9999", "?patient=x&q=nobody"])
def test_nonsense_in_the_address_is_no_error(client_for, appointment, query):
    make_reminder(appointment=appointment)
    assert client_for("scheduler").get(reverse("reminders:reminder-list") + query).status_code == 200


def test_other_sites_stay_unseen(client_for, site):
    elsewhere = make_reminder(appointment=make_appointment(site=make_site(), day=dt.date(2026, 6, 18)))
    client = client_for("manager")
    assert listed(client) == []
    for name in ("reminder-detail", "reminder-resend"):
        url = reverse(f"reminders:{name}", args=[elsewhere.public_id])
        assert client.post(url, {"reason": "x"}).status_code in (404, 405)
        assert client.get(url).status_code in (404, 405)
    assert Reminder.objects.count() == 1


def test_the_list_costs_the_same_for_many_rows(client_for, appointment, django_assert_max_num_queries):
    client = client_for("scheduler")
    make_reminder(appointment=appointment)
    for _ in range(5):
        make_reminder(appointment=make_appointment(site=appointment.site, day=dt.date(2026, 6, 19)))
    with django_assert_max_num_queries(20):
        assert len(listed(client)) == 6


def test_silence_is_told(client_for, appointment, time_machine):
    make_reminder(appointment=appointment)
    note_beat(SENDER, now=NOON)
    warning = "Messages have been due for more than ten minutes"
    client = client_for("scheduler")
    assert warning not in client.get(reverse("reminders:reminder-list")).content.decode()
    time_machine.move_to(NOON + dt.timedelta(minutes=11))
    assert warning in client.get(reverse("reminders:reminder-list")).content.decode()


def test_the_page_of_a_message_says_what_it_says_but_holds_no_link(client_for, appointment):
    reminder = make_reminder(appointment=appointment)
    page = client_for("nurse").get(reverse("reminders:reminder-detail", args=[reminder.public_id])).content.decode()
    assert "Your appointment on Thursday, June 18, 2026" in page
    assert "/v/" not in page
    assert AuditEvent.objects.get(action="chart.opened").patient_id == appointment.patient.public_id


def test_a_settled_message_is_sent_again_with_a_reason(client_for, appointment):
    sent = make_reminder(appointment=appointment, state=ReminderState.SENT)
    client = client_for("scheduler")
    url = reverse("reminders:reminder-resend", args=[sent.public_id])
    refused = client.post(url, {"reason": ""})
    assert refused.context["form"].errors == {"reason": ["This field is required."]}
    response = client.post(url, {"reason": "Deleted by mistake"})
    again = Reminder.objects.get(resend_no=1)
    assert response.url == reverse("reminders:reminder-detail", args=[again.public_id])
    assert (again.state, again.request_reason) == (ReminderState.OWED, "Deleted by mistake")
    second = client.post(url, {"reason": "Once more"})
    assert "This message is already waiting to be sent." in second.content.decode()


def test_only_who_may_can_send_again(client_for, appointment):
    sent = make_reminder(appointment=appointment, state=ReminderState.SENT)
    url = reverse("reminders:reminder-resend", args=[sent.public_id])
    client = client_for("nurse")
    assert client.post(url, {"reason": "x"}).status_code == 403
    page = client.get(reverse("reminders:reminder-detail", args=[sent.public_id])).content.decode()
    assert "Why is it sent again?" not in page
    assert Reminder.objects.count() == 1


@pytest.fixture
def folder(settings, tmp_path):
    settings.MAIL_DIR = tmp_path
    settings.EMAIL_BACKEND = "infusion_center.core.mail_folder.FolderBackend"
    return tmp_path


def test_without_a_mail_server_mails_can_be_read_and_their_links_followed(folder, client_for, appointment):
    plan_reminders()
    send_due()
    client = client_for("scheduler")
    [(mail, reminder)] = client.get(reverse("reminders:mail-list")).context["mails"]
    page = client.get(reverse("reminders:mail-detail", args=[mail.name])).content.decode()
    assert (reminder.kind, mail.key) == (Kind.CONFIRMATION, reminder.public_id)
    assert "http://127.0.0.1:8000/v/" in page
    assert "appointment.ics" in page


def test_the_mail_folder_shows_no_mail_of_other_kinds_or_sites(folder, client_for, site):
    elsewhere = make_appointment(site=make_site(), day=dt.date(2026, 6, 18))
    plan_reminders()
    send_due()
    (folder / "20260601-160000-secret.eml").write_text("Subject: Reset your password\n\nhttp://example.org/reset")
    client = client_for("manager")
    assert client.get(reverse("reminders:mail-list")).context["mails"] == []
    for path in folder.iterdir():
        assert client.get(reverse("reminders:mail-detail", args=[path.name])).status_code == 404
    assert elsewhere.reminders.filter(state=ReminderState.SENT).count() == 1


def test_the_mail_folder_is_closed_where_a_mail_server_is_set(client_for):
    assert client_for("manager").get(reverse("reminders:mail-list")).status_code == 404


def test_a_person_without_a_site_sees_an_empty_ledger(client, appointment):
    make_reminder(appointment=appointment)
    force_login(client, make_staff())
    assert listed(client) == []
