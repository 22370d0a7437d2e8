"""What every step of the booking machine is held to, whatever it did: looked at from outside, in the rows alone."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from infusion_center.audit.models import AuditEvent
from infusions.facility.models import Chair, ChairOutage, Closure, Shift
from infusions.scheduling.models import Appointment, Claim, Series
from infusions.scheduling.states import State, may_follow

FIXED = ("order_id", "patient_id", "site_id", "setting", "booked_by_id", "idempotency_token", "created_at", "public_id")
STARTED = {State.IN_PROGRESS, State.COMPLETED, State.STOPPED_EARLY}
SEAT = ("chair_id", "nurse_id")


@dataclass(frozen=True)
class Snapshot:
    """Every row that a step may write, by its number."""

    visits: dict[int, dict]
    claims: set[tuple]
    others: list[list[dict]]
    last_event: int

    def events(self) -> list[AuditEvent]:
        """What was recorded since."""
        return list(AuditEvent.objects.filter(pk__gt=self.last_event).order_by("pk"))


def snapshot() -> Snapshot:
    others = [Series, Shift, Closure, Chair, ChairOutage]
    last = AuditEvent.objects.order_by("-pk").values_list("pk", flat=True).first()
    return Snapshot(
        visits={row["id"]: row for row in Appointment.objects.order_by("pk").values()},
        claims=set(Claim.objects.values_list("pk", "appointment_id", "lane", "quarter")),
        others=[list(model.objects.order_by("pk").values()) for model in others],
        last_event=last or 0,
    )


def changes(before: Snapshot, after: Snapshot) -> dict[int, tuple[dict | None, dict]]:
    """For each visit that is new or differs, how it was and how it is; nothing about when it was touched."""
    return {
        pk: (before.visits.get(pk), row)
        for pk, row in after.visits.items()
        if _without_touch(row) != _without_touch(before.visits.get(pk))
    }


def _without_touch(row: dict | None) -> dict | None:
    """Which of her places a nurse's visit takes is bookkeeping, as when it was touched: nobody sees it."""
    return row and {name: value for name, value in row.items() if name not in ("updated_at", "ratio_place")}


def check_step(before: Snapshot, after: Snapshot, *, aimed_at: int | None = None) -> None:
    """What may change from one step to the next. `aimed_at`: the visit that somebody meant to move, pinned or not."""
    assert set(before.visits) <= set(after.visits), "a visit is never deleted"
    told = {event.target_id for event in before.events() if event.target_type == "appointment"}
    for pk, (old, new) in changes(before, after).items():
        assert new["public_id"] in told, f"nothing was recorded about the change of visit {pk}"
        _check_row(new)
        if old is None:
            assert (new["state"], new["version"]) == (State.EXPECTED, 1)
        else:
            _check_change(old, new, is_aim=pk == aimed_at)
    if before.others != after.others:
        assert before.events(), "shifts, chairs, closures or series changed without an event"


def uncovered_by_hand(visit: Appointment) -> bool:
    """Whether the visit has lost its nurse, its chair or the open day, each looked at by itself, minute by minute."""
    travel = dt.timedelta(minutes=visit.travel_minutes)
    shifts = Shift.objects.filter(
        nurse=visit.nurse, site=visit.site, setting=visit.setting, ratio__gt=visit.ratio_place
    )
    spans = list(shifts.values_list("starts_at", "ends_at"))
    minute, at = dt.timedelta(minutes=5), visit.start - travel
    while at < visit.end + travel:
        if not any(start <= at < end for start, end in spans):
            return True
        at += minute
    if visit.is_home:
        return False
    outages = visit.chair.outages.filter(starts_at__lt=visit.end).values_list("ends_at", flat=True)
    if any(end is None or end > visit.start for end in outages):
        return True
    local = visit.start.astimezone(ZoneInfo(visit.site.time_zone))
    if Closure.objects.filter(starts_on__lte=local.date(), ends_on__gte=local.date()).exists():
        return True
    hours = visit.site.opening_hours.filter(weekday=local.weekday()).first()
    closes = local.replace(hour=hours.closes.hour, minute=hours.closes.minute) if hours else None
    return hours is None or local.time() < hours.opens or visit.end > closes


def _check_row(row: dict) -> None:
    minutes = row["preparation_minutes"] + row["infusion_minutes"] + row["observation_minutes"]
    # A length is planned in whole quarter-hours, so it may be longer than what it is made of, never shorter.
    assert dt.timedelta(0) <= row["end"] - row["start"] - dt.timedelta(minutes=minutes) < dt.timedelta(minutes=15)
    assert row["local_start"] == f"{row['start'].astimezone(ZoneInfo('America/New_York')):%Y-%m-%dT%H:%M}"
    assert row["start"].timestamp() % 900 == 0
    assert (row["state"] == State.CANCELLED) == (row["cancelled_at"] is not None)


def _check_change(old: dict, new: dict, *, is_aim: bool) -> None:
    assert {name: old[name] for name in FIXED} == {name: new[name] for name in FIXED}
    assert old["state"] == new["state"] or may_follow(old["state"], new["state"])
    is_moved = old["start"] != new["start"]
    is_cancelled = new["state"] == State.CANCELLED != old["state"]
    assert new["version"] - old["version"] == int(is_moved or is_cancelled), "the version tells of moves, of all, once"
    if is_moved:
        assert (new["state"], new["confirmed_at"], new["move_requested_at"]) == (State.EXPECTED, None, None)
    is_reseated = any(old[name] != new[name] for name in SEAT)
    if old["state"] in STARTED or old["state"] == State.CANCELLED:
        assert not is_moved
        assert not is_reseated
        assert old["ratio_place"] == new["ratio_place"]
    if old["is_pinned"] and not is_aim and not is_moved:
        assert not is_reseated, "a pinned visit was re-seated by the way"
