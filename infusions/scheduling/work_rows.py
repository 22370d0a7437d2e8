"""What the rows of the work lists say, and what can be done about each. Part of the pages: may read every feature."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass, replace

from django.urls import NoReverseMatch, reverse

from infusion_center.accounts.roles import Permission
from infusion_center.core import clock
from infusions.checklists.stale_readings import StaleReading
from infusions.checklists.unwell import UnwellVisit
from infusions.orders.models import InfusionOrder
from infusions.reminders.delivery_models import BlockCause
from infusions.reminders.models import Reminder
from infusions.reminders.unreached import why_not_received, why_unreached
from infusions.reminders.untold import MAY_NOT_KNOW
from infusions.scheduling.due_orders import DueOrder
from infusions.scheduling.ending_orders import EndingOrder
from infusions.scheduling.models import Appointment
from infusions.scheduling.refusals import name_day
from infusions.scheduling.states import UPCOMING, State
from infusions.scheduling.waitlist_queries import FreedSlot
from infusions.templatetags.infusion_tags import duration
from patients.models import Patient

P = Permission
SOON = dt.timedelta(hours=48)
NO_PHONE = "No telephone number either: write, or ask who knows the patient"


@dataclass(frozen=True)
class Act:
    """One button. `is_post`: it acts at once and comes back to the list; the others lead to a page."""

    label: str
    url: str
    icon: str = ""
    is_post: bool = False
    permission: Permission = P.BOOK_APPOINTMENT


@dataclass(frozen=True)
class WorkRow:
    patient: Patient
    when: str
    what: str
    url: str  # where the row leads
    why: tuple[str, ...] = ()
    acts: tuple[Act, ...] = ()
    is_urgent: bool = False

    def allowed(self, permissions: Collection[Permission]) -> WorkRow:
        """With the acts that the person may do, and whose pages exist."""
        return replace(self, acts=tuple(act for act in self.acts if act.url and act.permission in permissions))


def act_to(name: str, *args, label: str, **more) -> Act:
    """A button to a page, with an empty address where no such page exists."""
    try:
        return Act(label, reverse(name, args=args), **more)
    except NoReverseMatch:
        return Act(label, "", **more)


def unconfirmed_row(visit: Appointment) -> WorkRow:
    """Whoever has the patient on the telephone presses "Confirmed"."""
    asks = visit.move_requested_at is not None
    wishes = f"Asks for another time{f': {visit.patient_message}' if visit.patient_message else ''}"
    acts = [_confirm(visit), _call(visit.patient), _move(visit)]
    return _visit_row(visit, (wishes if asks else "Has not confirmed",), acts, is_urgent=asks)


def stale_row(stale: StaleReading) -> WorkRow:
    visit = stale.appointment
    acts = [_call(visit.patient), act_to("scheduling:appointment-detail", visit.public_id, label="Open visit")]
    if stale.weight:
        weigh = {"label": "Record weight", "icon": "weight", "permission": P.RECORD_CLINICAL_DATA}
        acts.insert(0, act_to("patients:weight-create", visit.patient.public_id, **weigh))
    return _visit_row(visit, tuple(filter(None, (stale.weight, stale.creatinine))), acts)


def unwell_row(one: UnwellVisit) -> WorkRow:
    """What she reported, when, and in her own words."""
    visit, zone = one.visit, one.visit.site.time_zone
    signs = [f"{words}, reported {_wall(clock.to_local(at, zone))}" for words, at in one.signs]
    no_phone = [] if visit.patient.phone else ["No telephone number: write, or ask who knows the patient"]
    acts = [_call(visit.patient), act_to("scheduling:appointment-detail", visit.public_id, label="Open visit")]
    why = (*signs, *(f"“{comment}”" for comment in one.comments), *no_phone)
    return _visit_row(visit, why, acts, is_urgent=one.is_soon)


def unreached_row(visit: Appointment, reminder: Reminder | None) -> WorkRow:
    """Whoever has the patient on the telephone presses "Confirmed", and mends what kept the mail away."""
    patient = visit.patient
    no_phone = () if patient.phone else (NO_PHONE,)
    if visit.state == State.CANCELLED:
        why = (f"{MAY_NOT_KNOW}: call", why_not_received(reminder), *no_phone)
        is_soon = visit.start <= clock.now() + SOON
        return _visit_row(visit, why, [_told(visit), _call(patient)], is_urgent=is_soon)
    why = (why_unreached(visit, reminder), *no_phone)
    return _visit_row(visit, why, [_confirm(visit), _call(patient), _mend(visit, reminder)])


def _mend(visit: Appointment, reminder: Reminder | None) -> Act:
    patient = visit.patient
    resend = {"icon": "send", "permission": P.RESEND_REMINDER}
    if visit.blocked == BlockCause.COMPLAINED:
        return act_to("reminders:block-lift", visit.block_id, label="Wants mail again", **resend)
    if visit.blocked or not patient.email:
        mend = {"label": "Correct address", "icon": "pencil", "permission": P.EDIT_PATIENT}
        return act_to("patients:patient-edit", patient.public_id, **mend)
    if not visit.consents:
        return act_to("patients:consent-create", patient.public_id, label="Record consent", permission=P.EDIT_PATIENT)
    return act_to("reminders:reminder-detail", reminder.public_id, label="Send again", **resend)


def ending_row(one: EndingOrder) -> WorkRow:
    first, number = one.visits[0], len(one.visits)
    more = "" if number == 1 else f" and {number - 1} more"
    acts = [
        act_to(
            "orders:order-detail", one.order.public_id, label="Open order", icon="file-text", permission=P.VIEW_ORDER
        ),
        _move(first),
        _cancel(first),
        act_to("scheduling:series-cancel", first.public_id, label="Cancel the rest") if number > 1 else None,
    ]
    url = reverse("orders:order-detail", args=[one.order.public_id])
    when = f"{_moment(first)}{more}"
    return WorkRow(one.order.patient, when, _product(one.order), url, one.reasons, tuple(filter(None, acts)))


def due_row(one: DueOrder) -> WorkRow:
    order, window = one.order, one.window
    if one.is_used_up:
        why = f"All {order.visits_authorized} authorized visits are used up: ask for a new authorization"
    elif one.ends_before:
        why = f"The order ends on {name_day(order.valid_until)}, before the next visit: ask for a new order"
    elif one.last_held_on is None:
        why = "First visit, never booked"
    else:
        why = f"Last on {name_day(one.last_held_on)}{', overdue' if window.is_overdue else ''}"
    acts = [
        act_to("scheduling:slot-list", order.public_id, label="Book", icon="calendar-plus"),
        act_to("scheduling:series-plan", order.public_id, label="Series"),
        act_to("scheduling:waitlist-add", order.public_id, label="Waitlist"),
    ]
    if one.is_used_up or one.ends_before:
        acts = [act_to("orders:order-detail", order.public_id, label="Open order", permission=P.VIEW_ORDER)]
    url = reverse("orders:order-detail", args=[order.public_id])
    when = f"Due {window.due_on:%a} {window.due_on.day} {window.due_on:%b}"
    whys = (why, f"Last cancelled: {one.cancelled_because}") if one.cancelled_because else (why,)
    return WorkRow(order.patient, when, _product(order), url, whys, tuple(acts), is_urgent=window.is_overdue)


def freed_row(slot: FreedSlot, number: int) -> WorkRow:
    """Hours that became free, with how many wait for such; the patient is who had them."""
    visit, local = slot.visit, clock.to_local(slot.start, slot.site.time_zone)
    act = act_to("scheduling:slot-freed", visit.public_id, label="See who fits", icon="users-round")
    waiting = f"{number} on the waitlist may want it"
    return WorkRow(visit.patient, _wall(local), duration(slot.minutes), act.url, (waiting,), (act,))


def _visit_row(visit: Appointment, why: tuple[str, ...], acts: list[Act], *, is_urgent: bool = False) -> WorkRow:
    url = reverse("scheduling:appointment-detail", args=[visit.public_id])
    place = "At home" if visit.is_home else visit.chair.name
    return WorkRow(visit.patient, _moment(visit), place, url, why, tuple(acts), is_urgent)


def _moment(visit: Appointment) -> str:
    return _wall(dt.datetime.fromisoformat(visit.local_start))


def _wall(local: dt.datetime) -> str:
    return f"{local:%a} {local.day} {local:%b}, {local:%H:%M}"


def _product(order: InfusionOrder) -> str:
    return str(order.product)


def _confirm(visit: Appointment) -> Act:
    url = reverse("scheduling:appointment-confirm", args=[visit.public_id])
    return Act("Confirmed", url, icon="check", is_post=True, permission=P.CHECK_IN)


def _told(visit: Appointment) -> Act:
    url = reverse("scheduling:appointment-told", args=[visit.public_id])
    return Act("Told by phone", url, icon="check", is_post=True, permission=P.CHECK_IN)


def _call(patient: Patient) -> Act:
    """The number itself is the button: on a telephone it dials, at a desk it is read."""
    if not patient.phone:
        return Act("", "")
    return Act(patient.phone.as_national, f"tel:{patient.phone.as_e164}", icon="phone", permission=P.VIEW_PATIENT)


def _move(visit: Appointment) -> Act:
    is_open = visit.state in UPCOMING
    return act_to("scheduling:appointment-move", visit.public_id, label="Move") if is_open else Act("Move", "")


def _cancel(visit: Appointment) -> Act:
    return act_to("scheduling:appointment-cancel", visit.public_id, label="Cancel")
