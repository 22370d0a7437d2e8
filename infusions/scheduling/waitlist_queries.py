"""Reads of the waitlist: hours that cancelled or moved visits left free, and who waits for such days."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from django.db.models import Count, Exists, OuterRef, Q

from infusion_center.audit.models import AuditEvent
from infusion_center.core import clock
from infusions.facility.models import Chair, Site
from infusions.scheduling.models import Appointment, OfferState, WaitlistEntry, WaitlistOffer, WaitlistState
from infusions.scheduling.states import UPCOMING, State

# A hole further ahead is found by the ordinary search, and hardly anybody waits for it.
LOOK_AHEAD = dt.timedelta(days=35)
# Moves longer ago than this are no news; cancellations are looked up by their start.
MOVED_WITHIN = dt.timedelta(days=14)
SHORTEST = dt.timedelta(hours=1)


@dataclass(frozen=True)
class FreedSlot:
    """Hours that `visit` held and gave up. What is still free in them is asked of the day as it is now."""

    visit: Appointment
    site: Site
    setting: str
    start: dt.datetime
    end: dt.datetime
    was_moved: bool = False
    chair_id: int | None = None

    @property
    def day(self) -> dt.date:
        return clock.local_date(self.start, self.site.time_zone)

    @property
    def minutes(self) -> int:
        return int((self.end - self.start).total_seconds() // 60)


def freed_slots(site: Site, now: dt.datetime) -> list[FreedSlot]:
    """Hours ahead that a cancelled or moved visit gave up and nobody took since, soonest first. Five queries."""
    gone = [_slot_of(visit) for visit in _cancelled(site, now)]
    gone += [slot for slot in _moved(site, now) if now < slot.start < now + LOOK_AHEAD]
    return sorted(_rest_of(gone), key=lambda slot: (slot.start, slot.visit.pk))


def freed_by(visit: Appointment, now: dt.datetime) -> FreedSlot | None:
    """The hours that this visit gave up by being cancelled, or by its last move; None if they are past."""
    cancelled = visit.state == State.CANCELLED
    slot = _slot_of(visit) if cancelled else next(iter(_moves([visit])), None)
    return slot if slot and slot.start > now else None


def still_free(slot: FreedSlot) -> FreedSlot | None:
    """What is left of the hours: the longest while that nobody took since."""
    return next(iter(_rest_of([slot])), None)


def waiting_entries(site: Site, setting: str, day: dt.date):
    """Who waits at the site for the local day, apart from weekday, hours and notice."""
    return (
        WaitlistEntry.objects.filter(site=site, state=WaitlistState.WAITING, last_on__gte=day)
        .filter(setting=setting, first_on__lte=day)
        .select_related("order__product", "order__indication", "order__patient", "site", "instead_of")
        .select_related("patient__booking_preference")
        .order_by("created_at", "pk")
    )


def suits(entry: WaitlistEntry, slot: FreedSlot, now: dt.datetime) -> bool:
    """Whether day, weekday and notice allow it; the start itself may lie later in the hours, never past their end."""
    last_moment = slot.end - dt.timedelta(hours=entry.notice_hours)
    return (
        entry.setting == slot.setting
        and entry.first_on <= slot.day <= entry.last_on
        and (not entry.weekdays or slot.day.weekday() in entry.weekdays)
        and last_moment > now
        and (entry.instead_of is None or (entry.instead_of.state in UPCOMING and entry.instead_of.start > slot.start))
    )


def slots_with_waiting(site: Site, now: dt.datetime) -> list[tuple[FreedSlot, int]]:
    """Freed hours that somebody waits for, with how many might come; who really fits is asked on the slot's page."""
    today = clock.local_date(now, site.time_zone)
    entries = list(WaitlistEntry.objects.filter(site=site).waiting(today).select_related("instead_of"))
    if not entries:
        return []
    counted = ((slot, sum(suits(entry, slot, now) for entry in entries)) for slot in freed_slots(site, now))
    return [(slot, number) for slot, number in counted if number]


def match_count(site: Site, now: dt.datetime) -> int:
    """How many freed slots somebody waits for: six queries at most, one when nobody waits."""
    return len(slots_with_waiting(site, now))


# Filters of the waitlist's page, by their names in its address.
LISTS = {
    "waiting": "Waiting",
    "asked": "Asked by mail",
    "over": "Days are over",
    "booked": "Booked",
    "closed": "Closed",
}


def listed_entries(site: Site, shown: str, now: dt.datetime):
    """Entries of one filter: who waits longest first, what is settled newest first."""
    entries = WaitlistEntry.objects.filter(site=site).with_people().select_related("appointment")
    today = clock.local_date(now, site.time_zone)
    if shown in (WaitlistState.BOOKED, WaitlistState.CLOSED):
        return entries.filter(state=shown).order_by("-closed_at", "-pk")
    if shown == "over":
        return entries.filter(state=WaitlistState.WAITING, last_on__lt=today).order_by("last_on", "pk")
    open_offers = Count("offers", filter=Q(offers__state=OfferState.OPEN, offers__expires_at__gt=now))
    # Booked in another way since: somebody has to say whether the patient still waits.
    since = Appointment.objects.filter(
        order=OuterRef("order"), state__in=UPCOMING, start__gt=now, created_at__gt=OuterRef("created_at")
    )
    waiting = entries.waiting(today).annotate(open_offers=open_offers, booked_since=Exists(since))
    waiting = waiting.order_by("created_at", "pk")
    return waiting.filter(open_offers__gt=0) if shown == "asked" else waiting


def offers_in(freed: FreedSlot):
    """What was offered of the freed hours, with the mails about it; the newest first."""
    offers = WaitlistOffer.objects.filter(
        entry__site=freed.site, entry__setting=freed.setting, start__lt=freed.end, end__gt=freed.start
    )
    return offers.select_related("entry__patient", "offered_by").prefetch_related("reminders")


def is_waited_for(visit: Appointment, now: dt.datetime) -> bool:
    """Whether somebody waits for the hours that this visit has just given up."""
    freed = freed_by(visit, now)
    slot = still_free(freed) if freed else None
    return slot is not None and any(
        suits(entry, slot, now) for entry in waiting_entries(slot.site, slot.setting, slot.day)
    )


def _cancelled(site: Site, now: dt.datetime):
    return Appointment.objects.filter(
        site=site, state=State.CANCELLED, start__gt=now, start__lt=now + LOOK_AHEAD
    ).select_related("site", "patient")


def _slot_of(visit: Appointment) -> FreedSlot:
    return FreedSlot(visit, visit.site, visit.setting, visit.start, visit.end, chair_id=visit.chair_id)


def _moved(site: Site, now: dt.datetime) -> list[FreedSlot]:
    visits = Appointment.objects.filter(
        site=site, state__in=UPCOMING, version__gt=1, updated_at__gte=now - MOVED_WITHIN, start__gt=now
    )
    return _moves(list(visits.select_related("site", "patient")))


def _moves(visits: Sequence[Appointment]) -> list[FreedSlot]:
    """What the last move of each visit left, as the trail tells it: wall time, minutes and chair from before."""
    by_id = {visit.public_id: visit for visit in visits}
    if not by_id:
        return []
    events = AuditEvent.objects.filter(
        target_type="appointment", target_id__in=list(by_id), action="appointment.moved"
    ).order_by("at", "pk")
    last = {event.target_id: event.detail for event in events}
    chairs = _chairs_by_public_id(detail.get("freed_chair", "") for detail in last.values())
    found = []
    for public_id, detail in last.items():
        visit, minutes = by_id[public_id], detail.get("freed_minutes")
        if minutes:
            local = dt.datetime.fromisoformat(detail["before"])
            start = clock.from_local(local.date(), local.time(), visit.site.time_zone)
            end, chair_id = start + dt.timedelta(minutes=minutes), chairs.get(detail.get("freed_chair"))
            found.append(FreedSlot(visit, visit.site, visit.setting, start, end, was_moved=True, chair_id=chair_id))
    return found


def _chairs_by_public_id(public_ids: Iterable[str]) -> dict[str, int]:
    return dict(Chair.objects.filter(public_id__in={*public_ids} - {""}).values_list("public_id", "pk"))


def _rest_of(slots: list[FreedSlot]) -> list[FreedSlot]:
    """Cut to the longest while in which the chair, or at home the nurse, is free; left out when that is too short."""
    if not slots:
        return []
    first, last = min(slot.start for slot in slots), max(slot.end for slot in slots)
    held = (
        Appointment.objects.holding()
        .overlapping(first, last)
        .filter(site=slots[0].site, start__gt=first - dt.timedelta(days=1))
    )
    spans: dict[tuple, list] = defaultdict(list)
    for chair_id, nurse_id, start, end in held.order_by("start").values_list("chair_id", "nurse_id", "start", "end"):
        for lane in (("chair", chair_id), ("nurse", nurse_id)):
            spans[lane].append((start, end))
    left = [replace(slot, **_longest_free(slot, spans[_lane(slot)])) for slot in slots]
    return [slot for slot in left if slot.end - slot.start >= SHORTEST]


def _lane(slot: FreedSlot) -> tuple:
    return ("chair", slot.chair_id) if slot.chair_id else ("nurse", slot.visit.nurse_id)


def _longest_free(slot: FreedSlot, taken: list) -> dict[str, dt.datetime]:
    """Start and end of the longest while in the hours that no visit holds; `taken` by start."""
    gaps, free_from = [], slot.start
    for start, end in [*taken, (slot.end, slot.end)]:
        if start <= slot.end and end > slot.start:
            gaps.append((max(start, free_from) - free_from, free_from))
            free_from = max(free_from, end)
    length, start = max(gaps, key=lambda gap: gap[0])
    return {"start": start, "end": start + length}
