"""A visit, an offer about it, and the address of every page that a patient can reach by mail."""

import datetime as dt

from django.urls import reverse

from infusions.orders.models import InfusionOrder
from infusions.reminders import links
from infusions.reminders.urls import urlpatterns
from infusions.scheduling.models import Appointment
from tests.factories.facility import make_chair, make_nurse, make_shift, make_site
from tests.factories.orders import make_order
from tests.factories.patients import make_patient
from tests.factories.scheduling import make_appointment
from tests.factories.waitlist import make_entry, make_offer

NOON = dt.datetime(2026, 6, 1, 16, tzinfo=dt.UTC)
PURPOSES = {
    "visit": links.Purpose.VISIT,
    "move-visit": links.Purpose.MOVE,
    "cancel-visit": links.Purpose.CANCEL,
    "before-visit": links.Purpose.BEFORE,
    "after-visit": links.Purpose.AFTER,
}


def public_names() -> list[str]:
    """Every page of ours whose address holds a token."""
    return [pattern.name for pattern in urlpatterns if "token" in pattern.pattern.converters]


def make_center():
    """Site, chair and nurse, who is on shift every day for two weeks."""
    site = make_site(phone="555 0100", mail_name="Riverside", address="1 River Road, Exampleton")
    nurse = make_nurse(site=site)
    for number in range(14):
        make_shift(nurse=nurse, site=site, day=dt.date(2026, 6, 1) + dt.timedelta(days=number))
    return site, make_chair(site=site), nurse


def make_due_order(last_dose_on: dt.date, *, days: int = 1, **patient) -> InfusionOrder:
    """Four weeks after the last dose the next is due, four days either way."""
    patient = make_patient(**{"given_name": "Maria", "chosen_name": "Mia", "family_name": "Sample", **patient})
    given = {"last_dose_on": last_dose_on, "doses_given": days}
    return make_order(patient=patient, infusion_minutes=180, days=days, **given)


def make_scene(**patient) -> tuple[Appointment, dict[str, str]]:
    """A visit in two days and an offer about it, and by name the address of each public page."""
    site, chair, nurse = make_center()
    order = make_due_order(dt.date(2026, 5, 7), **patient)
    visit = make_appointment(order=order, chair=chair, nurse=nurse, start=NOON + dt.timedelta(days=1, hours=21))
    entry = make_entry(order=order, site=site, notice_hours=2, instead_of=visit)
    offer = make_offer(entry=entry, start=NOON + dt.timedelta(hours=22), expires_at=NOON + dt.timedelta(hours=4))
    tokens = {name: links.visit_token(visit, purpose) for name, purpose in PURPOSES.items()}
    tokens |= {"offer": links.offer_token(offer), "stop": links.stop_token(visit)}
    return visit, {name: reverse(f"reminders:{name}", args=[tokens[name]]) for name in public_names()}
