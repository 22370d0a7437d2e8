"""A manager words the site's mails: beside a preview, under the lint, for one language at a time."""

import pytest
from django.urls import reverse
from django.utils.html import escape

from infusion_center.audit.models import AuditEvent
from infusions.formulary.catalog import load_catalog
from infusions.reminders.example_mail import worded_mails
from infusions.reminders.models import Kind
from infusions.reminders.own_words import OwnWords
from infusions.reminders.wording import write_message
from infusions.reminders.wording_models import MailWording
from infusions.reminders.wording_services import save_wording
from tests.factories.patients import make_patient
from tests.factories.reminders import make_reminder
from tests.factories.scheduling import make_appointment
from tests.infusions.reminders.scene import NOON, VISIT_DAY

pytestmark = pytest.mark.django_db
WORDS = {
    "subject": "See you on {day} at {time}",
    "opening": "Good to have you, {name}: come to {place}.",
    "note": "Park <behind> the house.\n\nCall {phone} & ring twice.",
}


@pytest.fixture(autouse=True)
def noon(time_machine):
    time_machine.move_to(NOON, tick=False)


@pytest.fixture
def site(site):
    site.mail_name, site.phone = "Riverside", "555 0100"
    site.save()
    return site


def url(name="edit", kind="days_1", language="en") -> str:
    return reverse(f"reminders:wording-{name}", args=[kind, language])


def mail_to(site, kind=Kind.DAYS_1, language="en"):
    patient = make_patient(given_name="Maria", chosen_name="Mia {phone}", language=language)
    visit = make_appointment(site=site, patient=patient, day=VISIT_DAY)
    return write_message(make_reminder(appointment=visit, kind=kind))


def test_saved_words_stand_in_the_mail_with_the_facts_of_the_visit(client_for, site):
    assert client_for("manager").post(url(), WORDS).status_code == 302
    mail = mail_to(site, Kind.DAYS_3)  # the day reminders share their words
    assert mail.subject == "See you on Thursday, June 18, 2026 at 09:00"
    assert mail.text.splitlines()[:3] == [
        "Hello Mia {phone},",
        "",
        "Good to have you, Mia {phone}: come to Riverside.",
    ]
    assert "\n\nPark <behind> the house.\n\nCall 555 0100 & ring twice.\n\nTo confirm" in mail.text
    assert "This is a reminder of your appointment." not in mail.text + mail.html
    assert "<p>Park &lt;behind&gt; the house.</p>\n\n<p>Call 555 0100 &amp; ring twice.</p>" in mail.html
    assert f"<title>{mail.subject}</title>" in mail.html


def test_other_kinds_languages_and_sites_keep_the_shipped_words(manager, site):
    before = [mail_to(site, Kind.CONFIRMATION), mail_to(site, language="es")]
    save_wording(site=site, kind=Kind.DAYS_1, language="en", words=OwnWords(**WORDS), by=manager)
    after = [mail_to(site, Kind.CONFIRMATION), mail_to(site, language="es")]
    assert [mail.subject for mail in before] == [mail.subject for mail in after]
    assert "Park" not in "".join(mail.text for mail in after)


def test_an_empty_field_leaves_the_shipped_words(manager, site):
    save_wording(site=site, kind=Kind.DAYS_1, language="es", words=OwnWords(note="Traiga agua."), by=manager)
    mail = mail_to(site, language="es")
    assert mail.subject == "Recordatorio: su cita del jueves 18 de junio de 2026"
    assert "Le recordamos su cita." in mail.text
    assert "\n\nTraiga agua.\n\n" in mail.text


@pytest.mark.parametrize(
    ("field", "typed", "says"),
    [
        ("subject", "Your infusion on {day}", "“infusion” tells what patients come for"),
        ("note", "Bring your Privigen.", "“Privigen” tells"),
        ("opening", "Su dosis está lista", "“dosis” tells"),
        ("subject", "For {name}", "{name} cannot stand in the subject"),
        ("opening", "Hi {name.family_name}", "{name.family_name} cannot stand in the first sentence"),
        ("note", "{day} {0} {}", "{0}, {} cannot stand in the paragraph"),
        ("note", "Come {day", "A brace has no partner"),
        ("note", "Please drink two liters.", "“drink” may harm"),
        ("note", "Tome muchos líquidos.", "“líquidos” may harm"),
        ("subject", "x" * 81, "at most 80 characters"),
        ("note", "x" * 601, "at most 600 characters"),
    ],
)
def test_what_cannot_be_said_is_refused_beside_its_field(client_for, site, field, typed, says):
    load_catalog()
    answer = client_for("manager").post(url(), {field: typed})
    errors = answer.context["form"].errors
    assert (list(errors), says in errors[field][0]) == ([field], True)
    assert (MailWording.objects.count(), AuditEvent.objects.filter(action__startswith="mail_wording").count()) == (0, 0)


def test_the_preview_shows_what_is_typed_and_saves_nothing(client_for, site):
    client = client_for("manager")
    fragment = client.post(url("preview"), WORDS, headers={"HX-Request": "true"}).content.decode()
    page = client.post(url("preview"), WORDS).content.decode()
    for text in (fragment, page):
        assert "See you on Monday, June 15, 2026 at 09:00" in text
        assert escape("Park <behind> the house.") in text
    assert (fragment.lstrip().startswith("<section"), "<form" in fragment, "<form" in page) == (True, False, True)
    refused = client.post(url("preview"), {"subject": "Infusion"}, headers={"HX-Request": "true"}).content.decode()
    assert ("Not with these words" in refused, "Reminder: your appointment" in refused) == (True, True)
    assert MailWording.objects.count() == 0


def test_the_mail_is_shown_alone_where_nothing_can_run(client_for, site):
    answer = client_for("manager").post(
        url("html", "confirmation", "es"), {"note": "<script>go()</script> Traiga agua."}
    )
    directives = set(answer.headers["Content-Security-Policy"].split("; "))
    assert directives >= {"default-src 'none'", "sandbox", "frame-ancestors 'none'"}
    assert not any(directive.startswith("script-src") for directive in directives)
    assert "&lt;script&gt;go()&lt;/script&gt; Traiga agua." in answer.content.decode()


def test_every_mail_can_be_worded_and_shown(client_for, site):
    client = client_for("manager")
    listed = client.get(reverse("reminders:wording-list")).content.decode()
    for kind in worded_mails():
        for language in ("en", "es"):
            page = client.get(url(kind=kind, language=language))
            assert (page.status_code, url(kind=kind, language=language) in listed) == (200, True)
            assert "[…]" not in page.context["preview"].subject
    assert len(worded_mails()) >= 6


def test_reset_brings_the_shipped_words_back(client_for, site):
    client = client_for("manager")
    client.post(url(), WORDS)
    client.post(url("reset"))
    assert mail_to(site).subject == "Reminder: your appointment on Thursday, June 18, 2026"
    events = AuditEvent.objects.filter(action__startswith="mail_wording").order_by("pk")
    assert [(event.action, event.detail) for event in events] == [
        (
            "mail_wording.saved",
            {"kind": "days_1", "language": "en", "changed": ["subject", "opening", "note"]},
        ),
        ("mail_wording.reset", {"kind": "days_1", "language": "en"}),
    ]


def test_emptying_all_fields_resets_and_saving_the_same_again_is_no_event(client_for, site):
    client = client_for("manager")
    for typed in (WORDS, WORDS, {}):
        client.post(url(), typed or {"subject": "", "opening": "", "note": ""})
    assert MailWording.objects.count() == 0
    assert AuditEvent.objects.filter(action__startswith="mail_wording").count() == 2


@pytest.mark.parametrize(
    ("kind", "language"), [("day_sheet", "en"), ("days_3", "en"), ("none", "en"), ("days_1", "fr")]
)
def test_there_is_no_wording_of_other_kinds_and_languages(client_for, site, kind, language):
    assert client_for("manager").get(url(kind=kind, language=language)).status_code == 404


def test_words_that_have_become_clinical_since_are_left_out(site, manager):
    MailWording.objects.create(
        site=site, kind=Kind.DAYS_1, language="en", subject="Infusion!", note="Bring water.", changed_by=manager
    )
    mail = mail_to(site)
    assert (mail.subject[:9], "Bring water." in mail.text) == ("Reminder:", True)


def test_a_mail_costs_one_query_for_its_words(site, manager, django_assert_num_queries):
    save_wording(site=site, kind=Kind.DAYS_1, language="en", words=OwnWords(**WORDS), by=manager)
    visit = make_appointment(site=site, day=VISIT_DAY)
    reminder = make_reminder(appointment=visit, kind=Kind.DAYS_1)
    write_message(reminder)  # the names of the formulary are known from now on
    with django_assert_num_queries(1):
        write_message(reminder)
