"""Erases what has been kept as long as retention.toml says: never a clinical record, and nothing that others need.

Rows that the database keeps from deletion are let go here and nowhere else, when their time is over. A run takes at
most some thousand rows of a table, so that nobody who writes to it waits for long; the next run takes the next.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from django.contrib.sessions.models import Session
from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from infusion_center.accounts.models import KeptEntry, OpenSession
from infusion_center.audit import services as audit
from infusion_center.audit.subjects import Subject
from infusion_center.core import clock
from infusion_center.core.retention import Rule, policy
from infusion_center.core.row_tree import Rows, delete_rows
from infusion_center.core.triggers import lifted
from infusions.reminders.delivery_models import BlockedAddress, MailEvent
from infusions.reminders.models import UNSETTLED, Reminder
from infusions.scheduling.models import WaitlistEntry, WaitlistOffer
from patients.import_models import ImportRow, PatientImport

AT_ONCE = 2_000


def _few(rows: QuerySet) -> set:
    return set(rows.order_by("pk").values_list("pk", flat=True)[:AT_ONCE])


def typed_rows(before: dt.datetime) -> Rows:
    return {KeptEntry: _few(KeptEntry.objects.filter(updated_at__lte=before))}


def import_rows(before: dt.datetime) -> Rows:
    uploads = _few(PatientImport.objects.filter(uploaded_at__lte=before))
    return {
        ImportRow: set(ImportRow.objects.filter(upload__in=uploads).values_list("pk", flat=True)),
        PatientImport: uploads,
    }


def session_rows(before: dt.datetime) -> Rows:
    return {model: _few(model.objects.filter(expire_date__lte=before)) for model in (OpenSession, Session)}


def blocked_rows(before: dt.datetime) -> Rows:
    return {BlockedAddress: _few(BlockedAddress.objects.filter(lifted_at__lte=before))}


def reminder_rows(before: dt.datetime) -> Rows:
    """Of what is long past. A mail event stays while it is the reason of a block, and so does its reminder."""
    past = Q(appointment=None) | Q(appointment__end__lte=before)
    reminders = Reminder.objects.filter(past, due_at__lte=before).exclude(state__in=UNSETTLED)
    its_events = MailEvent.objects.filter(reminder=OuterRef("pk"))
    needed = Exists(BlockedAddress.objects.filter(event=OuterRef("pk")))
    young = Q(happened_at__gt=before)
    reminders = reminders.exclude(Exists(its_events.filter(young | needed)))
    keys = _few(reminders)
    orphans = MailEvent.objects.filter(reminder=None, happened_at__lte=before).exclude(needed)
    events = set(MailEvent.objects.filter(reminder__in=keys).values_list("pk", flat=True)) | _few(orphans)
    return {MailEvent: events, Reminder: keys}


def waitlist_rows(before: dt.datetime) -> Rows:
    """An entry goes with its offers, once no reminder speaks of them any more."""
    told = Reminder.objects.filter(offer__entry=OuterRef("pk"))
    entries = _few(WaitlistEntry.objects.filter(closed_at__lte=before).exclude(Exists(told)))
    return {
        WaitlistOffer: set(WaitlistOffer.objects.filter(entry__in=entries).values_list("pk", flat=True)),
        WaitlistEntry: entries,
    }


# In this order: what refers to another goes first. The cache is no table of ours: see below.
SWEEPS: dict[str, Callable[[dt.datetime], Rows]] = {
    "typed": typed_rows,
    "imports": import_rows,
    "sessions": session_rows,
    "blocked": blocked_rows,
    "reminders": reminder_rows,
    "waitlist": waitlist_rows,
}


def rules_done_here() -> list[Rule]:
    rules, _ = policy()
    return [rules[name] for name in [*SWEEPS, "cache"]]


def what_may_go(rule: Rule, now: dt.datetime) -> dict[str, int]:
    """Table -> rows of it whose time is over, as many as one run takes; nothing is written."""
    if rule.name == "cache":
        return _counts({}, cache=_cache(rule.before(now), "SELECT COUNT(*) FROM"))
    return _counts(SWEEPS[rule.name](rule.before(now)))


def apply_retention(*, now: dt.datetime | None = None) -> dict[str, int]:
    """One run over all rules: table -> rows erased."""
    return _apply_all(rules_done_here(), now)


def forget_passing(*, now: dt.datetime | None = None) -> dict[str, int]:
    """The same of what the program made for its own use: always, whatever the center has decided about the rest."""
    return _apply_all([rule for rule in rules_done_here() if rule.is_of_the_program], now)


def _apply_all(rules: list[Rule], now: dt.datetime | None) -> dict[str, int]:
    now, erased = now or clock.now(), {}
    for rule in rules:
        erased |= _apply(rule, now)
    return erased


@transaction.atomic
def _apply(rule: Rule, now: dt.datetime) -> dict[str, int]:
    if rule.name == "cache":
        counts = _counts({}, cache=_cache(rule.before(now), "DELETE FROM"))
    else:
        # Looked for once to know whether there is anything, and again when nobody else can write to the tables.
        counts = _counts(SWEEPS[rule.name](rule.before(now)))
        if counts:
            with lifted(connection, counts.keys()):
                rows = SWEEPS[rule.name](rule.before(now))
                counts = _counts(rows)
                delete_rows(rows)
    if counts and rule.name not in ("sessions", "cache"):
        told = [f"{table}: {number}" for table, number in counts.items()]
        audit.record("retention.applied", Subject("retention", rule.what[:200]), by=None, rule=rule.name, rows=told)
    return counts


def _counts(rows: Rows, cache: int = 0) -> dict[str, int]:
    found = {model._meta.db_table: len(keys) for model, keys in rows.items() if keys}
    return found | ({"cache_entries": cache} if cache else {})


def _cache(before: dt.datetime, act: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"{act} cache_entries WHERE expires <= %s", [connection.ops.adapt_datetimefield_value(before)])
        return cursor.fetchone()[0] if act.startswith("SELECT") else cursor.rowcount
