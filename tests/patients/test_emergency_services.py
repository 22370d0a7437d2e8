"""Breaking the glass: who finds whom, for how long it opens, who is told, and that nobody can rewrite it."""

import datetime as dt

import pytest
from django.db import IntegrityError, transaction

from infusion_center.accounts.models import RoleGrant
from infusion_center.accounts.roles import Role
from infusion_center.audit.models import AuditEvent
from infusion_center.core import clock
from infusion_center.core.rules import RuleViolation
from patients.emergency_models import EmergencyAccess, EmergencyNotice
from patients.emergency_queries import open_access, opened_during
from patients.emergency_rules import MOST_FOUND, MOST_WRONG_TRIES, OPEN_FOR
from patients.emergency_services import (
    close_emergency_access,
    extend_emergency_access,
    find_for_emergency,
    open_emergency_access,
    review_emergency_access,
)
from patients.models import Patient
from tests.factories.accounts import make_staff
from tests.factories.emergency import WORDS, make_access
from tests.factories.facility import make_site
from tests.factories.patients import make_patient

pytestmark = pytest.mark.django_db
BORN = dt.date(1961, 3, 12)
HOUR, MINUTE = dt.timedelta(hours=1), dt.timedelta(minutes=1)


@pytest.fixture
def far_site(site):
    return make_site(name="Far away")


@pytest.fixture
def patient(far_site):
    return make_patient(
        site=far_site, mrn="FAR-77", given_name="José", family_name="Núñez-Díaz", date_of_birth=BORN, kg=None
    )


def open_for(patient, user, **fields):
    return open_emergency_access(patient=patient, by=user, **{"kind": "danger", "reason": WORDS} | fields)


def actions(user) -> list[str]:
    return list(AuditEvent.objects.by_user(user).order_by("id").values_list("action", flat=True))


@pytest.mark.parametrize(
    "typed",
    [
        {"mrn": "far-77"},
        {"family_name": "nunez-diaz", "date_of_birth": BORN},
        {"family_name": "NÚÑEZ-DÍAZ", "date_of_birth": BORN, "given_name": "jose"},
    ],
)
def test_find_takes_the_whole_number_or_the_whole_name(patient, nurse_user, typed):
    assert find_for_emergency(by=nurse_user, **typed) == patient
    event = AuditEvent.objects.get()
    assert (event.action, event.patient_id, event.actor_id) == ("emergency.found", patient.public_id, nurse_user.pk)


@pytest.mark.parametrize(
    "typed",
    [
        {},
        {"mrn": "FAR-7"},
        {"mrn": "%"},
        {"family_name": "Núñez", "date_of_birth": BORN},
        {"family_name": "Núñez-Díaz"},
        {"family_name": "Núñez-Díaz", "date_of_birth": BORN + dt.timedelta(days=1)},
        {"family_name": "Núñez-Díaz", "date_of_birth": BORN, "given_name": "Jo"},
    ],
)
def test_find_tells_nothing_of_a_part_and_counts_the_try(patient, nurse_user, typed):
    assert find_for_emergency(by=nurse_user, **typed) is None
    [event] = AuditEvent.objects.values("action", "patient_id", "detail")
    assert event["action"] == "emergency.not_found"
    assert (event["patient_id"], set(event["detail"])) == ("", {"sought_by", "several"})


def test_find_asks_for_more_where_twins_fit(patient, far_site, nurse_user):
    twin = make_patient(site=far_site, given_name="Ana", family_name="Núñez-Díaz", date_of_birth=BORN, kg=None)
    named = {"family_name": "Núñez-Díaz", "date_of_birth": BORN}
    with pytest.raises(RuleViolation) as refused:
        find_for_emergency(by=nurse_user, **named)
    assert (refused.value.codes, actions(nurse_user)) == ({"several-fit"}, ["emergency.not_found"])
    assert find_for_emergency(by=nurse_user, given_name="Ana", **named) == twin


def test_find_ends_after_some_wrong_tries_for_an_hour_also_for_who_is_right_then(patient, nurse_user, time_machine):
    start = clock.now()
    time_machine.move_to(start, tick=False)
    for _ in range(MOST_WRONG_TRIES):
        assert find_for_emergency(by=nurse_user, mrn="WRONG") is None
    with pytest.raises(RuleViolation) as refused:
        find_for_emergency(by=nurse_user, mrn=patient.mrn)
    assert (refused.value.codes, len(actions(nurse_user))) == ({"too-many-tries"}, MOST_WRONG_TRIES)
    time_machine.move_to(start + HOUR + MINUTE, tick=False)
    assert find_for_emergency(by=nurse_user, mrn=patient.mrn) == patient


def test_find_shows_five_different_patients_an_hour_and_these_again(patient, far_site, nurse_user, time_machine):
    start = clock.now()
    time_machine.move_to(start, tick=False)
    known = [make_patient(site=far_site, mrn=f"FAR-{number}", kg=None) for number in range(1, MOST_FOUND + 1)]
    for one in [*known, *known]:
        assert find_for_emergency(by=nurse_user, mrn=one.mrn) == one
    answers = []
    for mrn in (patient.mrn, "NOBODY"):
        with pytest.raises(RuleViolation) as refused:
            find_for_emergency(by=nurse_user, mrn=mrn)
        answers.append(refused.value.codes)
    assert answers == [{"too-many-found"}] * 2  # whether anybody is there is not told
    assert actions(nurse_user) == ["emergency.found"] * 2 * MOST_FOUND
    assert find_for_emergency(by=nurse_user, mrn=known[0].mrn) == known[0]
    time_machine.move_to(start + HOUR + MINUTE, tick=False)
    assert find_for_emergency(by=nurse_user, mrn=patient.mrn) == patient


def test_schedulers_can_neither_find_nor_open(patient, scheduler):
    for act in (lambda: find_for_emergency(by=scheduler, mrn=patient.mrn), lambda: open_for(patient, scheduler)):
        with pytest.raises(RuleViolation) as refused:
            act()
        assert refused.value.codes == {"may-not-break-glass"}
    assert (EmergencyAccess.objects.count(), actions(scheduler)) == (0, [])


def test_open_shows_that_patient_to_that_person_for_an_hour(patient, far_site, nurse_user, pharmacist, manager):
    other = make_patient(site=far_site, kg=None)
    now = clock.now()
    access = open_for(patient, nurse_user, now=now)

    def readable(user, at):
        return set(Patient.objects.readable_by(user, at).filter(pk__in=[patient.pk, other.pk]))

    assert (access.opened_at, access.ends_at, access.user, access.kind, access.reason) == (
        now,
        now + OPEN_FOR,
        nurse_user,
        "danger",
        WORDS,
    )
    assert readable(nurse_user, now) == readable(nurse_user, now + OPEN_FOR - MINUTE) == {patient}
    assert readable(nurse_user, now + OPEN_FOR) == readable(pharmacist, now) == readable(manager, now) == set()
    assert not Patient.objects.visible_to(nurse_user).filter(pk=patient.pk).exists()
    event = AuditEvent.objects.get(action="emergency.opened")
    assert (event.patient_id, event.detail) == (
        patient.public_id,
        {"reason": "danger", "emergency": access.public_id},
    )


def test_who_loses_the_role_loses_the_access(patient, nurse_user):
    access = open_for(patient, nurse_user)
    RoleGrant.objects.filter(user=nurse_user).update(revoked_at=clock.now())
    person = type(nurse_user).objects.get(pk=nurse_user.pk)
    assert open_access(person, patient, access.opened_at) is None
    assert not Patient.objects.readable_by(person, access.opened_at).filter(pk=patient.pk).exists()


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"reason": "  too \n short "}, "reason-too-short"),
        ({"kind": "curious"}, "unknown-reason"),
    ],
)
def test_open_needs_a_reason_in_words(patient, nurse_user, fields, code):
    with pytest.raises(RuleViolation) as refused:
        open_for(patient, nurse_user, **fields)
    assert (refused.value.codes, EmergencyAccess.objects.count(), actions(nurse_user)) == ({code}, 0, [])


def test_open_refuses_a_patient_of_ones_own_site_and_a_second_time(site, patient, nurse_user):
    with pytest.raises(RuleViolation) as refused:
        open_for(make_patient(site=site, kg=None), nurse_user)
    assert refused.value.codes == {"chart-open-anyway"}
    open_for(patient, nurse_user)
    with pytest.raises(RuleViolation) as refused:
        open_for(patient, nurse_user)
    assert (refused.value.codes, EmergencyAccess.objects.count()) == ({"already-open"}, 1)


def test_extend_adds_an_hour_once_while_it_is_open(patient, nurse_user):
    now = clock.now()
    first = open_for(patient, nurse_user, now=now)
    more = {"kind": "asked", "reason": "Still unstable after the first hour", "by": nurse_user}
    second = extend_emergency_access(access=first, now=now + 50 * MINUTE, **more)
    assert (second.extends, second.opened_at, second.ends_at) == (first, now + 50 * MINUTE, now + 2 * OPEN_FOR)
    assert open_access(nurse_user, patient, now + 100 * MINUTE) == second
    for access in (first, second):
        with pytest.raises(RuleViolation) as refused:
            extend_emergency_access(access=access, now=now + 55 * MINUTE, **more)
        assert refused.value.codes == {"extended-once"}
    assert EmergencyAccess.objects.count() == 2


def test_extend_refuses_what_is_over_and_what_is_somebody_elses(patient, nurse_user, pharmacist):
    now = clock.now()
    access = open_for(patient, nurse_user, now=now)
    more = {"access": access, "kind": "asked", "reason": WORDS}
    for by, at, code in ((nurse_user, now + OPEN_FOR, "access-over"), (pharmacist, now, "not-ones-own")):
        with pytest.raises(RuleViolation) as refused:
            extend_emergency_access(by=by, now=at, **more)
        assert refused.value.codes == {code}
    assert EmergencyAccess.objects.count() == 1


def test_close_ends_the_access_and_its_extension(patient, nurse_user, pharmacist):
    now = clock.now()
    first = open_for(patient, nurse_user, now=now)
    extend_emergency_access(access=first, kind="asked", reason=WORDS, by=nurse_user, now=now + MINUTE)
    with pytest.raises(RuleViolation):
        close_emergency_access(access=first, by=pharmacist, now=now + 2 * MINUTE)
    assert close_emergency_access(access=first, by=nurse_user, now=now + 2 * MINUTE) == 2
    assert open_access(nurse_user, patient, now + 2 * MINUTE) is None
    assert close_emergency_access(access=first, by=nurse_user, now=now + 3 * MINUTE) == 0


def test_review_is_made_once_and_never_of_ones_own(patient, manager, nurse_user):
    own, access = make_access(patient=patient, user=manager), make_access(patient=patient, user=nurse_user)
    with pytest.raises(RuleViolation) as refused:
        review_emergency_access(access=own, note="All well", by=manager)
    assert refused.value.codes == {"own-access"}
    reviewed = review_emergency_access(access=access, note="Patient  had collapsed.", by=manager)
    assert (reviewed.reviewed_by, reviewed.review_note) == (manager, "Patient had collapsed.")
    with pytest.raises(RuleViolation) as refused:
        review_emergency_access(access=access, note="Again", by=make_staff(role=Role.MANAGER))
    assert refused.value.codes == {"reviewed-already"}
    assert list(EmergencyAccess.objects.unreviewed()) == [own]


@pytest.mark.parametrize(
    "change",
    [
        {"reason": "Something nicer"},
        {"ends_at": dt.datetime(2100, 1, 1, tzinfo=dt.UTC)},
        {"closed_at": None},
        {"review_note": "Nothing to see"},
        {"reviewed_at": None, "reviewed_by": None, "review_note": ""},
    ],
)
def test_database_refuses_to_rewrite_an_access(patient, nurse_user, manager, change):
    access = make_access(patient=patient, user=nurse_user)
    close_emergency_access(access=access, by=nurse_user)
    review_emergency_access(access=access, note="As it was", by=manager)
    before = EmergencyAccess.objects.values().get()
    with pytest.raises(IntegrityError), transaction.atomic():
        EmergencyAccess.objects.filter(pk=access.pk).update(**change)
    assert EmergencyAccess.objects.values().get() == before


def test_database_refuses_to_delete_an_access_and_its_notices(patient, nurse_user, manager):
    access = make_access(patient=patient, user=nurse_user)
    EmergencyNotice.objects.create(access=access, manager=manager, tried_at=clock.now(), was_sent=True)
    for rows in (EmergencyNotice.objects.all(), EmergencyAccess.objects.all()):
        with pytest.raises(IntegrityError), transaction.atomic():
            rows._raw_delete(rows.db)
    assert (EmergencyAccess.objects.count(), EmergencyNotice.objects.count()) == (1, 1)


def test_opened_during_is_what_the_trail_marked(patient, nurse_user):
    access = open_for(patient, nurse_user)
    close_emergency_access(access=access, by=nurse_user)
    assert [event.action for event in opened_during(access)] == ["emergency.opened", "emergency.closed"]
