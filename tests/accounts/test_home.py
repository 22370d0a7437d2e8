import pytest
from django.urls import NoReverseMatch, reverse

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("role", ["scheduler", "nurse", "pharmacist", "manager"])
def test_home_leads_to_the_board(client_for, role):
    try:
        board = reverse("scheduling:board")
    except NoReverseMatch:
        pytest.skip("no board yet")
    assert client_for(role).get("/").url == board
