"""Nothing that we ship, and nothing that staff may type, puts a clinical word before a patient's onlookers."""

import re

import pytest
from django.core.checks import run_checks
from django.urls import reverse
from django.utils.html import strip_tags

from infusion_center.core.checks import access_rule, all_patterns
from infusions.formulary.catalog import load_catalog
from infusions.reminders import invitation, wording
from infusions.reminders.words import clinical_words
from tests.factories.facility import make_site
from tests.guards.source import ROOT, files
from tests.infusions.facility.test_site_pages import settings_of

pytestmark = pytest.mark.django_db
TEMPLATES = files(".html", ".txt", folders=("templates/reminders",))


def told_by(source: str) -> list[str]:
    """Clinical words of a template's own text; what its tags insert is looked at where mails are rendered."""
    text = re.sub(r"{%.*?%}|{{.*?}}|{#.*?#}|<style>.*?</style>", " ", source, flags=re.DOTALL)
    return clinical_words(strip_tags(text))


def test_no_shipped_template_tells():
    load_catalog()
    told = {str(path.relative_to(ROOT)): told_by(path.read_text()) for path in TEMPLATES}
    assert ({path: words for path, words in told.items() if words}, len(told) > 30) == ({}, True)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("{% block lead %}Your infusion is booked.{% endblock %}", ["infusion"]),
        ("<p>Su cita {% if when %}en oncología{% endif %}</p>", ["oncología"]),
        ("<p>Take <b>Privigen</b>, 30 g</p>", ["Privigen", "30 g"]),
    ],
)
def test_the_lint_of_templates_sees(source, words):
    load_catalog()
    assert told_by(source) == words


def test_no_fixed_text_of_mails_and_calendar_entries_tells():
    texts = [invitation.FILE_NAME, *invitation.SUMMARIES.values()]
    texts += [*wording.AT_HOME.values(), *wording.NEUTRAL_PLACES.values()]
    assert {text: clinical_words(text, run_together=True) for text in texts} == {text: [] for text in texts}


def test_no_address_that_needs_no_sign_in_tells():
    open_to_all = [path for path, name, pattern in all_patterns() if not name.startswith("admin:") and is_open(pattern)]
    told = {path: clinical_words(path, run_together=True) for path in open_to_all}
    assert ({path: words for path, words in told.items() if words}, "v/<str:token>/" in told) == ({}, True)


def is_open(pattern) -> bool:
    return not access_rule(pattern).signed_in


@pytest.mark.parametrize(
    ("field", "typed", "word"),
    [
        ("mail_name", "Riverside Immunology", "Immunology"),
        ("mail_name", "Centro de Infusión", "Infusión"),
        ("address", "Infusion Suite 4", "Infusion"),
        ("phone", "555 0100 (nurses)", "nurses"),
        ("email", "riversideinfusion@example.org", "riversideinfusion"),
    ],
)
def test_a_site_is_not_saved_with_a_word_that_mail_would_show(client_for, site, field, typed, word):
    answer = client_for("manager").post(reverse("facility:site-edit"), settings_of(site, **{field: typed}))
    errors = answer.context["form"].errors
    assert (list(errors), f"“{word}”" in errors[field][0]) == ([field], True)
    site.refresh_from_db()
    assert getattr(site, field) == ""


def test_a_site_with_an_older_word_can_still_be_amended(client_for, site):
    type(site).objects.filter(pk=site.pk).update(address="Infusion Suite 4")
    site.refresh_from_db()
    answer = client_for("manager").post(reverse("facility:site-edit"), settings_of(site, phone="555 0100"))
    site.refresh_from_db()
    assert (answer.status_code, site.phone) == (302, "555 0100")


def test_what_was_typed_before_the_lint_stays_out_of_mails():
    site = make_site(
        name="Infusion Center", address="Infusion Suite 4", phone="555 0100 chemo", email="ivig@example.org"
    )
    place = wording.Place(wording.place_name(site, "en"), *wording.reach_of(site))
    assert place == wording.Place("Your care center", "", "", "")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DEFAULT_FROM_EMAIL", "Visits <infusions@example.org>"),
        ("DEFAULT_FROM_EMAIL", "Riverside Oncology <visits@example.org>"),
        ("SITE_URL", "https://mycancercenter.example.org"),
    ],
)
def test_the_checks_warn_of_settings_that_tell_and_refuse_them_in_production(settings, name, value):
    setattr(settings, name, value)
    found = {deploy: ids_of(run_checks(include_deployment_checks=deploy)) for deploy in (False, True)}
    assert found == {False: ["reminders.W001"], True: ["reminders.E001", "reminders.W001"]}


def ids_of(messages) -> list[str]:
    return sorted(message.id for message in messages if message.id.startswith("reminders."))
