"""Visits of the bigger demo tiers: planned day by day from who is due, then written in bulk with their claims."""

from __future__ import annotations

import datetime as dt
import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from infusion_center.core import clock
from infusions.demo_crowd import Crowd, Guest, public_id
from infusions.demo_days import ChairDay, RoadDay, Spot
from infusions.demo_sites import BATCH, CLOSES, OPENS, ROAD_FROM, ROAD_TO
from infusions.facility.models import Setting
from infusions.facility.queries import wall_instant
from infusions.scheduling.housekeeping import let_go_before
from infusions.scheduling.lanes import claims_for
from infusions.scheduling.models import Appointment, Claim
from infusions.scheduling.states import State

if TYPE_CHECKING:
    from infusions.demo_tiers import Tier

EARLY_DAYS = 3  # within the tolerance of every order
MISSES = 6  # so many patients in a row for whom there is no room: the day is full
QUARTER = clock.QUARTER


@dataclass
class PlannedVisit:
    """One visit before its order is written; `period` says by which order of the guest."""

    guest: Guest
    period: int
    day: dt.date
    start: dt.datetime
    end: dt.datetime
    spot: Spot
    went: State = State.COMPLETED  # how it ends, once it is past

    def is_given(self, now: dt.datetime) -> bool:
        return self.end < now and self.went == State.COMPLETED


def plan_visits(crowd: Crowd, tier: Tier, last_day: dt.date) -> list[PlannedVisit]:
    """Who is due longest comes first, until the day is as full as it shall be; in the order of the days."""
    return sorted(
        [*_Rhythm(crowd, tier, at_home=False).visits(last_day), *_Rhythm(crowd, tier, at_home=True).visits(last_day)],
        key=lambda visit: visit.day,
    )


class _Rhythm:
    """The patients who come to the chairs, or those who are visited at home: a queue by the day they are due."""

    def __init__(self, crowd: Crowd, tier: Tier, *, at_home: bool):
        self.crowd, self.tier, self.dice, self.at_home = crowd, tier, crowd.dice, at_home
        self.place = crowd.place
        site = self.place.site
        self.opens, self.closes = (ROAD_FROM, ROAD_TO) if at_home else (OPENS, CLOSES)
        self.nurses = self.place.home_nurses if at_home else self.place.nurses
        self.around = site.preparation_minutes + site.observation_minutes
        self.queue: list[tuple[dt.date, int]] = []
        for number, guest in enumerate(crowd.guests):
            if guest.at_home == at_home:
                first = crowd.first_day + dt.timedelta(days=self.dice.randrange(guest.course.interval_days))
                heapq.heappush(self.queue, (first, number))

    def visits(self, last_day: dt.date) -> Iterator[PlannedVisit]:
        for day in self.place.open_days(self.crowd.first_day, last_day):
            yield from self.fill(day)

    def fill(self, day: dt.date) -> Iterator[PlannedVisit]:
        begins, ends = (wall_instant(day, wall, self.place.site.time_zone) for wall in (self.opens, self.closes))
        size = (ends - begins) // QUARTER
        on_duty = [self.nurses.index(nurse) for nurse in self.place.on_duty(self.nurses, day)]
        room = self.empty_day(size, len(on_duty))
        target = self.tier.fill + self.dice.uniform(-0.06, 0.06)
        missed: list[tuple[dt.date, int]] = []
        while self.queue and self.queue[0][0] <= day + dt.timedelta(days=EARLY_DAYS) and len(missed) < MISSES:
            if not self.at_home and room.fullness >= target:
                break
            due, number = heapq.heappop(self.queue)
            guest = self.crowd.guests[number]
            period = guest.period_on(day)
            if period is None or day > guest.booked_until:
                continue  # he is not booked any further
            length = -(-(guest.minutes + self.around) // 15)
            spot = room.place(length)
            if spot is None:
                missed.append((due, number))
                continue
            following = day + dt.timedelta(days=guest.course.interval_days)
            heapq.heappush(self.queue, (following, number))
            start = begins + spot.start * QUARTER
            spot = Spot(spot.start, spot.length, on_duty[spot.nurse], spot.ratio_place, spot.chair)
            yield PlannedVisit(guest, period, day, start, start + length * QUARTER, spot, self.how_it_goes())
        for entry in missed:
            heapq.heappush(self.queue, entry)

    def empty_day(self, size: int, nurses: int) -> ChairDay | RoadDay:
        if self.at_home:
            return RoadDay(size, nurses)
        return ChairDay.empty(self.dice, size, len(self.place.chairs), nurses, self.place.site.default_ratio)

    def how_it_goes(self) -> State:
        dice = self.dice.random()
        return State.NO_SHOW if dice < 0.03 else State.STOPPED_EARLY if dice < 0.04 else State.COMPLETED


def write_visits(crowd: Crowd, visits: Sequence[PlannedVisit], *, now: dt.datetime) -> int:
    """Appointments, and the claims of those that are not long over. A batch at a time: years do not fit in memory."""
    let_go = let_go_before(now)
    for first in range(0, len(visits), BATCH):
        rows = [make_appointment(crowd, visit, now) for visit in visits[first : first + BATCH]]
        Appointment.objects.bulk_create(rows)
        Claim.objects.bulk_create(
            (
                Claim(lane=lane, quarter=quarter, appointment=row)
                for row in rows
                if row.end >= let_go
                for lane, quarter in claims_for(row)
            ),
            batch_size=BATCH,
        )
    return len(visits)


def make_appointment(crowd: Crowd, visit: PlannedVisit, now: dt.datetime) -> Appointment:
    place, guest, spot = crowd.place, visit.guest, visit.spot
    site, nurses = place.site, place.home_nurses if guest.at_home else place.nurses
    return Appointment(
        public_id=public_id(crowd.dice),
        order=guest.orders[visit.period],
        patient=guest.patient,
        site=site,
        setting=Setting.HOME if guest.at_home else Setting.FACILITY,
        chair=None if guest.at_home else place.chairs[spot.chair],
        nurse=nurses[spot.nurse],
        ratio_place=spot.ratio_place,
        start=visit.start,
        end=visit.end,
        local_start=f"{clock.to_local(visit.start, site.time_zone):%Y-%m-%dT%H:%M}",
        preparation_minutes=site.preparation_minutes,
        infusion_minutes=guest.minutes,
        observation_minutes=site.observation_minutes,
        travel_minutes=site.travel_minutes if guest.at_home else 0,
        start_hands_minutes=site.start_hands_minutes,
        end_hands_minutes=site.end_hands_minutes,
        booked_by=place.scheduler,
        **marks_of(visit, now, crowd.dice.random()),
    )


def marks_of(visit: PlannedVisit, now: dt.datetime, luck: float) -> dict:
    """State and time stamps: past visits went as planned, today's have arrived, half of the near ones are confirmed."""
    start, end = visit.start, visit.end
    if end < now:
        if visit.went == State.NO_SHOW:
            return {"state": State.NO_SHOW}
        marks = {"arrived_at": start, "started_at": start + 2 * QUARTER, "finished_at": end}
        return {"state": visit.went, **marks}
    if start <= now:
        return {"state": State.ARRIVED, "arrived_at": start}
    if luck < 0.5 and start < now + dt.timedelta(days=7):
        return {"state": State.CONFIRMED, "confirmed_at": min(now, start - dt.timedelta(days=2))}
    return {"state": State.EXPECTED}
