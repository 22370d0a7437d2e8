import datetime as dt
from contextlib import contextmanager
from decimal import Decimal

import pytest
from django.db import DatabaseError, connection, transaction

from infusion_center.core.rules import RuleViolation
from infusions.doses.course import course_of
from infusions.doses.medication_models import MedicationGiven
from infusions.doses.models import DoseAmendment, DoseRecord, DoseState, Phase
from infusions.doses.reaction_models import ReactionStep
from infusions.doses.services import (
    add_vial,
    amend_dose,
    change_rate,
    end_infusion,
    record_advice,
    record_medication,
    record_reaction,
    record_vital_signs,
    sign_dose,
)
from infusions.doses.signing import is_intact, signed_content
from infusions.scheduling.states import State
from tests.factories.doses import make_dose_record
from tests.factories.orders import make_order
from tests.infusions.doses.conftest import at


@pytest.fixture
def ended(make_visit):
    return make_dose_record(make_visit(state=State.COMPLETED, order=make_order()), state=DoseState.ENDED)


@pytest.fixture
def signed(ended, nurse_user):
    record_reaction(record=ended, kind="headache", grade=1, action="Slowed", by=nurse_user, now=ended.ended_at)
    flush(ended, nurse_user)
    sign_dose(record=ended, by=nurse_user, now=at(300))
    return amend_dose(
        record=ended, concerns="Notes", text="Headache gone", reason="Call", by=nurse_user, now=at(400)
    ).record


def test_sign_dose_closes_the_record_and_counts_the_dose(ended, nurse_user):
    sign_dose(record=ended, notes="Well tolerated", by=nurse_user, now=at(300))
    ended.refresh_from_db()
    ended.order.refresh_from_db()
    assert (ended.state, ended.signed_by, ended.signed_at, ended.signed_name, ended.notes) == (
        DoseState.SIGNED,
        nurse_user,
        at(300),
        nurse_user.full_name,
        "Well tolerated",
    )
    assert (ended.order.doses_given, ended.order.last_dose_on) == (1, dt.date(2026, 11, 23))
    assert is_intact(DoseRecord.objects.get(pk=ended.pk))


def test_signed_content_names_every_vial_with_lot_and_expiry(ended):
    content = signed_content(course_of(ended))
    assert [(vial["grams"], vial["lot"], vial["expires_on"]) for vial in content["vials"]] == [
        ("20", "LOT1", "2027-11-23"),
        ("10", "LOT1", "2027-11-23"),
    ]


@pytest.mark.parametrize("phase", [Phase.BASELINE, Phase.END])
def test_sign_dose_refuses_without_vital_signs_before_and_at_the_end(ended, nurse_user, phase):
    ended.vital_signs.filter(phase=phase).update(pulse=None)
    with pytest.raises(RuleViolation) as refused:
        sign_dose(record=ended, by=nurse_user)
    ended.refresh_from_db()
    ended.order.refresh_from_db()
    assert refused.value.codes == {f"vital-signs-{phase}-missing"}
    assert (ended.state, ended.order.doses_given) == (DoseState.ENDED, 0)


def test_sign_dose_refuses_while_the_patient_is_observed(make_visit, nurse_user):
    record = make_dose_record(make_visit(state=State.IN_PROGRESS), state=DoseState.OBSERVING)
    with pytest.raises(RuleViolation) as refused:
        sign_dose(record=record, by=nurse_user)
    assert refused.value.codes == {"wrong-state"}


def test_sign_dose_twice_counts_one_dose(ended, nurse_user):
    sign_dose(record=ended, by=nurse_user)
    with pytest.raises(RuleViolation):
        sign_dose(record=ended, by=nurse_user)
    ended.order.refresh_from_db()
    assert ended.order.doses_given == 1


def flush(record, by):
    saline = {"purpose": "flush", "name": "0.9% saline", "dose": Decimal(50), "unit": "mL", "route": "iv"}
    return record_medication(record=record, **saline, by=by, now=record.ended_at)


@pytest.fixture
def whole_record(ended, nurse_user):
    """Signed with a part of every kind."""
    now = ended.ended_at
    reaction = record_reaction(record=ended, kind="rash", grade=1, action="Slowed", by=nurse_user, now=now)
    ReactionStep.objects.create(
        record=ended, reaction=reaction, kind="slowed", at=now, recorded_at=now, recorded_by=nurse_user
    )
    flush(ended, nurse_user)
    record_advice(record=ended, by=nurse_user, now=now)
    DoseRecord.objects.filter(pk=ended.pk).update(second_checked={"dose": "30 g"})
    return sign_dose(record=DoseRecord.objects.get(pk=ended.pk), by=nurse_user, now=at(300))


def again(record) -> DoseRecord:
    return DoseRecord.objects.get(pk=record.pk)


def test_a_whole_record_is_signed_with_the_second_version_and_verifies(whole_record):
    assert (whole_record.hash_version, is_intact(again(whole_record))) == (2, True)


def test_a_record_signed_before_verifies_with_the_first_version(make_visit):
    """No column or table that came later counts in it."""
    earlier = make_dose_record(make_visit(state=State.COMPLETED, order=make_order()), state=DoseState.SIGNED)
    assert (earlier.hash_version, is_intact(again(earlier))) == (None, True)
    content = signed_content(course_of(again(earlier)))
    later = {"medications", "reaction_steps"} & set(content) | {"second_checked", "advice_at"} & set(content["fields"])
    assert (later, "out_of_fridge_on" in content["vials"][0]) == (set(), False)


TAMPERINGS = [
    ("infusions_medicationgiven", "dose", "500"),
    ("infusions_medicationgiven", "name", "Heparin"),
    ("infusions_reactionstep", "kind", "resolved"),
    ("infusions_reaction", "volume_ml", "7"),
    ("infusions_reaction", "lots", '["OTHER"]'),
    ("infusions_vialused", "out_of_fridge_on", "2026-11-01"),
    ("infusions_doserecord", "second_checked", '{"dose": "40 g"}'),
    ("infusions_doserecord", "advice_mailed", True),
    ("infusions_doserecord", "hash_version", None),
]


@pytest.mark.parametrize(("table", "column", "value"), TAMPERINGS)
def test_whoever_gets_past_the_triggers_is_found_by_the_hash(whole_record, table, column, value):
    with without_triggers(table), connection.cursor() as cursor:
        cursor.execute(f"UPDATE {table} SET {column} = %s", [value])
    assert is_intact(again(whole_record)) is False


def test_a_medication_taken_out_or_put_in_is_found_by_the_hash(whole_record, nurse_user):
    with without_triggers("infusions_medicationgiven"):
        given = MedicationGiven.objects.get()
        given.delete()
        without = is_intact(again(whole_record))
        given.save(force_insert=True)
        back = is_intact(again(whole_record))
        given.pk, given.public_id = None, "another"
        given.save(force_insert=True)
    assert (without, back, is_intact(again(whole_record))) == (False, True, False)


@contextmanager
def without_triggers(table):
    """As an administrator of the database could do it; undone with the test's transaction."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL session_replication_role = replica")
        else:
            cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = %s", [table])
            for (name,) in cursor.fetchall():
                cursor.execute(f'DROP TRIGGER "{name}"')
    yield


SIGNED_TABLES = [
    ("infusions_doserecord", "notes"),
    ("infusions_vialused", "lot"),
    ("infusions_ratechange", "reason"),
    ("infusions_vitalsigns", "phase"),
    ("infusions_reaction", "action"),
    ("infusions_medicationgiven", "name"),
    ("infusions_doseamendment", "text"),
]


@pytest.mark.parametrize(("table", "column"), SIGNED_TABLES)
@pytest.mark.parametrize("statement", ["UPDATE {table} SET {column} = 'x'", "DELETE FROM {table}"])
def test_a_signed_record_resists_raw_sql(signed, table, column, statement):
    before = whole(table)
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement.format(table=table, column=column))
    assert (len(before) > 0, whole(table)) == (True, before)


@pytest.mark.parametrize("table", ["infusions_vialused", "infusions_ratechange", "infusions_vitalsigns"])
def test_a_signed_record_takes_no_further_rows_by_raw_sql(signed, table):
    before = whole(table)
    columns = ", ".join(f'"{name}"' for name in columns_of(table) if name not in ("id", "public_id"))
    copy = f"INSERT INTO {table} (public_id, {columns}) SELECT 'copy', {columns} FROM {table} LIMIT 1"
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(copy)
    assert whole(table) == before


def columns_of(table) -> list[str]:
    with connection.cursor() as cursor:
        return [column.name for column in connection.introspection.get_table_description(cursor, table)]


def whole(table) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {table} ORDER BY id")
        return cursor.fetchall()


@pytest.mark.parametrize("table", ["infusions_vialused", "infusions_ratechange", "infusions_vitalsigns"])
def test_no_row_is_carried_over_into_a_signed_record_by_raw_sql(signed, make_visit, table):
    other = make_dose_record(make_visit(state=State.IN_PROGRESS))
    before = whole(table)
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE {table} SET record_id = %s WHERE record_id = %s", [signed.pk, other.pk])
    assert whole(table) == before


def test_no_service_changes_a_signed_record(signed, nurse_user):
    product = signed.product
    acts = [
        lambda: add_vial(
            record=signed, grams=product.vial_sizes.first().grams, lot="L", expires_on=None, by=nurse_user
        ),
        lambda: change_rate(record=signed, rate_ml_per_h=signed.max_rate_ml_per_h, by=nurse_user),
        lambda: record_vital_signs(record=signed, pulse=70, by=nurse_user),
        lambda: record_reaction(record=signed, kind="rash", grade=1, action="None", by=nurse_user),
        lambda: end_infusion(record=signed, stop_reason="x", by=nurse_user),
    ]
    for act in acts:
        with pytest.raises(RuleViolation):
            act()
    assert is_intact(DoseRecord.objects.get(pk=signed.pk))


def test_amend_dose_adds_a_row_and_leaves_the_record(signed, nurse_user):
    amendment = DoseAmendment.objects.get()
    assert (amendment.concerns, amendment.text, amendment.reason, amendment.amended_at, amendment.amended_by) == (
        "Notes",
        "Headache gone",
        "Call",
        at(400),
        nurse_user,
    )
    assert is_intact(DoseRecord.objects.get(pk=signed.pk))


@pytest.mark.parametrize(
    ("values", "code"), [({"text": " "}, "amendment-empty"), ({"reason": ""}, "amendment-reason-missing")]
)
def test_amend_dose_refuses(signed, nurse_user, values, code):
    with pytest.raises(RuleViolation) as refused:
        amend_dose(record=signed, by=nurse_user, **{"concerns": "Notes", "text": "t", "reason": "r"} | values)
    assert refused.value.codes == {code}
    assert DoseAmendment.objects.count() == 1


def test_amend_dose_refuses_an_unsigned_record(ended, nurse_user):
    with pytest.raises(RuleViolation) as refused:
        amend_dose(record=ended, concerns="Notes", text="t", reason="r", by=nurse_user)
    assert refused.value.codes == {"not-signed"}
