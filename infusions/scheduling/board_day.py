"""One day of a site for the board page: states, what is due, alerts; chairs and nurses as rows.

Part of the board's view, so it may read the features to the right of scheduling.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass, field

from django.db.models import Count, Max

from infusion_center.audit.models import AuditEvent
from infusion_center.core import clock
from infusions import pieces
from infusions.doses.course import Course
from infusions.doses.due import Due
from infusions.doses.models import DoseState
from infusions.doses.queries import VisitNow, by_urgency, visit_now
from infusions.facility.models import Setting, Site
from infusions.facility.queries import wall_instant
from infusions.scheduling.board_cover import uncovered_because
from infusions.scheduling.board_ground import Ground, ground_of
from infusions.scheduling.board_lanes import BoardRow, NurseRows, chair_rows, home_rows, nurse_rows
from infusions.scheduling.board_late import ends_about, hit_by, late_until
from infusions.scheduling.board_layout import Axis, Bar, axis_for
from infusions.scheduling.board_rows import Parts, VisitRow, course_of, parts_by_visit, visit_rows
from infusions.scheduling.states import MOVABLE, ON_SITE, UPCOMING, State

LATE = dt.timedelta(minutes=15)
UNCONFIRMED = dt.timedelta(hours=48)


@dataclass(slots=True)
class Card:
    """A visit on the board. `state` is finer than the appointment's: checklist, infusing, observing ..."""

    visit: VisitRow
    state: str
    due: Due | None
    alerts: list[str]
    percent: int | None
    uncovered: list[str] = field(default_factory=list)
    late_until: dt.datetime | None = None
    ends_about: dt.datetime | None = None  # as the pump runs, while it is in progress
    delayed_by: list[VisitRow] = field(default_factory=list)
    hits: int = 0  # how many later visits its delay hits

    @property
    def face(self) -> pieces.Face:
        return pieces.face_of(self.state)

    @property
    def can_check_in(self) -> bool:
        return self.visit.state in UPCOMING or self.visit.state == State.NO_SHOW

    @property
    def can_move(self) -> bool:
        return self.visit.state in MOVABLE


@dataclass(frozen=True)
class BoardDay:
    site: Site
    day: dt.date
    now: dt.datetime
    axis: Axis
    cards: list[Card]
    chairs: list[BoardRow]
    homes: list[BoardRow]
    nurses: list[NurseRows]
    closure: str
    is_open: bool
    counts: list[tuple[pieces.Face, int]] = field(default_factory=list)
    next_due: list[Card] = field(default_factory=list)

    @property
    def hours(self):
        return self.axis.hours(uses_24h_clock=self.site.uses_24h_clock)

    @property
    def hour_shares(self) -> list[float]:
        """Where the hour lines lie, from left (0) to right (100)."""
        return [100 * (mark - self.axis.first) / len(self.axis.columns) for mark in self.axis.marks]

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
    def uncovered(self) -> list[Card]:
        return [card for card in self.cards if card.uncovered]

    @property
    def late(self) -> list[Card]:
        return [card for card in self.cards if card.late_until]

    @property
    def hit(self) -> list[Card]:
        return [card for card in self.cards if card.delayed_by]

    @property
    def chairs_used(self) -> int:
        return len({card.visit.chair_id for card in self.cards if card.visit.chair_id})

    @property
    def chair_count(self) -> int:
        return len({row.public_id for row in self.chairs})


def version_of(site: Site, day: dt.date, now: dt.datetime) -> str:
    """Changes when anything of the site changes, and each minute while its day is on. One statement, of an index.

    Every change leaves an audit row in its own transaction. Their count says more than the last number alone: rows
    written side by side are not seen in the order of their numbers. Counted since the hour before this one began.
    """
    hour = now.replace(minute=0, second=0, microsecond=0)
    events = AuditEvent.objects.filter(site_id=site.public_id, at__gte=hour - dt.timedelta(hours=1))
    events = events.exclude(action="list.opened")  # looking changes nothing
    seen = events.aggregate(count=Count("pk"), last=Max("pk"))
    is_today = clock.local_date(now, site.time_zone) == day
    minute = now.minute if is_today else 0
    return f"{int(hour.timestamp()) // 3600}-{minute}-{seen['count']}-{seen['last'] or 0}"


def board_day(site: Site, day: dt.date, now: dt.datetime, *, view: str = "chairs") -> BoardDay:
    """Everything the board shows of a site that the person may see: three statements, however much is booked."""
    bounds = clock.day_bounds(day, site.time_zone)
    visits, ground = visit_rows(site, *bounds, with_products=view == "list"), ground_of(site, day, day)
    parts = parts_by_visit(visits)
    nothing = Parts()
    stands, courses = [], {}
    for visit in visits:
        own = parts.get(visit.pk, nothing)
        courses[visit.pk] = course_of(visit, own)
        stands.append(visit_now(visit, courses[visit.pk], own.latest_run, now))
    cards = marked([card_of(stand, now) for stand in stands], courses, ground, now)
    bars = [(card, Bar(card.visit.start, shown_end(card.visit), card, card.late_until)) for card in cards]
    fallback = (wall_instant(day, dt.time(8), site.time_zone), wall_instant(day, dt.time(18), site.time_zone))
    axis = axis_for(ground.openings, [bar for _, bar in bars], site.time_zone, fallback)
    due = [stand for stand in stands if stand.due is not None and stand.appointment.state in ON_SITE | UPCOMING]
    by_visit = {card.visit.pk: card for card in cards}
    return BoardDay(
        site=site,
        day=day,
        now=now,
        axis=axis,
        cards=cards,
        chairs=chair_rows(ground, axis, bars),
        homes=home_rows(axis, bars) if view == "chairs" else [],
        nurses=nurse_rows(site, ground, axis, bars) if view == "nurses" else [],
        closure=ground.closures.get(day, ""),
        is_open=day in ground.spans,
        counts=counted(cards),
        next_due=[by_visit[stand.appointment.pk] for stand in by_urgency(due)[:6]],
    )


def marked(cards: list[Card], courses: dict[int, Course | None], ground: Ground, now: dt.datetime) -> list[Card]:
    """Writes on the cards who is uncovered, who overruns, and who is hit by that; each in words too."""
    late = {}
    for card in cards:
        card.uncovered = uncovered_because(card.visit, ground, now)
        card.ends_about = ends_about(card.visit, courses[card.visit.pk], now)
        if until := late_until(card.visit, courses[card.visit.pk], now):
            card.late_until = late[card.visit.pk] = until
    if late:
        ratios: dict[int, int] = {}
        for shift in ground.shifts:
            if shift.setting == Setting.FACILITY:
                ratios[shift.nurse_id] = max(ratios.get(shift.nurse_id, 0), shift.ratio)
        hits = hit_by([card.visit for card in cards], late, ratios)
        for card in cards:
            card.delayed_by = hits.get(card.visit.pk, [])
            card.hits = sum(1 for delayed in hits.values() if card.visit in delayed)
    for card in cards:
        if card.uncovered:
            card.alerts.insert(0, f"Uncovered: {', '.join(card.uncovered)}")
        card.alerts += [f"Hit by the delay of {visit.patient}" for visit in card.delayed_by]
    return cards


def shown_end(visit: VisitRow) -> dt.datetime:
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
