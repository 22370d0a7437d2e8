"""Two sites at work, one of them the reader's own, and every URL that leads to something of the other one."""

import datetime as dt
from dataclasses import dataclass

from django.apps import apps
from django.urls import reverse
from django.urls.resolvers import RegexPattern

from infusion_center.accounts.models import OpenSession, User
from infusion_center.accounts.roles import Role
from infusion_center.core import clock
from infusion_center.core.checks import all_patterns
from infusions.checklists.models import PatientReport
from infusions.doses.models import DoseState
from infusions.doses.reaction_models import Reaction
from infusions.facility.models import ChairOutage, Closure, Site
from infusions.orders.models import OrderStatus
from infusions.reminders.after_care_models import AfterCareReport, Urgency
from infusions.scheduling.states import State
from patients.import_models import PatientImport
from tests.factories.accounts import make_staff, make_tablet
from tests.factories.checklists import make_open_checklist
from tests.factories.doses import make_dose_record
from tests.factories.emergency import make_access
from tests.factories.facility import make_chair, make_nurse, make_site
from tests.factories.mail_events import make_block
from tests.factories.orders import make_order
from tests.factories.patients import make_patient
from tests.factories.recalls import make_recall, make_stock_item
from tests.factories.reminders import make_reminder
from tests.factories.scheduling import make_appointment, next_weekday
from tests.factories.waitlist import make_entry

# Parts of addresses that name something of one site.
OF_A_SITE = {
    *(
        "access_id",
        "appointment_id",
        "chair_id",
        "closure_id",
        "entry_id",
        "fact_id",
        "import_id",
        "item_id",
        "nurse_id",
        "order_id",
        "outage_id",
    ),
    *("patient_id", "person_id", "reaction_id", "reminder_id", "run_id", "shift_id", "tablet_id", "user_id", "vial_id"),
    "block_id",
}
# The others, each with the reason why nothing of a site can be reached by it.
OF_EVERYBODY = {
    "key": "a product of the formulary, which is the organisation's",
    "schedule_id": "rates of the formulary, which is the organisation's",
    "template_id": "a version of the check's questions, which are the organisation's",
    "code": "a question, of a version or of a run that is walked",
    "recall_id": "a recall stops a lot everywhere; of it only patients and vials are a site's, and those are walked",
    "handle": "of a session of one's own, looked up among these",
    "pk": "of a passkey of one's own, looked up among these",
    "form_of_file": "CSV or lines of JSON; what stands in it is of the own sites (test_trail_pages)",
    "slug": "the name of a work list, always of the site in use",
    "kind": "a kind of fact or mail, of a patient that is walked or of the site in use",
    "language": "of a mail of the site in use",
    "name": "a file of the mail folder, shown only with a message that the person sees (test_privacy)",
    "token": "patients' links: nobody signs in, the signed token is the authority",
    "secret": "a calendar's address: nobody signs in, the secret is the authority",
}
# What must stand on no page: said of the other site's patients, people and things, and of nothing else.
FAR = "Faraway"
MARKERS = (
    f"{FAR}son",
    "Quillandra",
    "FAR-0001",
    "FAR-0002",
    f"{FAR} Norbert",
    f"Chair {FAR}",
    f"LOT{FAR}",
    f"Note {FAR}",
)
PLACES = {"checklists": "waiting", "scheduling": "coming"}
DRAFTS = {"orders:order-sign", "orders:order-edit"}


@dataclass(frozen=True)
class World:
    site: Site
    other_site: Site
    ours: dict
    theirs: dict
    staff: dict[str, User]


def make_world() -> World:
    site = make_site(name="Near Center")
    staff = {role.value: make_staff(role=role, site=site) for role in Role}
    other = make_site(name=f"{FAR} Center")
    ours = scene(
        site, "Near", {"family_name": "Nearson", "given_name": "Nora"}, ("NEAR-0001", "NEAR-0002"), staff["manager"]
    )
    theirs = scene(other, FAR, {"family_name": f"{FAR}son", "given_name": "Quillandra"}, ("FAR-0001", "FAR-0002"))
    return World(site, other, ours, theirs, staff)


def scene(
    site: Site,
    word: str = "",
    name: dict | None = None,
    mrns: tuple[str, str] | None = None,
    keeper: User | None = None,
) -> dict:
    """What a site has while it works: an infusion with vials and a reaction, a check in hand, visits, stock, mails."""
    word, name, mrns = word or f"{site.pk}", name or {}, mrns or (f"S{site.pk}-1", f"S{site.pk}-2")
    now = clock.now()
    start = now - dt.timedelta(hours=1)
    patient, second = (make_patient(site=site, mrn=mrn, **name) for mrn in mrns)
    order = make_order(patient=patient)
    nurse = make_nurse(user=make_staff(role=Role.NURSE, site=site, full_name=f"{word} Norbert"))
    seat = {"site": site, "nurse": nurse, "chair": make_chair(site=site, name=f"Chair {word}")}
    visit = make_appointment(order=order, start=start, state=State.IN_PROGRESS, **seat)
    waiting = make_appointment(patient=second, site=site, start=start, state=State.ARRIVED)
    coming = make_appointment(order=order, day=next_weekday(site, ahead=14), **seat)
    record = make_dose_record(visit, lot=f"LOT{word}")
    signed_visit = make_appointment(order=order, start=start - dt.timedelta(days=28), state=State.COMPLETED, site=site)
    signed = make_dose_record(signed_visit, state=DoseState.SIGNED, lot=f"LOT{word}")
    wrote = {"record": record, "recorded_at": start, "recorded_by": record.started_by}
    reaction = Reaction.objects.create(**wrote, kind="rash", grade=1, onset_at=start, action="Watched")
    run = make_open_checklist(waiting)
    said = PatientReport.objects.create(
        appointment=waiting, values={"urine-normal": "yes"}, reported_at=waiting.start - dt.timedelta(hours=1)
    )
    unwell = AfterCareReport.objects.create(
        appointment=visit, values={"fever": "yes"}, urgency=Urgency.TODAY, reported_at=now
    )
    entry = make_entry(order=order, site=site, note=f"Note {word}")
    manager = make_staff(role=Role.MANAGER, site=site)
    sheet = {"by": keeper or manager, "site": site, "uploaded_at": now, "file_hash": "0" * 64, "headings": []}
    objects = {
        "access_id": make_access(patient=patient, user=nurse.user),
        "import_id": PatientImport.objects.create(**sheet, date_order="iso"),
        "appointment_id": visit,
        "waiting": waiting,
        "coming": coming,
        "signed": signed,
        "unwell": unwell,
        "report": said,
        "order_id": order,
        "draft": make_order(patient=patient, status=OrderStatus.DRAFT),
        "run_id": run,
        "item_id": make_stock_item(site, record.product, lot=f"LOT{word}"),
        "vial_id": record.vials.first(),
        "reaction_id": reaction,
        "recall_id": make_recall(record.product, [f"LOT{word}"]),
        "patient_id": patient,
        "fact_id": patient.weights.first(),
        "entry_id": entry,
        "reminder_id": make_reminder(appointment=coming),
        "block_id": make_block(patient.email),
        "person_id": manager,
        "user_id": manager,
        "tablet_id": make_tablet(by=manager, name=f"Tablet {word}", key=word),
        "nurse_id": nurse,
        "chair_id": visit.chair,
        "shift_id": nurse.shifts.first(),
        "outage_id": ChairOutage.objects.create(chair=visit.chair, starts_at=start, reason=f"Note {word}"),
        "closure_id": Closure.objects.create(
            site=site,
            starts_on=now.date() + dt.timedelta(days=90),
            ends_on=now.date() + dt.timedelta(days=90),
            reason="-",
        ),
        "site_id": site,
    }
    return {name: one.public_id for name, one in objects.items()}


def everything() -> dict:
    """All rows but those of sessions and the cache, and but that a page was refused."""
    labels = ("infusions", "patients", "accounts", "audit")
    models = [model for label in labels for model in apps.get_app_config(label).get_models()]
    rows = {model.__name__: list(model.objects.order_by("pk").values()) for model in models if model != OpenSession}
    return rows | {"AuditEvent": [row for row in rows["AuditEvent"] if row["action"] != "access.denied"]}


def patterns() -> dict[str, set[str]]:
    """The parts of each named address, except the admin's, walked by themselves, and allauth's, which name no row."""
    found = [(name, pattern.pattern) for _, name, pattern in all_patterns() if not name.startswith("admin:")]
    return {name: set(pattern.converters) for name, pattern in found if not isinstance(pattern, RegexPattern)}


def values_of(name: str, things: dict) -> dict:
    """For each part of the address something that the page would show to its own staff."""
    place = PLACES.get(name.split(":")[0], "appointment_id")
    known = things | {"appointment_id": things[place]} | ({"order_id": things["draft"]} if name in DRAFTS else {})
    return known | {"kind": "weights", "code": "urine-normal", "slug": "uncovered", "language": "en", "pk": 1}


def address_of(name: str, parts: set[str], things: dict) -> str:
    known = values_of(name, things)
    return reverse(name, kwargs={part: known.get(part, "none") for part in parts})


def foreign_addresses(world: World) -> list[tuple[str, str]]:
    """(name, address) of each URL with something of the other site: alone, and below something of one's own."""
    found = []
    for name, parts in patterns().items():
        of_a_site = sorted(parts & OF_A_SITE)
        if not of_a_site:
            continue
        found.append((name, address_of(name, parts, world.theirs)))
        if len(of_a_site) > 1:
            above = {"appointment_id", "patient_id"}
            mixed = world.theirs | {part: world.ours[part] for part in above & parts}
            found.append((name, address_of(name, parts, mixed)))
        if "recall_id" in parts:
            found.append((name, address_of(name, parts, world.theirs | {"recall_id": world.ours["recall_id"]})))
    return found


def own_addresses(world: World) -> list[tuple[str, str]]:
    return [(name, address_of(name, parts, world.ours)) for name, parts in patterns().items()]
