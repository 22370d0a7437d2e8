"""Says of a start that does not fit which visit of whom, which hours and which ratio stand in the way, nurse by nurse.

Where conflicts.py refuses in a line each, this answers a scheduler who asks why: every object with its times, and the
person only where the one who asks may see that person.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from infusion_center.core import clock
from infusion_center.core.rules import Problem, blocker
from infusions.facility.models import Nurse
from infusions.scheduling import conflicts
from infusions.scheduling.bitmaps import Fits, fill, runs, starts_within, union
from infusions.scheduling.conflicts import Visit, chair_word
from infusions.scheduling.drawing import visit_of
from infusions.scheduling.lanes import chair_lane, hands_lane, lanes_of, patient_lane, place_lane, place_lanes
from infusions.scheduling.ranking import set_bits

# (patient, second of the epoch at which the visit starts) -> the name to show
Names = Mapping[tuple[int, int], str]
MOST_CHAIRS = MOST_NAMES = 4  # named one by one; more are only counted
UNNAMED = "another visit"


def reasons(visit: Visit, fits: Fits, names: Names) -> list[Problem]:
    """Every reason that binds at the place and hour; none where a chair and a nurse are free together."""
    if fits.starts:
        return []
    found = []
    if not visit.is_home:
        found += [] if fits.open else conflicts.closed(visit)
        found += _chair(visit, names)
    if not fits.patient:
        found += _patient(visit, names)
    if not fits.any_nurse:
        found += _nurse(visit, fits, names)
    return found


def taken_by(visit: Visit, lanes: Iterable[int], needed: Iterable[range], names: Names) -> list[str]:
    """Who holds one of the lanes while the visit needs it: "09:00–13:15 by Example, Ada"."""
    wanted, needed = set(lanes), list(needed)
    spans = set()
    for row in visit.seen.rows:
        who = names.get((row[5], row[0]), UNNAMED)
        for lane, quarters in lanes_of(visit_of(row)):
            if lane in wanted and any(quarters.start < one.stop and quarters.stop > one.start for one in needed):
                spans.add((quarters.start, quarters.stop, who))
    return [f"{visit.wall_of(first)}–{visit.wall_of(stop)} by {who}" for first, stop, who in sorted(spans)]


def _whole(visit: Visit) -> list[range]:
    return [clock.quarters_between(visit.start - visit.travel, visit.end + visit.travel)]


def _during(visit: Visit) -> int:
    return fill(visit.seen.bit(visit.start), visit.seen.bit(visit.end))


def _chair(visit: Visit, names: Names) -> list[Problem]:
    picture, during = visit.seen.picture, _during(visit)
    if visit.chair is not None:
        taken = taken_by(visit, [chair_lane(visit.chair.pk)], _whole(visit), names)
        out = conflicts.chair_out(visit)
        found = [blocker("chair-taken", f"{visit.chair.name} is taken {_and(taken)}.", field="chair")] if taken else []
        return [*out, *found]
    chairs, word = picture.chairs, chair_word(visit.seen)
    if any(not during & ~picture.free_chair(pk) for pk in chairs):
        return []
    if not chairs:
        return [blocker("chairs-taken", f"{visit.seen.site.name} has no {word} that can be used.", field="chair")]
    lead = f"None of the {len(chairs)} {word}s is" if len(chairs) > 1 else f"The only {word} is not"
    message = f"{lead} free for the whole of {visit.hours}"
    if len(chairs) <= MOST_CHAIRS:
        message += ": " + "; ".join(_why_not_this_chair(visit, pk, names) for pk in chairs)
    else:
        out = sum(1 for pk in chairs if picture.outages.get(pk, 0) & during)
        message += f": {len(chairs) - out} taken, {out} out of service" if out else ""
    return [blocker("chairs-taken", f"{message}. {_first_free(visit)}".strip(), field="chair")]


def _why_not_this_chair(visit: Visit, pk: int, names: Names) -> str:
    chair, during = visit.seen.chairs[pk], _during(visit)
    taken = taken_by(visit, [chair_lane(pk)], _whole(visit), names)
    if visit.seen.picture.outages.get(pk, 0) & during:
        taken.insert(0, "at some time by an outage")
    return f"{chair.name} is taken {_and(taken)}"


def _first_free(visit: Visit) -> str:
    """The first later start of the same day from which a chair is free long enough, whoever is on shift."""
    seen, length = visit.seen, visit.seen.bit(visit.end) - visit.seen.bit(visit.start)
    opened = starts_within(seen.picture.opening, length)
    later = ~fill(0, seen.bit(visit.start))
    free = {pk: runs(seen.picture.free_chair(pk), length) & opened & later for pk in seen.picture.chairs}
    start = next(iter(set_bits(union(free.values()))), None)
    on = clock.local_date(visit.start, seen.site.time_zone)
    if start is None or clock.local_date(seen.instant(start), seen.site.time_zone) != on:
        return "None becomes free long enough later on that day."
    chair = next(pk for pk, starts in free.items() if starts >> start & 1)
    return f"{seen.chairs[chair].name} is the first to be free long enough, from {visit.wall(seen.instant(start))}."


def _patient(visit: Visit, names: Names) -> list[Problem]:
    patient_id = visit.seen.picture.patient_id
    needed = clock.quarters_between(visit.start, visit.end)
    found = []
    for row in visit.seen.rows:
        for lane, quarters in lanes_of(visit_of(row)):
            if lane == patient_lane(patient_id) and quarters.start < needed.stop and quarters.stop > needed.start:
                where = f"at {visit.seen.site.name}" if (patient_id, row[0]) in names else "elsewhere"
                hours = f"{visit.wall_of(quarters.start)}–{visit.wall_of(quarters.stop)}"
                found.append(f"The patient has another visit {hours} {where}.")
    return [blocker("patient-busy", message, field="start") for message in dict.fromkeys(found)]


def _nurse(visit: Visit, fits: Fits, names: Names) -> list[Problem]:
    """Nurse by nurse, those who work throughout first: hands, then ratio; the others by their hours."""
    seen = visit.seen
    asked = [visit.nurse] if visit.nurse else list(seen.nurses.values())
    there = [nurse for nurse in asked if _works_throughout(visit, nurse)]
    if not there:
        return [_nobody_on_shift(visit, asked)]
    if visit.is_home:
        lines = [f"{nurse.user.full_name} {_and(_road(visit, nurse, names))}" for nurse in there]
        return [blocker("nurse-busy", f"Booked while the visit and its travel take place: {'; '.join(lines)}.")]
    busy = {nurse.pk: taken_by(visit, [hands_lane(nurse.pk)], visit.handling, names) for nurse in there}
    full = {nurse.pk: _full(visit, nurse) for nurse in there}
    found = []
    needed = " and ".join(f"{visit.wall_of(part.start)}–{visit.wall_of(part.stop)}" for part in visit.handling if part)
    if handless := [nurse for nurse in there if busy[nurse.pk]]:
        free = [nurse.user.full_name for nurse in there if not busy[nurse.pk]]
        who = f"Only {' and '.join(free)} has free hands" if len(free) == 1 else f"{len(free)} have free hands"
        lead = who if free else "Nobody has free hands"
        lines = [f"the hands of {nurse.user.full_name} are taken {_and(busy[nurse.pk])}" for nurse in handless]
        message = f"{lead} {needed}: {'; '.join(lines)}."
        if len(there) == 1 and visit.nurse:
            message = f"{lines[0][0].upper()}{lines[0][1:]}; the visit needs them {needed}."
        found.append(blocker("nurse-hands-busy", message, field="nurse"))
    if crowded := [nurse for nurse in there if full[nurse.pk]]:
        lines = [f"{nurse.user.full_name} has {full[nurse.pk]}" for nurse in crowded]
        found.append(blocker("ratio-full", f"{'; '.join(lines)}.", field="nurse"))
    return found


def _road(visit: Visit, nurse: Nurse, names: Names) -> list[str]:
    return taken_by(visit, [hands_lane(nurse.pk), *place_lanes(nurse.pk)], _whole(visit), names)


def _shifts(visit: Visit, nurse: Nurse) -> list:
    return visit.seen.picture.shifts_by_nurse.get(nurse.pk, [])


def _reach(visit: Visit) -> range:
    return range(visit.seen.bit(visit.start - visit.travel), visit.seen.bit(visit.end + visit.travel))


def _works_throughout(visit: Visit, nurse: Nurse) -> bool:
    need = _reach(visit)
    return any(shift.first <= need.start and shift.stop >= need.stop for shift in _shifts(visit, nurse))


def _nobody_on_shift(visit: Visit, asked: list[Nurse]) -> Problem:
    where = "on the road" if visit.is_home else f"at {visit.seen.site.name}"
    around = " with the way there and back" if visit.is_home and visit.travel else ""
    who = visit.nurse.user.full_name if visit.nurse else "No nurse"
    lead = f"{who} is {'not ' if visit.nurse else ''}on shift {where} for the whole of {visit.hours}{around}"
    need, by_hours = _reach(visit), defaultdict(list)
    for nurse in asked:
        near = [s for s in _shifts(visit, nurse) if s.first < need.stop and s.stop > need.start]
        if near:
            hours = _and([_hours(visit, range(shift.first, shift.stop)) for shift in near])
            by_hours[hours].append(nurse.user.full_name)
    lines = [f"{_list(names)} work{'s' if len(names) == 1 else ''} {hours}" for hours, names in by_hours.items()]
    message = f"{lead}{': ' + '; '.join(lines) if lines else ''}."
    remedy = "Choose another nurse or start." if visit.nurse else "Choose another start, or plan a shift."
    return blocker("no-shift", message, field="nurse", remedy=remedy)


def _full(visit: Visit, nurse: Nurse) -> str:
    """ "4 of 4 patients 11:00–12:15"; that no place is free throughout though she is never full, is said as well."""
    seen, need = visit.seen, _reach(visit)
    shift = next(s for s in _shifts(visit, nurse) if s.first <= need.start and s.stop >= need.stop)
    during = _during(visit)
    taken = [seen.picture.busy.get(place_lane(nurse.pk, place), 0) & during for place in range(shift.ratio)]
    if any(not place for place in taken):
        return ""
    always = during
    for place in taken:
        always &= place
    if not always:
        return f"none of {shift.ratio} places free throughout, though never {shift.ratio} patients at once"
    hours = [_hours(visit, one) for one in _spans(always)]
    return f"{shift.ratio} of {shift.ratio} patients {_and(hours)}"


def _hours(visit: Visit, bits: range) -> str:
    first, stop = (visit.wall(visit.seen.instant(bit)) for bit in (bits.start, bits.stop))
    return f"{first}–{stop}"


def _spans(bitmap: int) -> list[range]:
    spans: list[range] = []
    for bit in set_bits(bitmap):
        if spans and spans[-1].stop == bit:
            spans[-1] = range(spans[-1].start, bit + 1)
        else:
            spans.append(range(bit, bit + 1))
    return spans


def _list(names: list[str]) -> str:
    """All names of a few, else how many there are."""
    if len(names) > MOST_NAMES:
        return f"{len(names)} nurses"
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def _and(parts: list[str]) -> str:
    return " and ".join(parts)
