import datetime as dt
import random

import pytest

from infusion_center.core import clock
from infusions.demo_crowd import make_patient as new_patient
from infusions.demo_crowd import save_patients
from patients.models import Patient
from patients.queries import CANDIDATES, search_patients
from tests.factories.facility import make_site
from tests.factories.patients import make_patient

pytestmark = pytest.mark.django_db


@pytest.fixture
def jose():
    return make_patient(
        given_name="José",
        family_name="García-López",
        chosen_name="Pepe",
        mrn="MR-104233",
        date_of_birth=dt.date(1961, 3, 12),
        phone="+12125550123",
    )


@pytest.fixture(autouse=True)
def crowd(db):
    return [
        make_patient(given_name="Johanna", family_name="Meyer", date_of_birth=dt.date(1971, 3, 12)),
        make_patient(given_name="Sean", family_name="O'Brien", phone="+13125550199"),
        make_patient(given_name="Zoe", family_name="Zzyx"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "garcia",
        "GARCÍA jose",
        "jose garcia-lopez",
        "lopez, josé",
        "garcialopez",
        "gar",
        "pepe lop",
        "1961-03-12",
        "12-Mar-1961",
        "03/12/1961",
        "12.3.1961",
        "03121961",
        "garcia 3/12/1961",
        "MR-104233",
        "mr104233",
        "mr-104",
        "104233",
        "4233",
        "(212) 555-0123",
        "+1 212 555 0123",
        "212555",
        "555-0123",
        "50123",
        "garica",
        "garsia",
        "hose garcia",
        "garciia",
        "lopes jose",
    ],
)
def test_a_patient_is_found_by(jose, text):
    assert search_patients(text) == [jose]


@pytest.mark.parametrize(
    "text", ["", "  ", "garcia meyer", "garcia 1961-03-13", "999999", "xq", "jose 5550199", "%", "_", "'"]
)
def test_nobody_is_found_by(jose, text):
    assert search_patients(text) == []


@pytest.mark.parametrize("text", ["obrien", "o'brien", "O’Brien", "o brien", "brien sean", "obrian"])
def test_apostrophes_do_not_matter(crowd, text):
    assert search_patients(text) == [crowd[1]]


def test_a_beginning_that_ends_in_z_has_an_end_too(crowd):
    assert search_patients("zz") == search_patients("z zz") == [crowd[2]]


def test_the_whole_word_comes_before_its_beginning_and_the_inactive_last():
    longer = make_patient(given_name="Ann", family_name="Smithson")
    gone = make_patient(given_name="Ann", family_name="Smith", is_active=False)
    exact = make_patient(given_name="Ann", family_name="Smith")
    assert search_patients("ann smith") == [exact, longer, gone]


def test_the_limit_holds():
    for _ in range(4):
        make_patient(family_name="Many")
    assert len(search_patients("many", limit=3)) == 3


def test_only_patients_of_the_given_set_are_found(jose):
    assert search_patients("garcia", among=Patient.objects.exclude(pk=jose.pk)) == []


def test_the_many_of_another_site_leave_room_for_ones_own(site, nurse_user, django_assert_max_num_queries):
    """They come first by their names, and are more than the candidates that a search looks at."""
    born, dice = clock.now(), random.Random(1)
    many = [new_patient(dice, number, born.date(), "UTC") for number in range(CANDIDATES + 50)]
    for patient in many:
        patient.family_name = "Ga"
    save_patients(many, site=make_site(), now=born)
    own = make_patient(family_name="Gaz", site=site)
    with django_assert_max_num_queries(4):
        assert search_patients("ga", among=Patient.objects.visible_to(nurse_user)) == [own]


def test_a_changed_name_is_found_and_the_old_one_is_not(jose):
    from patients.search_keys import write_search_keys

    jose.family_name = "Vargas"
    write_search_keys(jose)
    assert search_patients("vargas") == [jose]
    assert search_patients("garcia-lopez") == []


@pytest.mark.parametrize("text", ["garcia", "garica jose", "garcia 3/12/1961", "5550123"])
def test_the_number_of_queries_does_not_grow(jose, text, django_assert_max_num_queries):
    for number in range(30):
        make_patient(given_name="Jose", family_name=f"Garcia{number}")
    with django_assert_max_num_queries(4):
        search_patients(text)
