"""Mails as a phone shows them, by day and by night; and the pages on which they are worded and visits subscribed to."""

import pytest
from django.urls import reverse

from infusion_center.core import clock
from infusions.reminders.example_mail import example_mail, worded_mails
from infusions.reminders.own_words import OwnWords
from tests.factories.facility import make_nurse

pytestmark = [pytest.mark.browser, pytest.mark.django_db]
LONG = OwnWords(note="Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetz " + "w" * 80)
TOO_WIDE = "document.documentElement.scrollWidth > document.documentElement.clientWidth"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_mails_fit_a_phone_and_can_be_read_by_day_and_by_night(chromium, axe, site, scheme):
    site.address, site.phone = "1 River Road, Exampleton", "555 0100"
    page = chromium.new_page(viewport={"width": 390, "height": 800}, color_scheme=scheme)
    too_wide = []
    for kind in worded_mails():
        for language in ("en", "es"):
            page.set_content(example_mail(site=site, kind=kind, language=language, words=LONG, now=clock.now()).html)
            too_wide += [(kind, language)] if page.evaluate(TOO_WIDE) else []
    found = axe(page)
    page.close()
    assert (too_wide, found) == ([], [])


def test_words_are_previewed_while_typed_and_a_calendar_is_subscribed_to(open_page, axe, site, staff):
    make_nurse(site=site, user=staff["nurse"])
    page = open_page("manager")
    page.goto(reverse("reminders:wording-edit", args=["days_1", "en"]))
    page.get_by_label("Subject").press_sequentially("Until {day}", delay=5)
    page.locator("#_wording_preview").get_by_text("Until ").wait_for()
    page.get_by_label("Subject").fill("Your dose")
    page.locator("#_wording_preview").get_by_text("“dose” tells").wait_for()
    found = axe(page)
    page = open_page("nurse", width=1024, height=768, has_touch=True)
    page.goto(reverse("reminders:calendar"))
    page.get_by_role("button", name="Make an address").click()
    address = page.get_by_label("Address of your calendar").input_value()
    assert (found + axe(page), address.endswith(".ics")) == ([], True)
