"""Visits for tests, claims included. Lawful by default: a future weekday at 09:00, in opening hours, nurse on shift."""

import datetime as dt

from infusion_center.core import clock
from infusions.facility.models import Chair, Nurse, Setting, Shift, Site
from infusions.orders.models import InfusionOrder
from infusions.scheduling.lanes import MAX_RATIO, claims_for
from infusions.scheduling.models import Appointment, Claim
from infusions.scheduling.states import State
from patients.models import Patient
from tests.factories.facility import make_chair, make_nurse, make_shift, make_site
from tests.factories.orders import make_order
from tests.factories.patients import link_site, make_patient

make_bookable_order = make_order


def next_weekday(site: Site, *, ahead: int = 1) -> dt.date:
    """The first Monday to Friday at least `ahead` days from today at the site."""
    day = clock.local_date(clock.now(), site.time_zone) + dt.timedelta(days=ahead)
    return day + dt.timedelta(days=(7 - day.weekday()) % 7 if day.weekday() > 4 else 0)


def make_appointment(
    *,
    order: InfusionOrder | None = None,
    patient: Patient | None = None,
    site: Site | None = None,
    chair: Chair | None = None,
    nurse: Nurse | None = None,
    day: dt.date | None = None,
    at: str = "09:00",
    start: dt.datetime | None = None,
    minutes: int = 240,
    setting: str = Setting.FACILITY,
    state: str = State.EXPECTED,
    by=None,
    **fields,
) -> Appointment:
    """A visit of `minutes` at the local wall time `at` of `day`, or at the instant `start`; claims included.

    A nurse is put on shift, a chair and an order are made where none are given.
    """
    site = site or (chair.site if chair else make_site())
    order = order or make_order(patient=patient or make_patient(site=site))
    link_site(order.patient, site)
    if start is None:
        start = clock.from_local(day or next_weekday(site), dt.time.fromisoformat(at), site.time_zone)
    home = setting == Setting.HOME
    nurse = nurse or make_nurse(site=site, visits_homes=home)
    _put_on_shift(nurse, site, start, setting)
    appointment = bare_appointment(
        order=order,
        site=site,
        setting=setting,
        chair=None if home else chair or make_chair(site=site),
        nurse=nurse,
        start=start,
        end=start + dt.timedelta(minutes=minutes),
        state=state,
        booked_by=by or nurse.user,
        **_marks_of(state, start, minutes) | fields,
    )
    if "ratio_place" not in fields:
        appointment.ratio_place = _free_place(appointment)
    appointment.save()
    write_claims(appointment)
    return appointment


def bare_appointment(*, order: InfusionOrder, start: dt.datetime, end: dt.datetime, **fields) -> Appointment:
    """Neither saved nor claimed."""
    site = fields.pop("site", None) or fields["chair"].site
    home = fields.get("setting") == Setting.HOME
    values = {
        "patient": order.patient,
        "site": site,
        "local_start": f"{clock.to_local(start, site.time_zone):%Y-%m-%dT%H:%M}",
        "preparation_minutes": 30,
        "infusion_minutes": max(int((end - start).total_seconds()) // 60 - 60, 0),
        "observation_minutes": 30,
        "travel_minutes": site.travel_minutes if home else 0,
        "start_hands_minutes": site.start_hands_minutes,
        "end_hands_minutes": site.end_hands_minutes,
    }
    return Appointment(order=order, start=start, end=end, **values | fields)


def write_claims(appointment: Appointment) -> None:
    """IntegrityError where another visit holds one of them."""
    if appointment.state != State.CANCELLED:
        Claim.objects.bulk_create(
            Claim(lane=lane, quarter=quarter, appointment=appointment) for lane, quarter in claims_for(appointment)
        )


def _put_on_shift(nurse: Nurse, site: Site, start: dt.datetime, setting: str) -> None:
    day = clock.local_date(start, site.time_zone)
    first, following = clock.day_bounds(day, site.time_zone)
    if not Shift.objects.filter(nurse=nurse, starts_at__lt=following, ends_at__gt=first).exists():
        make_shift(nurse=nurse, site=site, day=day, setting=setting)


def _free_place(appointment: Appointment) -> int:
    if appointment.setting == Setting.HOME:
        return 0
    for place in range(MAX_RATIO):
        appointment.ratio_place = place
        wanted = claims_for(appointment)
        lanes, quarters = {lane for lane, _ in wanted}, {quarter for _, quarter in wanted}
        held = Claim.objects.filter(lane__in=lanes, quarter__in=quarters).values_list("lane", "quarter")
        if not set(held) & set(wanted):
            return place
    return 0


def _marks_of(state: str, start: dt.datetime, minutes: int) -> dict:
    """The time stamps that a visit in this state has collected."""
    marks: dict = {}
    if state == State.CANCELLED:
        return {"cancelled_at": start - dt.timedelta(days=1), "cancel_reason": "Asked by the patient"}
    if state == State.CONFIRMED:
        marks["confirmed_at"] = start - dt.timedelta(days=1)
    if state in (State.ARRIVED, State.IN_PROGRESS, State.COMPLETED, State.STOPPED_EARLY):
        marks["arrived_at"] = start
    if state in (State.IN_PROGRESS, State.COMPLETED, State.STOPPED_EARLY):
        marks["started_at"] = start + dt.timedelta(minutes=30)
    if state in (State.COMPLETED, State.STOPPED_EARLY):
        marks["finished_at"] = start + dt.timedelta(minutes=minutes)
    return marks
