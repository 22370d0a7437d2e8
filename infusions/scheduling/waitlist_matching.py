"""Who of the waitlist fits a freed slot, ranked: which start each would get, and why in a few words.

The slot's day is read once for all entries; their own visits, weights, risks and consents in one query each. So the
number of queries is the same for one entry and for fifty.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from infusion_center.core import clock
from infusion_center.core.rules import Severity
from infusions.facility.models import Setting
from infusions.orders.queries import infusion_minutes_of, visit_length
from infusions.scheduling.availability import LONGEST_VISIT, read_availability
from infusions.scheduling.bitmaps import Fits, Need, Picture, fill, fitting, need_of, runs
from infusions.scheduling.drawing import ROW, draw_visits
from infusions.scheduling.models import Appointment, OfferState, WaitlistEntry, WaitlistOffer
from infusions.scheduling.queries import COUNTING, CourseSoFar
from infusions.scheduling.ranking import set_bits
from infusions.scheduling.rules import order_problems_on
from infusions.scheduling.slots import next_window
from infusions.scheduling.waitlist_queries import FreedSlot, suits, waiting_entries
from patients.models import Channel, ContactPreference, RiskFactor, Weight

MOST = 60
NOBODY = 0  # no patient's row number: the picture of the site alone
START, PATIENT = 0, ROW.index("patient_id")  # columns of what availability reads of each visit


@dataclass(frozen=True)
class Match:
    """A waiting entry, the start it would get, and what speaks for it."""

    entry: WaitlistEntry
    start: dt.datetime
    end: dt.datetime
    fills: int  # percent of the freed hours
    days_from_due: int
    gets_mail: bool
    why: tuple[str, ...]
    offer: WaitlistOffer | None = None  # of this start, still open

    @property
    def instant(self) -> str:
        """What the row's button sends."""
        return self.start.isoformat()

    @property
    def rank(self) -> tuple:
        """Near the due day, a full hole, somebody who can be asked at once, the longest wait."""
        return abs(self.days_from_due), -self.fills, not self.gets_mail, self.entry.created_at, self.entry.pk


@dataclass(frozen=True)
class Facts:
    """What is known of the waiting patients, by their row numbers or those of their orders."""

    courses: dict[int, CourseSoFar]
    weights: dict[int, Weight]
    at_risk: set[int]
    mailed: set[int]
    offers: dict[tuple[int, dt.datetime], WaitlistOffer]


class Day:
    """One day of a site as it is booked, with the visits of many patients; asked for the starts of each."""

    def __init__(self, slot_site, setting: str, day: dt.date, entries: Sequence[WaitlistEntry]):
        self.site, self.setting = slot_site, setting
        first, following = clock.day_bounds(day, slot_site.time_zone)
        pad = dt.timedelta(minutes=slot_site.travel_minutes + 15 if setting == Setting.HOME else 0)
        window = {"start": first - pad, "end": following + pad}
        self.seen = read_availability(site=slot_site, setting=setting, patient_id=NOBODY, **window)
        self.of_day = self.seen.bits(first, following)
        self.busy = self._busy(entries)
        self._fits: dict[tuple[Need, str], Fits] = {}

    def _busy(self, entries: Sequence[WaitlistEntry]) -> dict[int, int]:
        """Quarters that each patient is booked for anywhere. A visit that would move does not stand in its own way."""
        patients = {entry.patient_id for entry in entries}
        moving = {entry.instead_of_id for entry in entries} - {None}
        start, end = self.seen.instant(0), self.seen.instant(self.seen.picture.size)
        visits = Appointment.objects.holding().filter(
            patient__in=patients, start__gt=start - LONGEST_VISIT, start__lt=end, end__gt=start
        )
        busy: dict[int, int] = defaultdict(int)
        for patient_id, begins, ends in visits.exclude(pk__in=moving).values_list("patient_id", "start", "end"):
            quarters = clock.quarters_between(max(begins, start), min(ends, end))
            busy[patient_id] |= fill(quarters.start - self.seen.origin, quarters.stop - self.seen.origin)
        return busy

    def starts(self, entry: WaitlistEntry, minutes: int) -> int:
        """Bitmap of the starts at which chair, nurse and patient are free for so long."""
        need = need_of(self.site, self.setting, minutes)
        picture = self.seen.picture
        at_the_site = self._site_fits(need, entry)
        own = picture.everything & ~self.busy.get(entry.patient_id, 0)
        return at_the_site.starts & runs(own, need.length)

    def _site_fits(self, need: Need, entry: WaitlistEntry) -> Fits:
        kind = "" if need.at_home else needed_kind(entry)
        if entry.instead_of is not None and (rest := _without(self.seen.rows, entry.instead_of)) != self.seen.rows:
            busy = draw_visits(rest, self.seen.origin, self.seen.picture.size, patient_id=NOBODY)
            return fitting(replace(self._picture(kind), busy=busy), need, self.of_day)
        if (need, kind) not in self._fits:
            self._fits[need, kind] = fitting(self._picture(kind), need, self.of_day)
        return self._fits[need, kind]

    def _picture(self, kind: str) -> Picture:
        """With only the chairs of the kind, where the patient needs one."""
        picture = self.seen.picture
        if not kind:
            return picture
        return replace(picture, chairs=tuple(pk for pk in picture.chairs if self.seen.chairs[pk].kind == kind))


def needed_kind(entry: WaitlistEntry) -> str:
    wishes = getattr(entry.patient, "booking_preference", None)
    return wishes.chair_kind if wishes and wishes.needs_chair_kind else ""


def matches_for(freed: FreedSlot, now: dt.datetime) -> list[Match]:
    """Entries that could really be booked into the freed hours now, best first. A dozen queries, however many wait."""
    waiting = waiting_entries(freed.site, freed.setting, freed.day)
    entries = [entry for entry in waiting if suits(entry, freed, now)][:MOST]
    if not entries:
        return []
    facts = read_facts(entries)
    allowed = [entry for entry in entries if _order_allows(entry, facts, freed.day)]
    day = Day(freed.site, freed.setting, freed.day, allowed)
    found = (_match(entry, freed, day, facts, now) for entry in allowed)
    return sorted((match for match in found if match), key=lambda match: match.rank)


def starts_still_free(offers: Sequence[WaitlistOffer], now: dt.datetime) -> set[int]:
    """Row numbers of the offers whose start could still be booked, as far as chair, nurse and patient go."""
    by_day: dict[tuple, list[WaitlistOffer]] = defaultdict(list)
    for offer in offers:
        day = clock.local_date(offer.start, offer.site.time_zone)
        by_day[offer.site.pk, offer.entry.setting, day].append(offer)
    free = set()
    for (_, setting, on), members in by_day.items():
        day = Day(members[0].site, setting, on, [offer.entry for offer in members])
        for offer in members:
            minutes = int((offer.end - offer.start).total_seconds() // 60)
            if day.starts(offer.entry, minutes) >> day.seen.bit(offer.start) & 1:
                free.add(offer.pk)
    return free


def read_facts(entries: Sequence[WaitlistEntry]) -> Facts:
    """Five queries."""
    patients = {entry.patient_id for entry in entries}
    weights: dict[int, Weight] = {}
    for weight in Weight.objects.current().filter(patient__in=patients).order_by("measured_on", "recorded_at", "pk"):
        weights[weight.patient_id] = weight
    consents: dict[int, bool] = {}
    decided = ContactPreference.objects.filter(patient__in=patients, channel=Channel.EMAIL)
    for patient_id, consent in decided.order_by("recorded_at", "pk").values_list("patient_id", "consents"):
        consents[patient_id] = consent
    risks = RiskFactor.objects.current().filter(patient__in=patients)
    offers = WaitlistOffer.objects.filter(entry__in=entries, state=OfferState.OPEN)
    return Facts(
        courses=_courses(entries),
        weights=weights,
        at_risk=set(risks.values_list("patient_id", flat=True)),
        mailed={e.patient_id for e in entries if e.patient.email and consents.get(e.patient_id)},
        offers={(offer.entry_id, offer.start): offer for offer in offers.prefetch_related("reminders")},
    )


def _courses(entries: Sequence[WaitlistEntry]) -> dict[int, CourseSoFar]:
    """As course_so_far, for the orders of all entries; the visits that would move are left out."""
    moving = {entry.instead_of_id for entry in entries}
    visits = Appointment.objects.filter(order__in={entry.order_id for entry in entries}, state__in=COUNTING)
    rows: dict[int, list] = defaultdict(list)
    columns = visits.order_by("start", "pk").values_list("order_id", "pk", "state", "local_start", "nurse_id")
    for order_id, pk, state, local_start, nurse_id in columns:
        if pk not in moving:
            rows[order_id].append((state, local_start, nurse_id))
    return {entry.order_id: CourseSoFar.of(rows[entry.order_id]) for entry in entries}


def _order_allows(entry: WaitlistEntry, facts: Facts, day: dt.date) -> bool:
    """Nothing that stands in the way or that somebody would have to approve: an offer promises a booking."""
    problems = order_problems_on(
        entry.order, entry.setting, facts.courses[entry.order_id], day, weight=facts.weights.get(entry.patient_id)
    )
    grave = {Severity.BLOCKER, Severity.APPROVAL}
    return entry.patient.is_active and not any(problem.severity in grave for problem in problems)


def _match(entry: WaitlistEntry, freed: FreedSlot, day: Day, facts: Facts, now: dt.datetime) -> Match | None:
    course = facts.courses[entry.order_id]
    minutes = visit_length(
        entry.order,
        freed.site,
        entry.setting,
        on=freed.day,
        last_on=course.last_before(freed.day),
        infusion_minutes=infusion_minutes_of(entry.order, has_risk=entry.patient_id in facts.at_risk),
    ).total
    length = dt.timedelta(minutes=minutes)
    soonest = now + dt.timedelta(hours=entry.notice_hours)
    starts = [day.seen.instant(bit) for bit in set_bits(day.starts(entry, minutes))]
    starts = [start for start in starts if soonest < start and _wanted(entry, freed, start, start + length)]
    if not starts:
        return None
    start = max(starts, key=lambda start: (_overlap(freed, start, start + length), -abs(start - freed.start), start))
    fills = round(100 * _overlap(freed, start, start + length) / (freed.end - freed.start))
    due = next_window(entry.order, course.until(freed.day), clock.local_date(now, freed.site.time_zone)).due_on
    match = Match(
        entry=entry,
        start=start,
        end=start + length,
        fills=fills,
        days_from_due=(freed.day - due).days,
        gets_mail=entry.patient_id in facts.mailed,
        why=(),
        offer=facts.offers.get((entry.pk, start)),
    )
    return replace(match, why=_why(match, course, now))


def _wanted(entry: WaitlistEntry, freed: FreedSlot, start: dt.datetime, end: dt.datetime) -> bool:
    """In the hours asked for, in the freed ones at least in part, and earlier than the visit that would move."""
    wall = clock.to_local(start, freed.site.time_zone).time()
    return (
        start < freed.end
        and end > freed.start
        and (entry.earliest is None or wall >= entry.earliest)
        and (entry.latest is None or wall <= entry.latest)
        and (entry.instead_of is None or start < entry.instead_of.start)
    )


def _overlap(freed: FreedSlot, start: dt.datetime, end: dt.datetime) -> dt.timedelta:
    return min(end, freed.end) - max(start, freed.start)


def _why(match: Match, course: CourseSoFar, now: dt.datetime) -> tuple[str, ...]:
    days, waits = match.days_from_due, (now - match.entry.created_at).days
    words = [
        "on the due day" if days == 0 else f"{_days(abs(days))} {'after' if days > 0 else 'before'} due",
        "fills all of it" if match.fills >= 100 else f"fills {match.fills}% of it",
        f"has waited {_days(waits)}" if waits else "waits since today",
    ]
    if match.entry.instead_of is not None:
        earlier = (match.entry.instead_of.start - match.start).days
        words.insert(1, f"comes {_days(earlier)} earlier" if earlier else "comes earlier the same day")
    return tuple(words)


def _days(number: int) -> str:
    return f"{number} day{'' if number == 1 else 's'}"


def _without(rows: list[tuple], visit: Appointment) -> list[tuple]:
    """The booked visits but this one: a patient has one visit at a time."""
    begins = int(visit.start.timestamp())
    return [row for row in rows if (row[START], row[PATIENT]) != (begins, visit.patient_id)]
