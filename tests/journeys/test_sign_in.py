"""Signing in as a person would, in a real browser."""

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_sign_in_with_email_and_password_opens_the_day(open_page, staff, axe):
    page = open_page()
    page.goto("/")
    page.get_by_label("Email").fill(staff["nurse"].email)
    page.get_by_label("Password", exact=True).fill("correct horse battery")
    assert axe(page) == []
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert "/accounts/" not in page.url
    assert axe(page) == []
