"""Patients from a sheet: what would happen is told row by row, the chosen rows are registered once each."""

import datetime as dt
from decimal import Decimal

import pytest
import time_machine
from django.db import OperationalError

from infusion_center.audit.models import AuditEvent
from infusion_center.core import clock
from infusion_center.core.rules import RuleViolation
from patients import import_cells as cells
from patients.import_checking import check_rows
from patients.import_models import ImportRow, PatientImport
from patients.import_services import choose_rows, counts_of, forget_old_imports, register_chosen, say_date_order
from patients.models import Allergy, ContactPreference, Patient, RiskFactor, SearchKey, Weight
from tests.factories.facility import make_site
from tests.factories.patients import make_patient
from tests.patients.sheets import kept, line

pytestmark = pytest.mark.django_db


def told(upload) -> list[tuple]:
    return [(r.line, r.state, r.is_chosen, [p["code"] for p in r.problems]) for r in upload.rows.all()]


def test_checking_tells_what_would_happen_and_writes_no_patient(manager, site):
    make_patient(mrn="TAKEN", given_name="Old", family_name="Pine", date_of_birth=dt.date(1961, 3, 12), site=site)
    upload = kept(
        line(1),
        line(2, MRN="taken"),
        line(3, **{"Last name": "Pyne", "First name": "Old", "DOB": "12-Mar-1961"}),
        line(4, Sex="?", Email="nobody"),
        line(5, **{"Weight kg": "700", "Weighed on": "2020-01-02"}),
        line(6, **{"Weight kg": "20", "Weighed on": "2020-01-02"}),
        line(7, **{"Weight kg": "70"}),
        line(8, **{"First name": ""}),
        line(9, **{"Email allowed": "yes"}),
        by=manager,
        site=site,
    )
    assert told(upload) == [
        (2, "new", True, []),
        (3, "error", False, ["mrn-taken"]),
        (4, "ask", False, ["possible-duplicate"]),
        (5, "error", False, ["unreadable"]),
        (6, "error", False, ["weight-out-of-range"]),
        (7, "ask", False, ["weight-implausible-for-age"]),
        (8, "error", False, ["weight-undated"]),
        (9, "error", False, ["cell-missing"]),
        (10, "error", False, ["consent-without-email"]),
    ]
    assert Patient.objects.count() == 1


def test_checking_asks_what_recording_the_first_facts_would_be_refused_for(manager, site):
    dated = {"Email": "a@patients.example.org", "Email allowed": "no", "Asked on": "2099-01-01"}
    rows = (line(1, **{"Other allergy": "x" * 201}), line(2, **dated), line(3, **{"Other allergy": "x" * 200}))
    upload = kept(*rows, by=manager, site=site)
    assert told(upload) == [
        (2, "error", False, ["allergy-too-long"]),
        (3, "error", False, ["decided-in-future"]),
        (4, "new", True, []),
    ]


def test_a_row_that_fails_in_a_way_nobody_foresaw_is_an_error_and_the_others_go_on(manager, site, monkeypatch):
    def save(allergy):
        allergy.text = None  # refused by the database itself
        allergy.save(force_insert=True)

    upload = kept(line(1, **{"Other allergy": "Bees"}), line(2), by=manager, site=site)
    monkeypatch.setattr("patients.facts._create_once", save)
    assert register_chosen(upload=upload, by=manager) == 0
    assert told(upload) == [(2, "error", False, ["row-failed"]), (3, "done", False, [])]
    assert list(Patient.objects.values_list("mrn", flat=True)) == ["S2"]


def test_a_busy_database_leaves_the_row_to_be_tried_again(manager, site, monkeypatch):
    def busy(**fields):
        raise OperationalError("database is locked")

    upload = kept(line(1), by=manager, site=site)
    with monkeypatch.context() as patched, pytest.raises(OperationalError):
        patched.setattr("patients.import_resource.register_patient", busy)
        register_chosen(upload=upload, by=manager)
    assert told(upload) == [(2, "new", True, [])]
    assert (register_chosen(upload=upload, by=manager), Patient.objects.count()) == (0, 1)


def test_rows_that_may_be_one_person_are_told_of_each_other(manager, site):
    same = {"Last name": "Twin", "DOB": "1961-03-12"}
    upload = kept(line(1), line(2, MRN="S1"), line(3, **same), line(4, **same), by=manager, site=site)
    assert told(upload) == [
        (2, "error", False, ["mrn-taken"]),
        (3, "error", False, ["mrn-taken"]),
        (4, "ask", False, ["possible-duplicate"]),
        (5, "ask", False, ["possible-duplicate"]),
    ]


def test_of_another_sites_patient_nothing_is_told_but_that_there_is_one(manager, site):
    born = dt.date(1961, 3, 12)
    make_patient(mrn="THEIRS", given_name="Ada", family_name="Secret", date_of_birth=born, site=make_site())
    upload = kept(line(1, MRN="THEIRS"), line(2, **{"Last name": "Secret", "DOB": "1961-03-12"}), by=manager, site=site)
    messages = [problem["message"] for row in upload.rows.all() for problem in row.problems]
    assert AuditEvent.objects.get(action="patient_import.checked").detail["found_elsewhere"] == 1
    assert messages == ["Another site has this MRN.", "Another site has a patient like this one."]


WHOLE = {
    "Email": "ADA@patients.example.org",
    "Phone": "'+1 212 555 0123",
    "Email allowed": "yes",
    "Calls allowed": "no",
    "Asked on": "2024-05-06",
    "Weight lb": "160",
    "Weighed on": "5/6/2024",
    "Height in": "66",
    "Allergies": "Latex allergy; corn",
    "Other allergy": "Bees",
    "Risks": "Sepsis",
    "Language": "Spanish",
    "ICD-10-CM": "d839",
}


def test_registering_a_row_does_all_that_registering_does(manager, site):
    upload = kept(line(1, **WHOLE), line(2, DOB="12/25/1961"), by=manager, site=site, is_test=True)
    assert register_chosen(upload=upload, by=manager) == 0
    patient = Patient.objects.visible_to(manager).get(mrn="S1")
    fields = ("email", "language", "diagnosis_code", "height_cm", "time_zone", "is_test")
    assert [str(getattr(patient, name)) for name in (*fields, "phone")] == [
        *("ada@patients.example.org", "es", "D83.9", "167.6", site.time_zone, "True", "+12125550123")
    ]
    assert list(Weight.objects.values_list("patient", "kg", "measured_on")) == [
        (patient.pk, Decimal("72.57"), dt.date(2024, 5, 6))
    ]
    assert list(Allergy.objects.values_list("code", "text")) == [("corn", ""), ("latex", ""), ("other", "Bees")]
    assert list(RiskFactor.objects.values_list("code", flat=True)) == ["sepsis"]
    assert set(ContactPreference.objects.values_list("channel", "consents", "decided_on")) == {
        ("email", True, dt.date(2024, 5, 6)),
        ("phone", False, dt.date(2024, 5, 6)),
    }
    assert SearchKey.objects.filter(patient=patient, word="quince1").exists()
    events = AuditEvent.objects.filter(patient_id=patient.public_id).values_list("action", flat=True)
    assert set(events) == {
        *("patient.registered", "weight.recorded", "allergy.recorded", "risk.recorded", "consent.recorded")
    }


def test_exactly_the_chosen_rows_are_registered_and_their_words_erased(manager, site):
    upload = kept(line(1), line(2), line(3, Sex="?"), by=manager, site=site)
    choose_rows(upload, shown=[2, 3, 4], chosen=[3, 4])
    register_chosen(upload=upload, by=manager)
    assert list(Patient.objects.values_list("mrn", flat=True)) == ["S2"]
    rows = [(row.line, row.state, bool(row.values), bool(row.patient_id)) for row in upload.rows.all()]
    assert rows == [(2, "new", True, False), (3, "done", False, True), (4, "error", True, False)]


def test_registering_twice_registers_once(manager, site):
    upload = kept(line(1), line(2), by=manager, site=site)
    again = PatientImport.objects.get()
    register_chosen(upload=upload, by=manager)
    register_chosen(upload=again, by=manager)
    assert (Patient.objects.count(), AuditEvent.objects.filter(action="patient_import.ended").count()) == (2, 1)


def test_a_sheet_that_takes_longer_goes_on_where_it_stopped(manager, site):
    upload = kept(line(1), line(2), line(3), by=manager, site=site)
    left = [register_chosen(upload=upload, by=manager, seconds=0) for _ in range(4)]
    assert (left, Patient.objects.count(), counts_of(upload)["done"]) == ([2, 1, 0, 0], 3, 3)


def test_a_row_refused_at_the_last_moment_says_why_and_the_others_go_on(manager, site):
    upload = kept(line(1), line(2), by=manager, site=site)
    make_patient(mrn="S1", site=site)
    register_chosen(upload=upload, by=manager)
    assert told(upload) == [(2, "error", False, ["mrn-taken"]), (3, "done", False, [])]
    assert Patient.objects.filter(mrn="S2").count() == 1


def test_a_possible_duplicate_is_registered_only_when_ticked(manager, site):
    make_patient(given_name="Ada", family_name="Pine", date_of_birth=dt.date(1961, 3, 12), site=site)
    upload = kept(line(1, **{"Last name": "Pine", "DOB": "1961-03-12"}), line(2), by=manager, site=site)
    choose_rows(upload, shown=[2], chosen=[2])
    register_chosen(upload=upload, by=manager)
    registered = AuditEvent.objects.filter(action="patient.registered").order_by("id")
    assert [event.detail["accepted"] for event in registered] == [["possible-duplicate"], []]


ADA = {"given_name": "Ada", "family_name": "Pine", "date_of_birth": dt.date(1961, 3, 12)}


def test_a_possible_duplicate_that_was_not_shown_is_asked_about(manager, site):
    """Registered at the desk between the look at the sheet and the press."""
    make_patient(**ADA, site=site)
    upload = kept(line(1, **{"Last name": "Pine", "DOB": "1961-03-12"}), by=manager, site=site)
    choose_rows(upload, shown=[2], chosen=[2])
    later = make_patient(**ADA, site=site)
    register_chosen(upload=upload, by=manager)
    row = upload.rows.get()
    assert (row.state, later.get_absolute_url() in [problem["url"] for problem in row.problems]) == ("ask", True)


def test_a_possible_duplicate_at_another_site_that_was_not_there_is_asked_about(manager, site):
    make_patient(**ADA, site=make_site())
    upload = kept(line(1, **{"Last name": "Pine", "DOB": "1961-03-12"}), by=manager, site=site)
    choose_rows(upload, shown=[2], chosen=[2])
    make_patient(**ADA, site=make_site())
    register_chosen(upload=upload, by=manager)
    assert [problem["message"] for problem in upload.rows.get().problems] == [
        "Another site has a patient like this one."
    ] * 2


def test_two_ticked_rows_that_may_be_one_person_are_both_registered(manager, site):
    same = {"Last name": "Twin", "DOB": "1961-03-12"}
    upload = kept(line(1, **same), line(2, **same), by=manager, site=site)
    choose_rows(upload, shown=[2, 3], chosen=[2, 3])
    register_chosen(upload=upload, by=manager)
    assert told(upload) == [(2, "done", False, []), (3, "done", False, [])]


def test_the_first_answer_about_dates_stands(manager, site):
    """A page that was left open in another tab asks it again."""
    upload = kept(line(1, DOB="3/4/1961"), by=manager, site=site)
    say_date_order(upload=upload, order=cells.DAY_FIRST, by=manager)
    say_date_order(upload=upload, order=cells.DAY_FIRST, by=manager)
    with pytest.raises(RuleViolation) as refused:
        say_date_order(upload=upload, order=cells.MONTH_FIRST, by=manager)
    register_chosen(upload=upload, by=manager)
    assert (refused.value.codes, Patient.objects.get().date_of_birth) == ({"date-order-said"}, dt.date(1961, 4, 3))


@pytest.mark.parametrize("birthday", ["0/5/1961", "3/4/1061", "3/4/9999"])
def test_a_day_that_cannot_be_whichever_is_the_month_is_an_error_and_no_question(manager, site, birthday):
    upload = kept(line(1, DOB=birthday), line(2), by=manager, site=site)
    assert (upload.date_order, told(upload)) == (
        cells.MONTH_FIRST,
        [(2, "error", False, ["unreadable"]), (3, "new", True, [])],
    )


def test_dates_that_may_be_read_in_two_ways_wait_for_an_answer(manager, site):
    upload = kept(line(1, DOB="3/4/1961"), by=manager, site=site)
    assert (upload.date_order, told(upload)) == ("", [(2, "error", False, [])])
    say_date_order(upload=upload, order=cells.DAY_FIRST, by=manager)
    register_chosen(upload=upload, by=manager)
    assert Patient.objects.get().date_of_birth == dt.date(1961, 4, 3)


def test_a_sheet_without_the_needed_columns_keeps_nothing(manager, site):
    with pytest.raises(RuleViolation):
        kept({"MRN": "S1", "Weight": "70"}, by=manager, site=site)
    assert (PatientImport.objects.count(), ImportRow.objects.count(), AuditEvent.objects.count()) == (0, 0, 0)


def test_events_of_an_import_hold_counts_and_a_hash_and_no_name(manager, site):
    upload = kept(line(1), line(2, Sex="?"), by=manager, site=site)
    register_chosen(upload=upload, by=manager)
    ended = AuditEvent.objects.get(action="patient_import.ended")
    assert ended.detail == {"rows": 2, "new": 0, "look_first": 0, "error": 1, "registered": 1, "file_hash": "0" * 64}
    assert "Quince" not in str(list(AuditEvent.objects.filter(action__startswith="patient_import").values()))


def test_sheets_are_erased_a_day_after_their_upload(manager, site):
    now = clock.now()
    kept(line(1), by=manager, site=site, now=now - dt.timedelta(hours=25))
    fresh = kept(line(2), by=manager, site=site, now=now)
    assert (list(PatientImport.objects.all()), ImportRow.objects.count()) == ([fresh], 1)
    with time_machine.travel(now + dt.timedelta(hours=24, seconds=1)):
        assert (forget_old_imports(now=clock.now()), ImportRow.objects.count()) == (1, 0)


def test_checking_costs_the_same_statements_for_ten_rows_and_for_fifty(manager, site, django_assert_num_queries):
    upload = kept(line(1), by=manager, site=site)
    for number in (10, 50):
        values = kept(*(line(n) for n in range(number)), by=manager, site=site)
        rows = list(values.rows.all())
        with django_assert_num_queries(1):
            check_rows(upload, rows, clock.now())
