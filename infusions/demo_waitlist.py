"""The demo's waitlist: some patients who would come earlier, and a morning that has just been cancelled."""

import datetime as dt

from infusion_center.core import clock
from infusion_center.core.rules import RuleViolation
from infusions.facility.models import Setting
from infusions.scheduling.booking import cancel_appointment
from infusions.scheduling.models import Appointment
from infusions.scheduling.states import UPCOMING
from infusions.scheduling.waitlist_services import add_to_waitlist

ENTRIES = 3
SOON = (dt.timedelta(days=2), dt.timedelta(days=8))
NOTES = ("Works in the mornings", "Drives 40 minutes", "")


def let_some_wait(demo, now: dt.datetime) -> None:
    """Whose visit lies a few days behind a cancelled one may come earlier without breaking the order's interval."""
    scheduler = demo.staff["scheduler"]
    coming = Appointment.objects.filter(site=demo.site, setting=Setting.FACILITY, state__in=UPCOMING, order__days=1)
    coming = coming.select_related("order__patient", "site").order_by("start", "pk")
    for freed in coming.filter(start__gt=now + SOON[0], start__lt=now + SOON[1]):
        behind = coming.filter(start__gt=freed.start + dt.timedelta(hours=18), start__lt=freed.start + SOON[0] * 2)
        if behind.count() >= ENTRIES:
            break
    else:
        return
    for visit, note in zip(behind.exclude(order=freed.order)[:ENTRIES], NOTES, strict=False):
        last_on = clock.local_date(visit.start, visit.site.time_zone)
        try:
            add_to_waitlist(
                order=visit.order,
                site=visit.site,
                setting=visit.setting,
                first_on=clock.local_date(now, visit.site.time_zone),
                last_on=last_on,
                notice_hours=12,
                note=note,
                instead_of=visit,
                by=scheduler,
            )
        except RuleViolation:  # an order that ends or is on hold waits for nothing
            continue
    cancel_appointment(appointment=freed, reason="Patient is ill", by=scheduler)
