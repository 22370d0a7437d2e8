"""One day of a site for the board page: states, what is due, alerts; chairs and nurses as rows.

Part of the board's view, so it may read the features to the right of scheduling.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass, field

from django.db.models import Count, Max

from infusion_center.core import clock
from infusions import pieces
from infusions.checklists.models import PreInfusionChecklist
from infusions.doses.course import Course
from infusions.doses.due import Due
from infusions.doses.models import DoseRecord, DoseState
from infusions.doses.queries import VisitNow, by_urgency, visits_now
from infusions.facility import queries as facility
from infusions.facility.models import Closure, Site
from infusions.scheduling.board_layout import Axis, Bar, Cell, axis_for, rows_of
from infusions.scheduling.models import Appointment
from infusions.scheduling.states import ON_SITE, UPCOMING, State

LATE = dt.timedelta(minutes=15)
UNCONFIRMED = dt.timedelta(hours=48)


@dataclass(frozen=True)
class Card:
    """A visit on the board. `state` is finer than the appointment's: checklist, infusing, observing ..."""

    visit: Appointment
    state: str
    due: Due | None
    alerts: list[str]
    percent: int | None

    @property
    def face(self) -> pieces.Face:
        return pieces.face_of(self.state)

    @property
    def can_check_in(self) -> bool:
        return self.visit.state in UPCOMING or self.visit.state == State.NO_SHOW


@dataclass(frozen=True)
class BoardRow:
    """A chair, or a nurse on the road. `is_more`: another row of the same one, where visits overlap."""

    name: str
    note: str
    cells: list[Cell]
    is_more: bool = False


@dataclass(frozen=True)
class BoardDay:
    site: Site
    day: dt.date
    now: dt.datetime
    axis: Axis
    cards: list[Card]
    chairs: list[BoardRow]
    homes: list[BoardRow]
    closure: Closure | None
    is_open: bool
    counts: list[tuple[pieces.Face, int]] = field(default_factory=list)
    next_due: list[Card] = field(default_factory=list)

    @property
    def hours(self):
        return self.axis.hours(uses_24h_clock=self.site.uses_24h_clock)

    @property
    def now_percent(self) -> float | None:
        return self.axis.share_of(self.now)

    @property
    def is_today(self) -> bool:
        return clock.local_date(self.now, self.site.time_zone) == self.day

    @property
    def alert_count(self) -> int:
        return sum(1 for card in self.cards if card.alerts)

    @property
    def chairs_used(self) -> int:
        return len({card.visit.chair_id for card in self.cards if card.visit.chair_id})


def visits_on(user, site: Site, day: dt.date):
    """The visits of the site that start on its local day, cancelled ones left out."""
    start, end = clock.day_bounds(day, site.time_zone)
    visits = Appointment.objects.visible_to(user).filter(site=site, start__gte=start, start__lt=end)
    return visits.exclude(state=State.CANCELLED)


def version_of(user, site: Site, day: dt.date, now: dt.datetime) -> str:
    """Changes when anything on the board changes, and each minute while somebody is here: three short queries."""
    visits = visits_on(user, site, day)
    count = visits.aggregate(count=Count("pk"), last=Max("updated_at"))
    records = DoseRecord.objects.filter(appointment__in=visits).aggregate(last=Max("updated_at"))
    runs = PreInfusionChecklist.objects.filter(appointment__in=visits).aggregate(last=Max("updated_at"))
    moments = [count["last"], records["last"], runs["last"]]
    is_today = clock.local_date(now, site.time_zone) == day
    minute = int(now.timestamp()) // 60 if is_today and count["count"] else 0
    return "-".join(map(str, [count["count"], minute, *(int(at.timestamp() * 1000) if at else 0 for at in moments)]))


def board_day(user, site: Site, day: dt.date, now: dt.datetime) -> BoardDay:
    """Everything the board shows, in a fixed number of queries."""
    bounds = clock.day_bounds(day, site.time_zone)
    visits = list(visits_on(user, site, day).with_people().order_by("start", "pk"))
    stand = {one.appointment.pk: one for one in visits_now(visits, now)}
    cards = [card_of(stand[visit.pk], now) for visit in visits]
    spans = facility.open_spans(site, day, day)
    bars = [(card, Bar(card.visit.start, shown_end(card.visit), card)) for card in cards]
    fallback = (
        facility.wall_instant(day, dt.time(8), site.time_zone),
        facility.wall_instant(day, dt.time(18), site.time_zone),
    )
    axis = axis_for(spans, [bar for _, bar in bars], site.time_zone, fallback)
    due = [card for card in cards if card.due is not None and card.visit.state in ON_SITE | UPCOMING]
    order = {one.appointment.pk: place for place, one in enumerate(by_urgency(stand.values()))}
    return BoardDay(
        site=site,
        day=day,
        now=now,
        axis=axis,
        cards=cards,
        chairs=chair_rows(site, bounds, axis, bars, spans),
        homes=home_rows(axis, bars),
        closure=facility.closed_days(site, day, day).get(day) if not spans else None,
        is_open=bool(spans),
        counts=counted(cards),
        next_due=sorted(due, key=lambda card: order[card.visit.pk])[:6],
    )


def chair_rows(site: Site, bounds, axis: Axis, bars, spans) -> list[BoardRow]:
    """Chairs in use, and those no longer used that still hold a visit."""
    outages = facility.outages_between(site, *bounds)
    chairs = {chair.pk: chair for chair in facility.active_chairs(site)}
    for card, _ in bars:
        if card.visit.chair is not None:
            chairs.setdefault(card.visit.chair_id, card.visit.chair)
    rows = []
    for chair in chairs.values():
        held = [bar for card, bar in bars if card.visit.chair_id == chair.pk]
        for number, cells in enumerate(rows_of(axis, held, spans, outages.get(chair.pk, ()))):
            rows.append(BoardRow(chair.name, chair.get_kind_display(), cells, is_more=number > 0))
    return rows


def home_rows(axis: Axis, bars) -> list[BoardRow]:
    """One row for each nurse with home visits on the day. Whether she works is the roster's to show."""
    nurses = {card.visit.nurse_id: card.visit.nurse for card, _ in bars if card.visit.is_home}
    whole_day = [(clock.quarter_start(axis.first), clock.quarter_start(axis.stop))]
    return [
        BoardRow(nurse.user.full_name, "On the road", cells, is_more=number > 0)
        for nurse in nurses.values()
        for number, cells in enumerate(
            rows_of(
                axis, [bar for card, bar in bars if card.visit.is_home and card.visit.nurse_id == nurse.pk], whole_day
            )
        )
    ]


def shown_end(visit: Appointment) -> dt.datetime:
    """A visit that ended early gives its chair back: the block ends where its claims end."""
    if visit.finished_at is None:
        return visit.end
    return max(visit.start + clock.QUARTER, min(visit.end, visit.finished_at))


def card_of(stand: VisitNow, now: dt.datetime) -> Card:
    is_over = stand.state == DoseState.SIGNED
    return Card(
        visit=stand.appointment,
        state=State(stand.appointment.state).value if is_over else str(getattr(stand.state, "value", stand.state)),
        due=stand.due,
        alerts=alerts_of(stand, now),
        percent=percent_given(stand.course, now),
    )


def alerts_of(stand: VisitNow, now: dt.datetime) -> list[str]:
    visit, found = stand.appointment, []
    if visit.state in UPCOMING:
        if visit.move_requested_at:
            found.append(f"Asks for another time{': ' + visit.patient_message if visit.patient_message else ''}")
        if now > visit.start + LATE:
            found.append("Not here yet")
        elif visit.state == State.EXPECTED and now < visit.start <= now + UNCONFIRMED:
            found.append("Not confirmed")
    elif visit.state in ON_SITE:
        if stand.due is not None and stand.due.is_overdue:
            found.append(f"Overdue: {stand.due.what}")
        if now > visit.end:
            found.append("Past its planned end")
    if stand.course is not None:
        found += [f"{one.get_kind_display()}, grade {one.grade}" for one in stand.course.reactions]
    return found


def percent_given(course: Course | None, now: dt.datetime) -> int | None:
    """How much of the dose has run, for the filling bar of the block."""
    if course is None or course.state not in (DoseState.INFUSING, DoseState.PAUSED) or not course.to_give_ml:
        return None
    return min(100, course.given_percent(now))


def counted(cards: list[Card]) -> list[tuple[pieces.Face, int]]:
    """How many visits are in each state, in the order of a visit's way."""
    numbers = Counter(card.face.name for card in cards)
    return [(face, numbers[name]) for name, face in pieces.FACES.items() if numbers[name]]
