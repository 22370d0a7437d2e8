"""Offers a freed start by mail to several who wait; the first to accept gets it, in one transaction with the booking.

Booking decides: an offer reserves nothing. What the claims refuse marks the offer as lost, and the entry waits on.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from django.db import IntegrityError, transaction

from infusion_center.audit import services as audit
from infusion_center.core import clock
from infusion_center.core.locks import lock_rows
from infusion_center.core.rules import Problem, RuleViolation, blocker
from infusions.scheduling.contention import BUSY, tried_again
from infusions.scheduling.models import Appointment, OfferState, WaitlistEntry, WaitlistOffer, WaitlistState
from infusions.scheduling.placing import locked_order
from infusions.scheduling.waitlist_matching import starts_still_free
from infusions.scheduling.waitlist_rules import not_waiting
from infusions.scheduling.waitlist_services import settle_offer, take_start
from patients.models import Channel
from patients.queries import may_contact

ENDED = {
    OfferState.DECLINED: ("offer-declined", "This offer was declined."),
    OfferState.LOST: ("offer-lost", "Somebody else was faster. You stay on the list."),
    OfferState.EXPIRED: ("offer-expired", "This offer has expired. You stay on the list."),
    OfferState.WITHDRAWN: ("offer-withdrawn", "This offer no longer stands."),
}

# Refusals that lie with the patient, the order or the visit to be moved; all others mean that the place is gone.
OWN_REASONS = frozenset(
    {
        *("order-unsigned", "order-held", "order-stopped", "order-expired", "order-not-started", "schedule-locked"),
        *("visits-used-up", "home-not-allowed", "weight-changed", "dose-too-early", "next-visit-too-early"),
        *("visit-same-day", "patient-busy", "nothing-earlier", "wrong-state"),
    }
)


@dataclass(frozen=True)
class OfferedStart:
    """What is offered to one entry; the end follows from the order's visit length."""

    entry: WaitlistEntry
    start: dt.datetime
    end: dt.datetime


@tried_again
@transaction.atomic
def send_offers(*, offered: Sequence[OfferedStart], by, now: dt.datetime | None = None) -> list[WaitlistOffer]:
    """Write the offers; the mails follow from them, by the ledger. All or none: a refusal names whom it is about."""
    now = now or clock.now()
    expire_offers(now=now)
    by_entry = {one.entry.pk: one for one in offered}
    rows = WaitlistEntry.objects.filter(pk__in=by_entry)
    lock_rows(rows)
    entries = list(rows.select_related("patient", "site", "order").order_by("pk"))
    problems = [problem for entry in entries for problem in offer_problems(entry, by_entry[entry.pk].start, now)]
    if problems or not entries:
        raise RuleViolation(problems or [blocker("nobody-chosen", "Choose at least one patient.")])
    return [_offer(entry, by_entry[entry.pk], by, now) for entry in entries]


def expires_at(entry: WaitlistEntry, start: dt.datetime, now: dt.datetime) -> dt.datetime:
    """The site's hours from now, never later than the notice that the patient needs."""
    last_call = start - dt.timedelta(hours=entry.notice_hours)
    return min(now + dt.timedelta(hours=entry.site.offer_hours), last_call)


def offer_problems(entry: WaitlistEntry, start: dt.datetime, now: dt.datetime) -> list[Problem]:
    name, found = entry.patient.name, []
    if entry.state != WaitlistState.WAITING:
        found.append(not_waiting(entry))
    if not (entry.patient.email and may_contact(entry.patient, Channel.EMAIL)):
        remedy = "Call the patient, and book the start here."
        found.append(blocker("no-mail", f"{name} gets no mail.", remedy=remedy))
    if expires_at(entry, start, now) <= now:
        found.append(blocker("notice-too-short", f"{name} needs {entry.notice_hours} hours of notice."))
    if entry.offers.filter(start=start, state=OfferState.OPEN).exists():
        found.append(blocker("already-offered", f"{name} has been offered this start already."))
    return found


def accept_offer(*, offer: WaitlistOffer, now: dt.datetime | None = None) -> Appointment:
    """The patient takes the start. Raises RuleViolation (offer-lost, -expired, -withdrawn, -declined, or busy).

    Accepted twice, it is booked once and answered alike.
    """
    now = now or clock.now()
    try:
        booked = _accept(offer=offer, now=now)
    except RuleViolation as refused:
        if BUSY.code in refused.codes or any(code.startswith("offer-") for code in refused.codes):
            raise
        # Nothing was booked. A rule of the order is nobody's being faster.
        state = OfferState.WITHDRAWN if refused.codes & OWN_REASONS else OfferState.LOST
        _settle(offer=offer, state=state, now=now, refused=sorted(refused.codes))
        raise RuleViolation([ended_problem(state)]) from refused
    with suppress(RuleViolation):  # the others find out when they press, at the latest
        lose_taken_offers(now=now, site=offer.site)
    return booked


@tried_again
@transaction.atomic
def decline_offer(*, offer: WaitlistOffer, now: dt.datetime | None = None) -> None:
    """The patient does not want this start and waits on. Raises RuleViolation when it was settled otherwise."""
    now = now or clock.now()
    if not settle_offer(offer=offer, state=OfferState.DECLINED, by=None, now=now, actor="Patient"):
        offer.refresh_from_db()
        if offer.state != OfferState.DECLINED:
            raise RuleViolation([ended_problem(offer.state)])


@tried_again
@transaction.atomic
def expire_offers(*, now: dt.datetime) -> int:
    """Settle what nobody answered in time."""
    over = WaitlistOffer.objects.filter(state=OfferState.OPEN, expires_at__lte=now).select_related("entry__patient")
    return sum(settle_offer(offer=offer, state=OfferState.EXPIRED, by=None, now=now) for offer in over.order_by("pk"))


@tried_again
@transaction.atomic
def lose_taken_offers(*, now: dt.datetime, site=None) -> int:
    """Settle the open offers, of one site or of all, whose start nobody could be booked at any more."""
    rows = WaitlistOffer.objects.filter(state=OfferState.OPEN, expires_at__gt=now, start__gt=now)
    rows = rows.select_related("entry__patient", "entry__site", "entry__instead_of")
    # One that is just being accepted is left out: it finds out by itself, and nobody waits for anybody.
    rows = rows.select_for_update(skip_locked=True, of=("self",))
    offers = list((rows.filter(entry__site=site) if site else rows).order_by("pk"))
    free = starts_still_free(offers, now)
    taken = [offer for offer in offers if offer.pk not in free]
    return sum(settle_offer(offer=offer, state=OfferState.LOST, by=None, now=now) for offer in taken)


def ended_problem(state: str) -> Problem:
    code, message = ENDED[OfferState(state)]
    return blocker(code, message)


@tried_again
@transaction.atomic
def _accept(*, offer: WaitlistOffer, now: dt.datetime) -> Appointment:
    locked_order(offer.entry.order)
    entries, offers = WaitlistEntry.objects.filter(pk=offer.entry_id), WaitlistOffer.objects.filter(pk=offer.pk)
    lock_rows(entries)
    lock_rows(offers)
    entry = entries.select_related("order", "patient", "site", "instead_of").get()
    mine = offers.select_related("offered_by").get()
    mine.entry = entry
    if mine.state == OfferState.ACCEPTED:
        return entry.appointment
    if mine.state != OfferState.OPEN:
        raise RuleViolation([ended_problem(mine.state)])
    if mine.expires_at <= now:
        raise RuleViolation([ended_problem(OfferState.EXPIRED)])
    if entry.state != WaitlistState.WAITING:
        raise RuleViolation([ended_problem(OfferState.WITHDRAWN)])
    settle_offer(offer=mine, state=OfferState.ACCEPTED, by=None, now=now, actor="Patient")
    return take_start(entry=entry, start=mine.start, by=None, now=now, offered_by=mine.offered_by)


@tried_again
@transaction.atomic
def _settle(*, offer: WaitlistOffer, state: OfferState, now: dt.datetime, refused: list[str]) -> None:
    settle_offer(offer=offer, state=state, by=None, now=now, refused=refused)


def _offer(entry: WaitlistEntry, one: OfferedStart, by, now: dt.datetime) -> WaitlistOffer:
    try:
        with transaction.atomic():
            offer = WaitlistOffer.objects.create(
                entry=entry,
                start=one.start,
                end=one.end,
                expires_at=expires_at(entry, one.start, now),
                offered_by=by,
            )
    except IntegrityError as again:
        message = f"{entry.patient.name} has been offered this start already."
        raise RuleViolation([blocker("already-offered", message)]) from again
    audit.record("offer.made", offer, by=by, patient=entry.patient, site=entry.site, entry=entry.public_id)
    return offer
