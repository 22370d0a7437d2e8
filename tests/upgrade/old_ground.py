"""Fills a database of the last release. Run in a checkout of it (see make_dump.py): it knows that release's factories.

Rows that the migrations since then touch, rows under triggers, and one in most other tables.
"""

import datetime as dt

import django


def fill() -> None:
    from infusion_center.accounts.roles import Role
    from infusion_center.audit import services as audit
    from infusion_center.core import clock
    from infusions.doses.models import DoseState
    from infusions.reminders.models import Reminder, ReminderState
    from infusions.reminders.services import plan_reminders
    from infusions.scheduling.states import State
    from tests.factories.accounts import make_pin, make_staff, make_tablet
    from tests.factories.checklists import make_passed_checklist
    from tests.factories.doses import make_dose_record
    from tests.factories.facility import make_site
    from tests.factories.patients import make_patient
    from tests.factories.scheduling import make_appointment
    from tests.factories.stock import make_code, make_recall, make_stock
    from tests.factories.waitlist import make_entry, make_offer

    site = make_site(name="Maple Street")
    staff = {role: make_staff(role=role, site=site) for role in Role}
    make_pin(staff[Role.NURSE])
    make_tablet(by=staff[Role.MANAGER])
    make_passed_checklist(make_appointment(site=site, state=State.ARRIVED), by=staff[Role.NURSE])
    record = make_dose_record(make_appointment(site=site, state=State.COMPLETED), state=DoseState.SIGNED)
    make_code(record.product)
    make_stock(site=site, product=record.product, lot="LOT3", by=staff[Role.PHARMACIST])
    make_recall(record.product, "LOT1", opened_at=clock.now(), by=staff[Role.PHARMACIST])
    make_offer(entry=make_entry(site=site), start=clock.now() + dt.timedelta(days=2))
    patient = make_patient(given_name="Zoë", kg="70.05")
    make_appointment(site=site, patient=patient)
    plan_reminders()
    sent = Reminder.objects.filter(state=ReminderState.OWED).order_by("pk").first()
    Reminder.objects.filter(pk=sent.pk).update(state=ReminderState.SENT, settled_at=clock.now(), tries=1)
    audit.record("patient.amended", patient, by=staff[Role.SCHEDULER], patient=patient, fields=["given_name"])


if __name__ == "__main__":
    django.setup()
    fill()
