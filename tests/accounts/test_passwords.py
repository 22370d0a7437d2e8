"""Which passwords are taken: long ones, of whatever characters; not what everybody would guess here."""

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from tests.factories.accounts import make_staff
from tests.factories.facility import make_site

pytestmark = pytest.mark.django_db


@pytest.fixture
def person():
    make_site(name="Maple Street")
    return make_staff(full_name="Ann Able", email="ann.able@example.org")


@pytest.mark.parametrize(
    "password",
    [
        "short",
        "password1234",
        "ann.able@example",
        "Infusion-Center-2026!",
        "maple street 1",
        "MapleStreetMaple",
        "1" * 14,
    ],
)
def test_refused(person, password):
    with pytest.raises(ValidationError):
        validate_password(password, person)


@pytest.mark.parametrize(
    "password",
    [
        "three quiet words",
        " spaces around it ",
        "höhenluft und käse",
        "四つの静かな言葉をここに書く",
        "x7 lamp " * 20,
        "maple lantern bicycle river",
    ],
)
def test_taken_and_works_as_typed(client, person, password):
    validate_password(password, person)
    person.set_password(password)
    person.save()
    client.post("/accounts/login/", {"login": person.email, "password": password})
    assert client.session["_auth_user_id"] == str(person.pk)
