"""From an empty database to a manager who works: what docs/operations.md, First start, promises."""

import re
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from infusion_center.accounts.models import User
from infusions.checklists.models import ChecklistTemplate
from infusions.facility.models import Site
from infusions.formulary.models import Product
from patients.models import Patient
from tests.infusions.facility.test_site_pages import settings_of

pytestmark = pytest.mark.django_db
PASSWORD = "quiet green lantern"


def open_center(**options) -> str:
    said = StringIO()
    call_command("open_center", email="first@example.org", name="First Manager", stdout=said, **options)
    return said.getvalue()


def set_password_and_sign_in(client, said: str) -> None:
    link = re.search(r"https?://[^/]+(/\S+)", said)[1]
    form = client.get(link, follow=True)
    client.post(form.redirect_chain[-1][0], {"password1": PASSWORD, "password2": PASSWORD})
    client.post("/accounts/login/", {"login": "first@example.org", "password": PASSWORD})


def test_the_first_manager_signs_in_and_makes_a_site(client):
    set_password_and_sign_in(client, open_center())
    assert client.get("/", follow=True).status_code == 200
    client.post("/site/new/", settings_of(Site(), name="Maple Street", time_zone="Europe/Vienna"))
    assert list(Site.objects.values_list("name", "memberships__user__full_name")) == [("Maple Street", "First Manager")]


def test_what_ships_is_there_and_nothing_made_up(client):
    open_center(site="Maple Street", time_zone="America/New_York")
    shipped = Product.objects.exists(), ChecklistTemplate.objects.get().is_active
    assert (shipped, Patient.objects.count(), Site.objects.get().time_zone) == ((True, True), 0, "America/New_York")


def test_a_center_that_has_people_is_not_opened_again():
    open_center()
    with pytest.raises(CommandError, match="holds people already"):
        open_center()
    assert User.objects.count() == 1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"site": "Maple Street"}, "belong together"),
        ({"site": "Maple Street", "time_zone": "Maple/Street"}, "is not a time zone"),
    ],
)
def test_what_is_wrong_is_told_and_nothing_is_kept(options, said):
    with pytest.raises(CommandError, match=said):
        open_center(**options)
    assert (User.objects.count(), Product.objects.count()) == (0, 0)
