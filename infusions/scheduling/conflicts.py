"""Says which chair, patient, nurse or hour stands in the way of a visit at a start, by name and with the times."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from infusion_center.core import clock
from infusion_center.core.rules import Problem, blocker
from infusions.facility.models import Chair, ChairKind, Nurse, Setting
from infusions.facility.queries import closed_days, open_spans
from infusions.scheduling.availability import Availability
from infusions.scheduling.bitmaps import Fits, fill
from infusions.scheduling.lanes import chair_lane, hands_lane, lanes_of, patient_lane, place_lanes
from infusions.scheduling.refusals import name_day


@dataclass(frozen=True)
class Visit:
    """A visit that was refused: where, when, and the chair and nurse named for it, if any."""

    seen: Availability
    start: dt.datetime
    end: dt.datetime
    chair: Chair | None
    nurse: Nurse | None
    travel: dt.timedelta

    @property
    def is_home(self) -> bool:
        return self.seen.setting == Setting.HOME

    @property
    def hours(self) -> str:
        return f"{self.wall(self.start)}–{self.wall(self.end)}"

    def wall(self, instant: dt.datetime) -> str:
        local = clock.to_local(instant, self.seen.site.time_zone)
        return f"{local:%H:%M}" if self.seen.site.uses_24h_clock else f"{local:%I:%M %p}".lstrip("0")

    def taken(self, lanes: Iterable[int], needed: Iterable[range] | None = None) -> str:
        """When other visits hold one of the lanes while this one needs it: "09:00–13:15 and 13:30–15:00"."""
        wanted = set(lanes)
        needed = needed or [clock.quarters_between(self.start - self.travel, self.end + self.travel)]
        spans = {
            (quarters.start, quarters.stop)
            for visit in self.seen.visits
            for lane, quarters in lanes_of(visit)
            if lane in wanted and any(quarters.start < one.stop and quarters.stop > one.start for one in needed)
        }
        return " and ".join(f"{self.wall_of(first)}–{self.wall_of(stop)}" for first, stop in sorted(spans))

    @property
    def handling(self) -> list[range]:
        """The quarters in which a visit in a chair needs the nurse's hands."""
        first, last = self.seen.site.start_hands_minutes, self.seen.site.end_hands_minutes
        return [
            clock.quarters_between(self.start, self.start + dt.timedelta(minutes=first)),
            clock.quarters_between(self.end - dt.timedelta(minutes=last), self.end),
        ]

    def wall_of(self, quarter: int) -> str:
        return self.wall(clock.quarter_start(quarter))


def explain(visit: Visit, fits: Fits) -> list[Problem]:
    """Every reason that binds at the start, each with the object in question."""
    found = []
    if not visit.is_home and not fits.open:
        found += closed(visit)
    if not visit.is_home and not fits.any_chair:
        found += _chair(visit)
    if not fits.patient:
        found += _patient(visit)
    if not fits.any_nurse:
        found += _nurse(visit, fits)
    return found


def closed(visit: Visit) -> list[Problem]:
    site = visit.seen.site
    on = clock.local_date(visit.start, site.time_zone)
    if closure := closed_days(site, on, on).get(on):
        message = f"{site.name} is closed on {name_day(on)}: {closure.reason}."
        return [blocker("closed", message, field="start", remedy="Choose another day.")]
    spans = open_spans(site, on, on)
    if not spans:
        message = f"{site.name} is closed on {name_day(on)}."
        return [blocker("closed", message, field="start", remedy="Choose another day.")]
    hours = " and ".join(f"{visit.wall(opens)}–{visit.wall(closes)}" for opens, closes in spans)
    message = f"{site.name} is open {hours} on {name_day(on)}; the visit would take {visit.hours}."
    return [blocker("outside-hours", message, field="start", remedy="Choose another start.")]


def _chair(visit: Visit) -> list[Problem]:
    picture = visit.seen.picture
    during = fill(visit.seen.bit(visit.start), visit.seen.bit(visit.end))
    if visit.chair is None:
        free = [pk for pk in picture.chairs if not during & ~picture.free_chair(pk)]
        if free:
            return []
        count, kind = len(picture.chairs), chair_word(visit.seen)
        message = f"Every {kind} ({count}) is taken or out of service at some time during {visit.hours}."
        if not count:
            message = f"The patient needs a {kind}, and {visit.seen.site.name} has none."
        return [blocker("chairs-taken", message, field="chair", remedy="Choose another start.")]
    if out := chair_out(visit):
        return out
    taken = visit.taken([chair_lane(visit.chair.pk)])
    if not taken:
        return []
    message = f"{visit.chair.name} is taken {taken}."
    return [blocker("chair-taken", message, field="chair", remedy="Choose another chair or start.")]


def chair_out(visit: Visit) -> list[Problem]:
    """Whether the chair that was named is out of service; that it stands elsewhere or is of no use is said already."""
    seen, chair = visit.seen, visit.chair
    if chair.site_id != seen.site.pk or seen.chair_kind not in ("", chair.kind):
        return []
    during = fill(seen.bit(visit.start), seen.bit(visit.end))
    if chair.pk in seen.picture.chairs and not seen.picture.outages.get(chair.pk, 0) & during:
        return []
    message = f"{chair.name} is out of service during {visit.hours}."
    return [blocker("chair-out-of-service", message, field="chair", remedy="Choose another chair.")]


def chair_word(seen: Availability) -> str:
    """What a chair must be for the patient: any, or of the kind that is needed."""
    return ChairKind(seen.chair_kind).label.lower() if seen.chair_kind else "chair"


def _patient(visit: Visit) -> list[Problem]:
    taken = visit.taken([patient_lane(visit.seen.picture.patient_id)])
    message = f"The patient has another visit {taken}."
    return [blocker("patient-busy", message, field="start", remedy="Choose another start.")]


def _nurse(visit: Visit, fits: Fits) -> list[Problem]:
    who = visit.nurse.user.full_name if visit.nurse else "No nurse"
    one = visit.nurse is not None
    remedy = "Choose another nurse or start." if one else "Choose another start, or plan a shift."
    if not fits.on_shift:
        where = "on the road" if visit.is_home else f"at {visit.seen.site.name}"
        around = " with the way there and back" if visit.is_home and visit.travel else ""
        message = f"{who} is {'not ' if one else ''}on shift {where} for the whole of {visit.hours}{around}."
        return [blocker("no-shift", message, field="nurse", remedy=remedy)]
    if visit.is_home:
        state = f"booked {visit.taken([hands_lane(visit.nurse.pk), *place_lanes(visit.nurse.pk)])}" if one else "free"
        needed = f"{visit.wall(visit.start - visit.travel)}–{visit.wall(visit.end + visit.travel)}"
        return [
            blocker(
                "nurse-busy", f"{who} is {state}; the visit and its travel take {needed}.", field="nurse", remedy=remedy
            )
        ]
    found = []
    if not fits.hands:
        message = f"No nurse has free hands at the start and at the end of {visit.hours}."
        if one:
            needed = " and ".join(f"{visit.wall_of(part.start)}–{visit.wall_of(part.stop)}" for part in visit.handling)
            taken = visit.taken([hands_lane(visit.nurse.pk)], visit.handling)
            message = f"The hands of {who} are taken {taken}; the visit needs them {needed}."
        found.append(blocker("nurse-hands-busy", message, field="nurse", remedy=remedy))
    if not fits.places:
        message = f"{who} has {'no' if one else 'a'} place for one more patient during {visit.hours}."
        found.append(blocker("ratio-full", message, field="nurse", remedy=remedy))
    return found or [blocker("nurse-busy", f"No nurse is free during {visit.hours}.", field="nurse", remedy=remedy)]
