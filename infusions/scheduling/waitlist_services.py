"""Puts patients on the waitlist, changes and closes entries, and books from it.

Locks are taken in one order everywhere: the order, then the entry, then an offer; visits only behind their order.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.db import transaction

from infusion_center.audit import services as audit
from infusion_center.audit.models import AuditEvent
from infusion_center.core import clock
from infusion_center.core.locks import lock_rows
from infusion_center.core.rules import Problem, RuleViolation, blocker, refuse_if_blocking
from infusions.facility.models import Site
from infusions.orders.models import InfusionOrder
from infusions.scheduling.booking import book_appointment, move_appointment
from infusions.scheduling.contention import tried_again
from infusions.scheduling.models import Appointment, OfferState, WaitlistEntry, WaitlistOffer, WaitlistState
from infusions.scheduling.placing import locked_order
from infusions.scheduling.waitlist_rules import Wish, entry_problems, not_waiting
from patients.services import note_site

AMENDABLE = (
    *("site", "setting", "first_on", "last_on", "weekdays", "earliest", "latest"),
    *("notice_hours", "instead_of", "note"),
)


@tried_again
@transaction.atomic
def add_to_waitlist(
    *,
    order: InfusionOrder,
    by,
    site: Site,
    setting: str,
    first_on: dt.date,
    last_on: dt.date,
    weekdays: Iterable[int] = (),
    earliest: dt.time | None = None,
    latest: dt.time | None = None,
    notice_hours: int = 24,
    note: str = "",
    instead_of: Appointment | None = None,
    now: dt.datetime | None = None,
) -> WaitlistEntry:
    """Let an order wait, once, for a start that becomes free. Raises RuleViolation when nothing could come of it."""
    now = now or clock.now()
    order = locked_order(order)
    entry = WaitlistEntry(order=order, patient=order.patient, created_by=by)
    values = (site, setting, first_on, last_on, sorted(set(weekdays)), earliest, latest, notice_hours, instead_of, note)
    _fill_in(entry, dict(zip(AMENDABLE, values, strict=True)), now)
    entry.save()
    note_site(patient=order.patient, site=site, by=by, why="waitlist", now=now)
    _record("waitlist.added", entry, by, version=entry.version)
    return entry


@tried_again
@transaction.atomic
def amend_entry(*, entry: WaitlistEntry, version: int, by, now: dt.datetime | None = None, **fields) -> WaitlistEntry:
    """Change a waiting entry; `fields` by the names of AMENDABLE. Refused when somebody changed it since `version`.

    Offers that were sent stand: they are promises.
    """
    now = now or clock.now()
    locked_order(entry.order)
    amended = _locked(entry)
    _refuse_stale(amended, version)
    _refuse_settled(amended)
    if "weekdays" in fields:
        fields["weekdays"] = sorted(set(fields["weekdays"]))
    changed = [name for name, value in fields.items() if getattr(amended, name) != value]
    _fill_in(amended, fields, now)
    amended.version += 1
    amended.save()
    note_site(patient=amended.patient, site=amended.site, by=by, why="waitlist", now=now)
    _record("waitlist.amended", amended, by, fields=changed, version=amended.version)
    return amended


@tried_again
@transaction.atomic
def close_entry(
    *, entry: WaitlistEntry, reason: str, by, version: int | None = None, now: dt.datetime | None = None
) -> WaitlistEntry:
    """Take an entry off the list and withdraw what was offered to it."""
    now = now or clock.now()
    locked_order(entry.order)
    closed = _locked(entry)
    if version is not None:
        _refuse_stale(closed, version)
    _refuse_settled(closed)
    if not reason.strip():
        raise RuleViolation([blocker("reason-missing", "Say why the entry is closed.", field="reason")])
    closed.state, closed.closed_at, closed.close_reason = WaitlistState.CLOSED, now, reason.strip()[:200]
    closed.version += 1
    closed.save()
    _record("waitlist.closed", closed, by, version=closed.version)
    withdraw_offers(entry=closed, by=by, now=now)
    return closed


@tried_again
@transaction.atomic
def book_from_waitlist(*, entry: WaitlistEntry, start: dt.datetime, by, now: dt.datetime | None = None) -> Appointment:
    """Book the start for a waiting patient, or move the visit that is to come earlier. Pressed twice, booked once."""
    now = now or clock.now()
    locked_order(entry.order)
    waiting = _locked(entry)
    if waiting.state == WaitlistState.BOOKED and waiting.appointment.start == start:
        return waiting.appointment
    _refuse_settled(waiting)
    return take_start(entry=waiting, start=start, by=by, now=now)


def take_start(*, entry: WaitlistEntry, start: dt.datetime, by, now: dt.datetime, offered_by=None) -> Appointment:
    """Within a transaction that holds order and entry: book or move, settle the entry, withdraw its offers.

    `by` is None for a patient who accepted what `offered_by` had offered; he may approve nothing, and here nobody does.
    """
    visit = entry.instead_of
    if visit is None:
        booked = book_appointment(
            order=entry.order,
            start=start,
            setting=entry.setting,
            site=entry.site,
            by=by,
            offered_by=offered_by,
            now=now,
        )
    else:
        visit.refresh_from_db()
        if visit.start <= start:
            message = "The visit that was to come earlier is by now no later than this start."
            raise RuleViolation([blocker("nothing-earlier", message, remedy="Close the entry, or change it.")])
        booked = move_appointment(appointment=visit, start=start, by=by, now=now)
    entry.state, entry.appointment, entry.closed_at = WaitlistState.BOOKED, booked, now
    entry.version += 1
    entry.save()
    _record("waitlist.booked", entry, by, visit=booked.public_id, version=entry.version)
    withdraw_offers(entry=entry, by=by, now=now)
    return booked


def withdraw_offers(*, entry: WaitlistEntry, by, now: dt.datetime) -> None:
    """The entry's open offers, when nobody needs them any more."""
    for offer in entry.offers.filter(state=OfferState.OPEN).order_by("pk"):
        settle_offer(offer=offer, state=OfferState.WITHDRAWN, by=by, now=now)


def settle_offer(*, offer: WaitlistOffer, state: OfferState, by, now: dt.datetime, **detail) -> bool:
    """By a conditional update: of two who settle an offer at once, one does. True if it was this one."""
    rows = WaitlistOffer.objects.filter(pk=offer.pk, state=OfferState.OPEN)
    if not rows.update(state=state, settled_at=now, updated_at=now):
        return False
    offer.state, offer.settled_at = state, now
    audit.record(
        f"offer.{state.value}",
        offer,
        by=by,
        patient=offer.patient,
        site=offer.site,
        entry=offer.entry.public_id,
        **detail,
    )
    return True


def _fill_in(entry: WaitlistEntry, fields: dict, now: dt.datetime) -> None:
    """Set the fields, and refuse what could never be offered a start."""
    for name, value in fields.items():
        setattr(entry, name, value.strip()[:200] if name == "note" else value)
    if entry.instead_of is not None:  # as it is now, not as the page saw it
        entry.instead_of = Appointment.objects.get(pk=entry.instead_of_id)
    names = [name for name in AMENDABLE if name != "note"]
    wish = Wish(**{name: getattr(entry, name) for name in names if name != "weekdays"}, weekdays=tuple(entry.weekdays))
    waiting = WaitlistEntry.objects.filter(order=entry.order, state=WaitlistState.WAITING).exclude(pk=entry.pk)
    today = clock.local_date(now, entry.site.time_zone)
    refuse_if_blocking(entry_problems(entry.order, wish, today=today, other=waiting.first()))


def _locked(entry: WaitlistEntry) -> WaitlistEntry:
    rows = WaitlistEntry.objects.filter(pk=entry.pk)
    lock_rows(rows)
    return rows.select_related("order__product", "patient", "site", "instead_of", "appointment").get()


def _refuse_settled(entry: WaitlistEntry) -> None:
    if entry.state != WaitlistState.WAITING:
        raise RuleViolation([not_waiting(entry)])


def _refuse_stale(entry: WaitlistEntry, version: int) -> None:
    if version != entry.version:
        raise RuleViolation([stale_problem(entry, version)])


def stale_problem(entry: WaitlistEntry, version: int) -> Problem:
    """What was changed after `version`, and by whom."""
    events = AuditEvent.objects.filter(
        target_type="waitlistentry", target_id=entry.public_id, detail__version__gt=version
    ).order_by("at", "id")
    fields = sorted({name.replace("_", " ") for event in events for name in event.detail.get("fields", [])})
    people = ", ".join(dict.fromkeys(event.actor_name for event in events)) or "Somebody"
    what = ", ".join(fields) if entry.state == WaitlistState.WAITING else f"now {entry.get_state_display().lower()}"
    message = f"{people} changed this entry meanwhile: {what or 'nothing that shows'}."
    return blocker("changed-meanwhile", message, remedy="Nothing was saved. Look at it again before you go on.")


def _record(action: str, entry: WaitlistEntry, by, **detail) -> None:
    actor = {} if by else {"actor": "Patient"}
    audit.record(action, entry, by=by, patient=entry.patient, site=entry.site, **detail, **actor)
