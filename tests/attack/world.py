"""The clinic that is attacked: a working day with everything that has a page, and the ids behind the addresses."""

import datetime as dt
import json

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.test import Client

from infusion_center.accounts.models import User
from infusion_center.accounts.roles import Role
from infusion_center.core import clock
from infusions.checklists.models import ChecklistItem, ChecklistTemplate, PatientReport
from infusions.checklists.template_services import start_draft
from infusions.doses.models import DoseState
from infusions.doses.reaction_models import Reaction
from infusions.facility.chair_services import take_chair_out
from infusions.facility.models import Closure
from infusions.reminders.links import Purpose, offer_token, stop_token, visit_token
from infusions.reminders.models import Kind
from infusions.scheduling.states import State
from infusions.scheduling.work_lists import BY_SLUG
from tests.attack.watch import NOBODY
from tests.factories.accounts import force_login, make_pin, make_staff, make_tablet
from tests.factories.after_care import make_report
from tests.factories.checklists import make_open_checklist, make_passed_checklist
from tests.factories.doses import make_dose_record
from tests.factories.facility import make_nurse, make_shift, make_site
from tests.factories.mail_events import make_block
from tests.factories.orders import make_order
from tests.factories.patients import make_patient
from tests.factories.recalls import make_recall, make_stock_item
from tests.factories.reminders import make_reminder
from tests.factories.scheduling import make_appointment
from tests.factories.waitlist import make_entry, make_offer

SUPERUSER = "superuser"
MAIL = "20261126-120000-attack.eml"
IDENTITIES = (NOBODY, *Role.values, SUPERUSER)
# What no row knows.
WORDS = {
    "kind": ["weights", "allergies", "confirmation", "reminder"],
    "language": ["en", "es"],
    "name": [MAIL],
    "uidb36": ["1"],
    "secret": ["none"],
    "slug": list(BY_SLUG),
    "object_id": ["1", "2"],
}


class Site:
    """One site at work; two of them, so that there are ids which are another's."""

    def __init__(self, hour: dt.datetime):
        self.site, self.hour = make_site(weekdays=range(7), opens="00:00", closes="23:45"), hour
        self.nurse = make_nurse(site=self.site)
        self.orders = [make_order(infusion_minutes=60, interval_days=7, tolerance_days=3) for _ in range(2)]
        self.draft = make_order(status="draft", product=self.orders[0].product, indication=self.orders[0].indication)
        self.visits = [self._visit(hours, state) for hours, state in self.plan()]
        self.product = self.orders[0].product

    def plan(self):
        return [
            (24, State.EXPECTED),
            (26, State.CONFIRMED),
            (-1, State.ARRIVED),
            (-1, State.ARRIVED),
            (1, State.EXPECTED),
            (-2, State.IN_PROGRESS),
            (-30, State.COMPLETED),
            (-72, State.NO_SHOW),
            (48, State.CANCELLED),
        ]

    def _visit(self, hours: int, state):
        patient = make_patient()
        order = make_order(patient=patient, product=self.orders[0].product, indication=self.orders[0].indication)
        start = self.hour + dt.timedelta(hours=hours)
        return make_appointment(order=order, site=self.site, start=start, state=state, minutes=60)

    def work(self) -> None:
        coming, confirmed, arrived, checked, _, running, done, *_ = self.visits
        record = make_dose_record(running, lot="LOT1")
        wrote = {"record": record, "recorded_at": running.start, "recorded_by": record.started_by}
        self.reaction = Reaction.objects.create(**wrote, kind="rash", grade=1, onset_at=running.start, action="Watched")
        self.record, self.signed = record, make_dose_record(done, state=DoseState.SIGNED)
        self.runs = [make_open_checklist(arrived), make_passed_checklist(checked)]
        reported = {"values": {"urine-normal": "yes"}, "reported_at": arrived.start - dt.timedelta(hours=1)}
        self.report = PatientReport.objects.create(appointment=arrived, **reported)
        make_report(done, "fever")
        self.items = [make_stock_item(self.site, self.product, lot=lot) for lot in ("LOT1", "LOT2")]
        self.recall = make_recall(self.product, ["LOT1"])
        self.entry = make_entry(order=self.orders[1], site=self.site)
        self.offer = make_offer(entry=self.entry, start=self.hour + dt.timedelta(days=3))
        self.reminders = [
            make_reminder(appointment=coming),
            make_reminder(appointment=confirmed, kind=Kind.CONFIRMATION, state="sent"),
        ]
        self.block = make_block(coming.patient.email, reminder=self.reminders[1])
        day = clock.local_date(self.hour, self.site.time_zone) + dt.timedelta(days=9)
        self.shift = make_shift(nurse=self.nurse, site=self.site, day=day)
        self.closure = Closure.objects.create(site=self.site, starts_on=day, ends_on=day, reason="Inventory")

    def tokens(self) -> dict[str, str]:
        """By the name of the page behind the link."""
        coming, done = self.visits[0], self.visits[6]
        visits = {
            "visit": Purpose.VISIT,
            "before-visit": Purpose.BEFORE,
            "move-visit": Purpose.MOVE,
            "cancel-visit": Purpose.CANCEL,
        }
        links = {name: visit_token(coming, purpose) for name, purpose in visits.items()}
        after = {"after-visit": visit_token(done, Purpose.AFTER)}
        return links | after | {"offer": offer_token(self.offer), "stop": stop_token(coming)}


def make_people(site) -> dict[str, User]:
    people = {role: make_staff(role=role, site=site) for role in Role.values}
    make_nurse(user=people["nurse"])
    boss = make_staff(role=Role.MANAGER, site=site)
    boss.is_superuser = boss.is_staff = True
    boss.save()
    return people | {SUPERUSER: boss}


def known_ids(ours: Site, people: dict[str, User], draft: ChecklistTemplate, tablet, outage) -> dict[str, list[str]]:
    """Some values for each part of an address, those that open most first."""
    visits, patients = ours.visits, [visit.patient for visit in ours.visits]
    rows = {
        "appointment_id": [visits[at] for at in (0, 5, 2, 3, 6, 4, 1, 7, 8)],
        "patient_id": patients[:3],
        "order_id": [*ours.orders, ours.draft, visits[0].order],
        "template_id": [draft, *ChecklistTemplate.objects.exclude(pk=draft.pk)],
        "run_id": ours.runs,
        "item_id": ours.items,
        "recall_id": [ours.recall],
        "chair_id": [visits[0].chair, outage.chair],
        "nurse_id": [ours.nurse],
        "person_id": [make_staff(site=ours.site)],
        "user_id": [make_staff(site=ours.site)],
        "reaction_id": [ours.reaction],
        "vial_id": list(ours.record.vials.all()[:2]),
        "entry_id": [ours.entry],
        "schedule_id": list(ours.product.schedules.all()[:2]),
        "reminder_id": ours.reminders,
        "tablet_id": [tablet],
        "fact_id": list(patients[0].weights.all()[:1]),
        "outage_id": [outage],
        "closure_id": [ours.closure],
        "shift_id": [ours.shift],
        "block_id": [ours.block],
    }
    known = {part: [row.public_id for row in found] for part, found in rows.items()}
    codes = list(ChecklistItem.objects.filter(template=draft).values_list("code", flat=True)[:6])
    return (
        known | WORDS | {"key": [ours.product.key], "code": [*codes, "weight"], "token": list(ours.tokens().values())}
    )


def special_ids(ours: Site) -> dict[str, dict[str, str]]:
    """Pages whose parts must fit each other, by the name of the page."""
    of_reaction = {"appointment_id": ours.record.appointment.public_id}
    links = {f"reminders:{name}": {"token": token} for name, token in ours.tokens().items()}
    return (
        links
        | {
            "doses:medwatch": of_reaction,
            "doses:reaction-slow": of_reaction,
            "doses:reaction-step-add": of_reaction,
            "doses:vial-remove": of_reaction,
            "doses:dose-sign": {"appointment_id": ours.signed.appointment.public_id},
            "doses:dose-amend": {"appointment_id": ours.signed.appointment.public_id},
            "doses:dose-print": {"appointment_id": ours.signed.appointment.public_id},
            "reminders:after-care-detail": {"appointment_id": ours.signed.appointment.public_id},
            "reminders:after-care-call": {"appointment_id": ours.signed.appointment.public_id},
            "orders:order-stop": {"order_id": ours.draft.public_id},
            "orders:order-edit": {"order_id": ours.draft.public_id},
            "orders:order-sign": {"order_id": ours.draft.public_id},
            "scheduling:work-list": {"slug": "unconfirmed" if "unconfirmed" in BY_SLUG else next(iter(BY_SLUG))},
            "doses:dose-prepare": {"appointment_id": ours.visits[3].public_id},
            "reminders:mail-detail": {"name": MAIL},
        }
        | {f"reminders:wording-{name}": {"kind": "confirmation"} for name in ("edit", "preview", "html", "reset")}
    )


def write_mail() -> None:
    mail = EmailMessage("Your visit", "We look forward to seeing you.", to=["somebody@example.org"])
    settings.MAIL_DIR.mkdir(parents=True, exist_ok=True)
    (settings.MAIL_DIR / MAIL).write_bytes(mail.message().as_bytes())


def session_of(person: User) -> str:
    client = Client()
    force_login(client, person)
    return client.cookies[settings.SESSION_COOKIE_NAME].value


@transaction.atomic
def build() -> dict:
    """Fills an empty database, and says what a guesser may know: ids, those of another site, and sessions."""
    hour = clock.now().replace(minute=0, second=0, microsecond=0)
    ours, theirs = Site(hour), Site(hour)
    people = make_people(ours.site)
    ours.work()
    theirs.work()
    manager = people["manager"]
    draft = start_draft(by=manager)
    tablet = make_tablet(by=manager)
    make_pin(people["nurse"])
    span = {"starts_at": hour + dt.timedelta(days=20), "ends_at": hour + dt.timedelta(days=21)}
    outage = take_chair_out(chair=ours.visits[-1].chair, reason="Broken", by=manager, **span)
    known = known_ids(ours, people, draft, tablet, outage)
    foreign = [row.public_id for row in (theirs.visits[0], theirs.runs[0], theirs.items[0], theirs.entry, theirs.site)]
    own = [ours.site.public_id, ours.visits[0].chair.public_id, ours.nurse.public_id, ours.record.public_id]
    write_mail()
    return {
        "known": known,
        "special": special_ids(ours),
        "foreign": foreign + own,
        "sessions": {name: session_of(person) for name, person in people.items()},
        "people": {name: person.email for name, person in people.items()},
    }


def run(options) -> None:
    (settings.FOLDER / "world.json").write_text(json.dumps(build()))
