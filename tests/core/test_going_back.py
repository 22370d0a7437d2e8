import pytest
from django.test import RequestFactory

from infusion_center.core.going_back import own_path

pytestmark = pytest.mark.once


@pytest.mark.parametrize("path", ["/", "/to-do/unconfirmed/", "/patients/?q=%41"])
def test_a_path_of_this_site_is_gone_back_to(path):
    assert own_path(RequestFactory().post("/"), path) == path


@pytest.mark.parametrize(
    "asked",
    ["", "home", "audit:trail", "word", "//elsewhere.example/", "/\\elsewhere.example", "https://elsewhere.example/"],
)
def test_words_names_of_views_and_other_sites_are_not(asked):
    assert own_path(RequestFactory().post("/"), asked) == ""
