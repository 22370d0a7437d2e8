"""A small center with something in most tables, and with the values that are hard to carry."""

import datetime as dt

from django.test import Client

from infusion_center.accounts.roles import Role
from infusion_center.audit import services as audit
from infusion_center.core import clock
from infusions.doses.models import DoseState
from infusions.reminders.services import plan_reminders
from infusions.scheduling.states import State
from tests.factories.accounts import make_pin, make_staff, make_tablet
from tests.factories.after_care import make_report
from tests.factories.checklists import make_passed_checklist
from tests.factories.doses import make_dose_record
from tests.factories.facility import make_site
from tests.factories.mail_events import make_block
from tests.factories.patients import make_patient
from tests.factories.scheduling import make_appointment
from tests.factories.stock import make_code, make_recall, make_stock
from tests.factories.waitlist import make_entry, make_offer

HARD_TEXT = 'Zoë "Q" O\'Neil \\N \\. tab\there line\nnext \r\n \u2028 \U0001f489 {not json} [nor this'


def fill() -> None:
    site = make_site(name="Maple Street")
    staff = {role: make_staff(role=role, site=site) for role in Role}
    make_pin(staff[Role.NURSE])
    make_tablet(by=staff[Role.MANAGER])
    Client().force_login(staff[Role.NURSE])  # a session, which no backup may hold
    given = make_appointment(site=site, state=State.COMPLETED)
    run = make_appointment(site=site, state=State.ARRIVED)
    make_passed_checklist(run, by=staff[Role.NURSE])
    record = make_dose_record(given, state=DoseState.SIGNED)
    make_report(given, comment=HARD_TEXT, wants_call=True)
    product = record.product
    make_code(product)
    make_stock(site=site, product=product, lot="LOT3", by=staff[Role.PHARMACIST])
    make_recall(product, "LOT1", "LÖT-2", opened_at=clock.now(), by=staff[Role.PHARMACIST])
    make_offer(entry=make_entry(site=site), start=clock.now() + dt.timedelta(days=2))
    patient = make_patient(given_name=HARD_TEXT[:20], kg="70.05")
    make_appointment(site=site, patient=patient)
    make_block("Came.Back@example.org")
    plan_reminders()
    audit.record(
        "patient.amended", patient, by=staff[Role.SCHEDULER], patient=patient, fields=["b", "a"], z=None, a=1.5
    )
