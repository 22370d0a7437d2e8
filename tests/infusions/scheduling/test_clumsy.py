"""Every scheduling page, sent junk: no error of the server, and nothing half-written. A fixed seed, some seconds."""

import os

import pytest
from django.urls import reverse

from infusions.scheduling.invariants import claim_violations, shared_lanes
from infusions.scheduling.models import Appointment
from infusions.scheduling.states import State
from infusions.scheduling.work_lists import BY_SLUG
from tests.factories.accounts import make_staff
from tests.factories.facility import make_site
from tests.factories.orders import make_order
from tests.factories.scheduling import make_appointment
from tests.factories.waitlist import make_entry, make_offer
from tests.infusions.scheduling.clumsy import Clumsy, Fields, pages_of
from tests.infusions.scheduling.conftest import DAY, make_center, signed_in
from tests.infusions.scheduling.machine_checks import changes, snapshot

pytestmark = pytest.mark.django_db

# More by hand: CLUMSY_ROUNDS=60 CLUMSY_SEED=7.
ROUNDS = int(os.environ.get("CLUMSY_ROUNDS", "2"))
SEED = int(os.environ.get("CLUMSY_SEED", "1"))
FEATURES = os.environ.get("CLUMSY_FEATURES", "scheduling").split(",")
ROLES = ["scheduler", "manager", "nurse", "pharmacist"]


def scene():
    """A center with visits in every state, an order that repeats, and another center that nobody here may see."""
    center = make_center(chairs=3, nurses=3)
    orders = [make_order(infusion_minutes=60, interval_days=7, tolerance_days=3, days=days) for days in (1, 1, 2)]
    seats = [*zip(center.chairs, center.nurses, strict=True)] * 2
    states = [State.EXPECTED, State.CONFIRMED, State.ARRIVED, State.EXPECTED, State.CANCELLED, State.NO_SHOW]
    visits = [
        make_appointment(chair=chair, nurse=nurse, day=DAY, at="08:00" if number < 3 else "13:00", state=state)
        for number, ((chair, nurse), state) in enumerate(zip(seats, states, strict=True))
    ]
    elsewhere = make_appointment(site=make_site())
    entries = [make_entry(order=order, site=center.site) for order in orders]
    make_offer(entry=entries[0], start=center.at("13:00"))
    known = {
        "entry_id": [entry.public_id for entry in entries],
        "order_id": [order.public_id for order in orders] + [visits[0].order.public_id],
        "appointment_id": [visit.public_id for visit in visits],
        "patient_id": [visits[0].patient.public_id],
        "slug": list(BY_SLUG),
        "nurse_id": [nurse.public_id for nurse in center.nurses],
        "chair_id": [chair.public_id for chair in center.chairs],
    }
    theirs = make_entry(site=elsewhere.site, order=elsewhere.order)
    foreign = [
        theirs.public_id,
        elsewhere.public_id,
        elsewhere.chair.public_id,
        elsewhere.nurse.public_id,
        elsewhere.site.public_id,
    ]
    own = [center.site.public_id, center.chairs[0].public_id, center.nurses[0].public_id]
    return center, known, foreign + own, elsewhere


@pytest.mark.parametrize("role", ROLES)
def test_no_page_falls_over_whatever_is_sent_and_nothing_is_half_written(role):
    center, known, foreign, elsewhere = scene()
    user = center.scheduler if role == "scheduler" else make_staff(role=role, site=center.site)
    person = Clumsy(signed_in(user), known, foreign, seed=SEED)
    before, theirs = snapshot(), Appointment.objects.filter(pk=elsewhere.pk).values().get()
    rounds = ROUNDS if role == "scheduler" else max(1, ROUNDS // 2)
    answers = [person.send_once(name, parts) for _ in range(rounds) for name, parts in pages_of(*FEATURES)]
    assert [told for status, told in answers if status >= 500] == []
    assert (claim_violations(), shared_lanes()) == ([], [])
    assert Appointment.objects.filter(pk=elsewhere.pk).values().get() == theirs
    told = {event.target_id for event in before.events() if event.action != "chart.opened"}
    assert [pk for pk, (_, row) in changes(before, snapshot()).items() if row["public_id"] not in told] == []


def test_looking_at_a_page_changes_nothing():
    """Whatever its own forms would send, sent by GET; mail scanners and prefetching browsers follow links."""
    center, known, _, _ = scene()
    person = Clumsy(signed_in(center.scheduler), {**known}, [], seed=SEED)
    before, changed = snapshot(), []
    for name, parts in pages_of("scheduling"):
        if not all(part in known for part in parts):
            continue
        address = reverse(name, kwargs={part: known[part][0] for part in parts})
        page = person.client.get(address)
        person.client.get(address, Fields(page.content.decode()).found if page.status_code == 200 else {})
        after = snapshot()
        if (after.visits, after.claims, after.others) != (before.visits, before.claims, before.others):
            changed.append(name)
    assert changed == []
