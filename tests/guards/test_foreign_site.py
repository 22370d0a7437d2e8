"""Whoever knows the ids of another site gets nothing by them: in each URL, for each role, in queries and forms."""

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse

from infusion_center.accounts.roles import ROLE_PERMISSIONS, Role
from infusion_center.core.checks import access_rule, all_patterns
from infusions.scheduling.board_forms import FIRST
from tests.factories.accounts import force_login
from tests.guards import foreign
from tests.guards.foreign import MARKERS, OF_A_SITE, OF_EVERYBODY, everything

pytestmark = pytest.mark.django_db
REFUSED = {403, 404, 405}
# Would be let pass if only the object were ours.
TYPED = {
    "seen": "", "count": "1", "reason": "Broken", "on": "2026-11-23", "kind": "prescriber_called", "status": "reached",
    "note": "Told", "outcome": "reached", "upto": "none", "version": "1", "decision": "cancel", "read": "on",
    "grams": "10", "lot": "LOT1", "expires_on": "2027-10", "alone": "1", "confirm": "on", "up": "1", "name": "Saline",
    "rate_ml_per_h": "21", "purpose": "flush", "dose": "10", "unit": "mL", "route": "iv", "kg": "70", "code": "sepsis",
    "channel": "email", "consents": "yes", "decided_on": "2026-11-23", "measured_on": "2026-11-23", "pinned": "1",
}  # fmt: skip


WHERE = {"quarter": str(FIRST + 10)}  # what a preview of a move is about


@pytest.fixture(scope="module")
def world(django_db_setup, django_db_blocker):
    """Built once; what a test writes is taken back after it."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield foreign.make_world()
        transaction.set_rollback(True)


@pytest.fixture
def client_of(world):
    def signed_in(role: str) -> Client:
        client = Client()
        force_login(client, world.staff[role])
        return client

    return signed_in


def test_each_part_of_an_address_is_walked_or_everybodys():
    parts = set().union(*foreign.patterns().values())
    assert parts - OF_A_SITE == OF_EVERYBODY.keys()
    assert OF_A_SITE - parts == set()


@pytest.mark.parametrize("role", list(Role))
def test_ids_of_another_site_open_and_write_nothing(client_of, world, role, record_property):
    client, before, wrong = client_of(role.value), everything(), {}
    addresses = foreign.foreign_addresses(world)
    for name, address in addresses:
        statuses = {client.get(address).status_code, client.post(address, TYPED).status_code}
        if statuses - REFUSED:
            wrong[name, address] = statuses
    # URLs x methods of this role, of one other site: quoted in the release notes.
    record_property("foreign requests", 2 * len(addresses))
    assert wrong == {}
    assert everything() == before


def test_the_walk_is_long(world):
    addresses = foreign.foreign_addresses(world)
    assert (len({name for name, _ in addresses}) >= 105, len(addresses) >= 110) == (True, True)


def one_who_may(pattern) -> Role | None:
    wanted = access_rule(pattern).permissions
    return next((role for role in Role if not wanted or wanted & ROLE_PERMISSIONS[role]), None)


@pytest.mark.once
def test_the_same_addresses_lead_to_ones_own_things(world, client_of):
    """So a refusal is for the site, and not because the walk asked for something that is nowhere."""
    rules, shut = {name: pattern for _, name, pattern in all_patterns()}, []
    rules.pop("patients:emergency-extend")  # of a patient of one's own nothing is extended
    clients = {role: client_of(role.value) for role in Role}
    for name, address in foreign.own_addresses(world):
        if (
            name in rules
            and foreign.patterns()[name] & OF_A_SITE
            and clients[one_who_may(rules[name])].get(address, WHERE).status_code == 404
        ):
            shut.append(name)
    assert shut == []


@pytest.mark.once
def test_ids_of_another_site_in_a_query_show_nothing(client_of, world, record_property):
    """Every page of one's own, asked for the other site's things by each name that some page reads."""
    theirs, wrong, asked = world.theirs, {}, 0
    query = {
        "patient": theirs["patient_id"], "order": theirs["order_id"], "renew": theirs["order_id"],
        "appointment": theirs["coming"], "moved": theirs["coming"], "nurse": theirs["nurse_id"],
        "chair": theirs["chair_id"], "dose": theirs["signed"], "person": theirs["person_id"],
        "entry": theirs["entry_id"], "freed": theirs["coming"], "product": "none", "lot": "LOTFaraway",
        "q": "farawa", "mrn": "FAR-000", "quarter": str(FIRST + 10), "state": "all", "list": "all",
    }  # fmt: skip
    clients = {role: client_of(role.value) for role in Role}
    queries = [query | {"visit": theirs["coming"]}, {"site": theirs["site_id"]}]
    rules = {name: pattern for _, name, pattern in all_patterns()}
    for name, address in foreign.own_addresses(world):
        role = one_who_may(rules[name])
        if role is None or not access_rule(rules[name]).signed_in:
            continue
        for one in queries:
            page, asked = clients[role].get(address, one), asked + 1
            content = b"".join(page.streaming_content) if page.streaming else page.content
            shown = [
                word
                for word in MARKERS
                if word.encode() in content.replace(b"LOTFaraway", b"") or word in str(page.headers)
            ]
            if shown or page.status_code >= 500:
                wrong[name, *one] = (page.status_code, shown)
    record_property("foreign queries", asked)
    assert wrong == {}


FORMS = [
    # role, page, its own things, what the form sends of the other site's
    ("nurse", "doses:medication-add", ["appointment_id"], {"reaction": "reaction_id"}),
    ("nurse", "checklists:checklist-confirm", ["run_id", "code"], {"report": "report"}),
    ("nurse", "doses:late-reaction-create", ["patient_id"], {"record": "signed"}),
    ("nurse", "reminders:after-care-call", ["appointment_id"], {"upto": "unwell"}),
    ("scheduler", "scheduling:appointment-book", ["order_id"], {"chair": "chair_id", "nurse": "nurse_id"}),
    ("scheduler", "scheduling:reseat-book", ["order_id"], {"chair": "chair_id", "nurse": "nurse_id"}),
    ("scheduler", "scheduling:move-preview", ["coming"], {"chair": "chair_id", "nurse": "nurse_id"}),
    ("scheduler", "scheduling:preference-edit", ["patient_id"], {"nurse": "nurse_id"}),
    ("scheduler", "scheduling:waitlist-add", ["order_id"], {"site": "site_id", "instead_of": "coming"}),
    ("scheduler", "scheduling:waitlist-entry", ["entry_id"], {"site": "site_id", "instead_of": "coming"}),
    ("scheduler", "scheduling:slot-offer", ["coming"], {"entry": "entry_id"}),
    ("scheduler", "scheduling:cover-plan", [], {"chosen": "coming", "visit": "coming"}),
    ("pharmacist", "orders:order-visits", ["order_id"], {"visit": "coming"}),
    ("pharmacist", "orders:order-stop", ["order_id"], {"other": "order_id"}),
    ("scheduler", "facility:site-choose", [], {"site": "site_id"}),
    ("manager", "facility:member-add", [], {"user": "user_id"}),
    ("manager", "facility:nurse-create", [], {"user": "user_id"}),
    ("manager", "facility:shift-create", [], {"nurse": "nurse_id"}),
    ("nurse", "stock:receive", [], {"site": "site_id"}),
]  # fmt: skip
LATE = {"grade": "1", "onset_on": "2026-11-23", "action": "Watched", "learned_from": "Phone", "minutes_ago": "0"}
BOOKED = {"day": "2026-11-30", "time": "10:00", "setting": "facility", "token": "t", "quarter": str(FIRST + 10)}
WAITS = {"first_on": "2026-11-30", "last_on": "2026-12-04", "notice_hours": "24", "decision": "move"}
SHIFT = {"days": "2026-11-30", "starts": "08:00", "ends": "12:00", "ratio": "4"}


@pytest.mark.parametrize(("role", "name", "parts", "typed"), FORMS, ids=[form[1] for form in FORMS])
def test_ids_of_another_site_in_a_form_write_nothing(client_of, world, role, name, parts, typed):
    client, before = client_of(role), everything()
    own = world.ours | {"code": "urine-normal"}
    data = TYPED | LATE | BOOKED | WAITS | SHIFT | {field: world.theirs[value] for field, value in typed.items()}
    answer = client.post(reverse(name, args=[own[part] for part in parts]), data)
    after = everything()
    events = after.pop("AuditEvent")[len(before.pop("AuditEvent")) :]
    assert after == before
    assert {row["action"] for row in events} - {"chart.opened", "list.opened"} == set()
    assert (answer.status_code in (200, 302, 404), [word for word in MARKERS if word in answer.content.decode()]) == (
        True,
        [],
    )


def test_the_admin_shows_superusers_their_own_sites_only(world):
    manager = world.staff["manager"]
    manager.is_staff = manager.is_superuser = True
    manager.save()
    client, wrong = Client(), {}
    force_login(client, manager)
    for name in [name for _, name, _ in all_patterns() if name.startswith("admin:") and name.endswith("_changelist")]:
        page = client.get(reverse(name)).content.decode()
        if shown := [word for word in MARKERS if word in page]:
            wrong[name] = shown
    assert wrong == {}
    patient, order = world.theirs["patient_id"], world.theirs["order_id"]
    rows = {
        "patients_patient": ("patients.Patient", patient),
        "infusions_infusionorder": ("infusions.InfusionOrder", order),
    }
    for name, (label, public_id) in rows.items():
        pk = foreign.apps.get_model(label).objects.get(public_id=public_id).pk
        assert client.get(reverse(f"admin:{name}_change", args=[pk])).status_code == 404
