"""Turns search results and visits into what the pages show: days with their options, facts, acts that are possible."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from itertools import groupby

from infusion_center.accounts.roles import Permission
from infusion_center.core import clock
from infusions.facility.models import Setting, Site
from infusions.scheduling.models import Appointment
from infusions.scheduling.slots import SlotOption, SlotSearch
from infusions.scheduling.states import UPCOMING, State

P = Permission


@dataclass(frozen=True)
class OptionRow:
    """One start to choose; `instant` is what its button sends, `token` what makes a double press harmless."""

    option: SlotOption | None
    instant: str
    token: str
    due: str = ""


@dataclass(frozen=True)
class DayGroup:
    day: dt.date
    zone: str  # as clocks have it on that day: EST, EDT
    due: str
    rows: list[OptionRow]


def option_row(option: SlotOption, token: str, due: str = "") -> OptionRow:
    return OptionRow(option, f"{option.start:%Y-%m-%dT%H:%M:%S%z}", f"{token}{clock.quarter_of(option.start)}", due)


def start_row(start: dt.datetime, token: str) -> OptionRow:
    """A start that was asked for by itself, as what its button sends."""
    return OptionRow(None, f"{start:%Y-%m-%dT%H:%M:%S%z}", f"{token}{clock.quarter_of(start)}")


def best_row(search: SlotSearch, site: Site, token: str) -> OptionRow | None:
    if not search.options:
        return None
    best = search.options[0]
    due = due_word(clock.local_date(best.start, site.time_zone), search)
    return option_row(best, token, "" if due == "due day" else due)  # the merits say that already


def day_groups(search: SlotSearch, site: Site, token: str) -> list[DayGroup]:
    """The options day by day and hour by hour: the order in which people look for a time."""
    rows = [option_row(option, token) for option in sorted(search.options, key=lambda option: option.start)]
    groups = groupby(rows, key=lambda row: clock.local_date(row.option.start, site.time_zone))
    return [
        DayGroup(day, zone_name(members[0].option.start, site), due_word(day, search), members)
        for day, members in ((day, list(members)) for day, members in groups)
    ]


def zone_name(instant: dt.datetime, site: Site) -> str:
    return f"{clock.to_local(instant, site.time_zone):%Z}"


def due_word(day: dt.date, search: SlotSearch) -> str:
    window = search.window
    if window is None or window.needs_approval_before is None:
        return ""
    days = (day - window.due_on).days
    if days == 0:
        return "due day"
    return f"{abs(days)} day{'s' if abs(days) > 1 else ''} {'after' if days > 0 else 'before'} due"


@dataclass(frozen=True)
class Acts:
    """What this person may do with the visit in its state, now."""

    check_in: bool
    undo_check_in: bool
    confirm: bool
    no_show: bool
    move: bool
    cancel: bool
    pin: bool
    checklist: bool
    infusion: bool


def acts_for(visit: Appointment, permissions: frozenset[Permission], now: dt.datetime) -> Acts:
    zone = visit.site.time_zone
    is_today = clock.local_date(visit.start, zone) == clock.local_date(now, zone)
    at_desk, books = P.CHECK_IN in permissions, P.BOOK_APPOINTMENT in permissions
    upcoming = visit.state in UPCOMING
    begun = visit.state in {State.ARRIVED, State.IN_PROGRESS, State.COMPLETED, State.STOPPED_EARLY}
    unconfirmed = visit.state == State.EXPECTED or (upcoming and visit.move_requested_at is not None)
    return Acts(
        check_in=at_desk and is_today and (upcoming or visit.state == State.NO_SHOW),
        undo_check_in=at_desk and visit.state == State.ARRIVED,
        confirm=at_desk and unconfirmed and visit.start >= now,
        no_show=at_desk and upcoming and visit.start <= now,
        move=books and upcoming,
        cancel=books and (upcoming or visit.state == State.ARRIVED),
        pin=books and upcoming,
        checklist=P.FILL_CHECKLIST in permissions and begun,
        infusion=P.VIEW_DOSE in permissions and begun,
    )


def place_of(visit: Appointment) -> str:
    if visit.setting != Setting.HOME:
        return f"{visit.chair.name} ({visit.chair.get_kind_display().lower()}), {visit.site.name}"
    patient = visit.patient
    address = ", ".join(filter(None, [patient.address_line, f"{patient.postal_code} {patient.city}".strip()]))
    return f"At home: {address}" if address else "At home; no address is recorded"


def cancelling_means(visit: Appointment) -> str:
    """What will happen, and to whom."""
    freed = "the nurse's time" if visit.is_home else f"{visit.chair.name} and the nurse's time"
    return (
        f"The visit of {visit.patient.name} is taken off the board, and {freed} can be booked again at once. "
        "The patient is told by mail if mails were agreed to. The order stays as it is."
    )
