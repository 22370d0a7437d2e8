"""Retention: what has been kept long enough goes, the day before it stays, and nothing clinical ever goes."""

import datetime as dt
from io import StringIO

import pytest
from django.apps import apps
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction

from infusion_center.accounts import kept_services
from infusion_center.accounts.models import KeptEntry
from infusion_center.audit.models import AuditEvent
from infusion_center.conf.jobs import CELERY_BEAT_SCHEDULE
from infusion_center.core import clock
from infusion_center.core.retention import policy
from infusion_center.core.triggers import triggers_on
from infusions.reminders.delivery_models import BlockedAddress
from infusions.reminders.models import Kind, Reminder
from infusions.retention import apply_retention, forget_passing
from infusions.scheduling import housekeeping
from infusions.scheduling.models import WaitlistEntry, WaitlistOffer
from infusions.scheduling.states import State
from patients import import_services
from patients.import_models import ImportRow, PatientImport
from tests.factories.mail_events import make_block, make_mail_event
from tests.factories.reminders import make_reminder
from tests.factories.scheduling import make_appointment
from tests.patients.sheets import kept, line

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)
LONG_AGO = dt.timedelta(days=2 * 366)
RECENTLY = dt.timedelta(days=2 * 364)


def sent(site, ago: dt.timedelta, **fields) -> Reminder:
    """A reminder of a visit that is as long past."""
    visit = make_appointment(site=site, start=clock.now() - ago, state=State.COMPLETED)
    return make_reminder(appointment=visit, state="sent", due_at=clock.now() - ago - DAY, **fields)


def all_rows() -> dict:
    labels = ("patients", "infusions", "accounts", "sessions")
    models = [m for label in labels for m in apps.get_app_config(label).get_models(include_auto_created=True)]
    return {
        m._meta.db_table: {row[m._meta.pk.name]: row for row in m._base_manager.order_by().values()} for m in models
    }


def gone(before: dict, after: dict) -> dict[str, set]:
    assert all(row == before[table][key] for table, rows in after.items() for key, row in rows.items())
    return {table: lost for table, rows in before.items() if (lost := rows.keys() - after[table].keys())}


def test_only_what_is_long_past_goes(site, manager):
    now = clock.now()
    old, young, owed = sent(site, LONG_AGO), sent(site, RECENTLY), make_reminder(state="owed")
    old_event = make_mail_event(reminder=old, kind="delivered", happened_at=now - LONG_AGO)
    make_mail_event(reminder=young, kind="delivered", happened_at=now - RECENTLY)
    late_told = sent(site, LONG_AGO)  # its mail came back only lately
    make_mail_event(reminder=late_told, happened_at=now - RECENTLY)
    blocking = sent(site, LONG_AGO)
    make_block("ada@example.org", reminder=blocking)
    sheet = kept(line(1), by=manager, site=site, now=now - DAY)
    fresh = kept(line(2), by=manager, site=site, now=now - DAY / 2)
    entries = [KeptEntry.objects.create(user=manager, path=path) for path in ("/a/", "/b/")]
    KeptEntry.objects.filter(pk=entries[0].pk).update(updated_at=now - DAY)
    for key, ago in (("old", 2), ("new", -1)):
        Session.objects.create(session_key=key, session_data="", expire_date=now - ago * DAY)
    before, triggers = all_rows(), triggers_on(connection, all_rows().keys())
    rows = set(ImportRow.objects.exclude(upload=fresh).values_list("pk", flat=True))
    apply_retention(now=now)
    expected = {
        "infusions_reminder": {old.pk},
        "infusions_mailevent": {old_event.pk},
        "accounts_keptentry": {entries[0].pk},
        "django_session": {"old"},
    }
    expected |= {"patients_patientimport": {sheet.pk}, "patients_importrow": rows} if rows else {}
    assert gone(before, all_rows()) == expected
    assert (triggers_on(connection, before.keys()), owed.state) == (triggers, "owed")


def test_a_block_goes_two_years_after_it_was_lifted_and_lets_the_rest_go(site, manager):
    now, reminder = clock.now(), sent(site, LONG_AGO)
    block = make_block("ada@example.org", reminder=reminder)
    fields = {"lifted_at": now - LONG_AGO, "lifted_by": manager}
    BlockedAddress.objects.filter(pk=block.pk).update(**fields)
    assert apply_retention(now=now) == {"infusions_blockedaddress": 1}
    later = clock.now() + LONG_AGO
    assert apply_retention(now=later) == {"infusions_mailevent": 1, "infusions_reminder": 1}


def test_a_closed_wait_goes_with_its_offers_once_no_reminder_speaks_of_it(site):
    now = clock.now()
    visit = make_appointment(site=site, start=now - LONG_AGO, state=State.COMPLETED)
    reminder = make_reminder(appointment=visit, kind=Kind.OFFER, state="owed", due_at=now - LONG_AGO)
    WaitlistEntry.objects.update(state="closed", closed_at=now - LONG_AGO)
    assert apply_retention(now=now) == {}
    Reminder.objects.filter(pk=reminder.pk).update(state="sent", settled_at=now)
    assert apply_retention(now=now) == {
        "infusions_reminder": 1,
        "infusions_waitlistoffer": 1,
        "infusions_waitlistentry": 1,
    }
    assert (WaitlistOffer.objects.count(), WaitlistEntry.objects.count()) == (0, 0)


def test_sent_reminders_are_kept_from_everybody_else_as_before(site):
    sent(site, LONG_AGO), sent(site, RECENTLY)
    apply_retention()
    with pytest.raises(IntegrityError), transaction.atomic():
        Reminder.objects.all()._raw_delete("default")
    assert Reminder.objects.count() == 1


def test_the_command_only_looks_until_told_otherwise(site, manager):
    sent(site, LONG_AGO)
    before, out = all_rows(), StringIO()
    call_command("apply_retention", stdout=out)
    assert (all_rows() == before, "reminders: after 2 years: 1 infusions_reminder" in out.getvalue()) == (True, True)
    call_command("apply_retention", yes=True, stdout=StringIO())
    event = AuditEvent.objects.get(action="retention.applied")
    assert (gone(before, all_rows()).keys(), event.detail) == (
        {"infusions_reminder"},
        {"rule": "reminders", "rows": ["infusions_reminder: 1"]},
    )


def test_sheets_and_their_rows_go_together(site, manager):
    kept(line(1), line(2), by=manager, site=site, now=clock.now() - DAY)
    assert apply_retention() == {"patients_importrow": 2, "patients_patientimport": 1}
    assert PatientImport.objects.count() == 0


OF_THE_PROGRAM = {"patients_importrow": 1, "patients_patientimport": 1, "accounts_keptentry": 1, "django_session": 1}


@pytest.fixture
def day_old(site, manager) -> None:
    """What the program made for its own use, a day ago; and a reminder, about which the center decides."""
    kept(line(1), by=manager, site=site, now=clock.now() - DAY)
    KeptEntry.objects.create(user=manager, path="/a/")
    KeptEntry.objects.update(updated_at=clock.now() - DAY)
    Session.objects.create(session_key="old", session_data="", expire_date=clock.now() - DAY)
    sent(site, LONG_AGO)


def test_what_the_program_made_for_its_own_use_goes_without_anybodys_asking(day_old):
    assert (forget_passing(), Reminder.objects.count()) == (OF_THE_PROGRAM, 1)


def test_without_a_worker_it_goes_with_the_reminders(day_old):
    before = all_rows()
    call_command("send_reminders", stdout=StringIO())
    after = all_rows()
    lost = {table: len(rows.keys() - after[table].keys()) for table, rows in before.items()}
    assert {table: number for table, number in lost.items() if number} == OF_THE_PROGRAM


def test_with_a_worker_it_goes_each_hour_whatever_the_settings():
    beat = {one["task"]: one["schedule"].run_every for one in CELERY_BEAT_SCHEDULE.values()}
    assert beat["infusions.retention_tasks.forget_passing"] == dt.timedelta(hours=1)


def test_the_code_keeps_no_longer_than_the_file_says():
    rules, _ = policy()
    told = {name: rules[name].keep for name in ("imports", "typed", "claims")}
    code = {"imports": import_services.KEPT_FOR, "typed": kept_services.KEPT_FOR, "claims": housekeeping.KEPT_FOR}
    assert (told, code) == (
        {"imports": "24 hours", "typed": "24 hours", "claims": "2 days"},
        {"imports": DAY, "typed": DAY, "claims": 2 * DAY},
    )
