"""Whatever staff and patients can write is text on every page, in every mail and picture: never markup, never code."""

import itertools

import pytest
from django.apps import apps
from django.core import mail
from django.db import models
from django.db.models.signals import pre_save
from django.test import Client
from django.urls import reverse

from infusion_center.accounts.models import OpenSession
from infusion_center.accounts.roles import ROLE_PERMISSIONS, Role
from infusion_center.core.checks import access_rule
from infusions.reminders.services import plan_reminders, send_due
from patients.models import Patient
from tests.guards.foreign import scene
from tests.guards.test_access_rules import PATTERNS, arguments
from tests.infusions.reminders.public_scene import NOON, make_scene

pytestmark = [pytest.mark.django_db, pytest.mark.once]
# Breaks out of an attribute, opens an element, and is worked out by template engines. Short fields hold its beginning.
MARK = "'\"><zz y=1>{{7777*7}}${7777*7}"
numbers = itertools.count()  # names are often to be unique
# As text the first quotes are written as entities too, so that no attribute ends there.
BROKEN = ("<zz", '"&gt;&lt;zz', "'&quot;&gt;&lt;zz", "54439")
# Names and numbers that programs give or need in a certain form.
GIVEN = {
    "public_id", "password", "local_start", "time_zone", "key", "code", "key_hash", "secret_hash", "token_hash", "word",
    "sound", "kind", "action", "digest", "username", "language", "worker", "message_id", "idempotency_key", "gtin",
    "serial", "path", "device",
}  # fmt: skip
BOARD = [f"?view={view}" for view in ("chairs", "nurses", "list", "load")]


def is_typed(field) -> bool:
    """Text that a person writes freely."""
    free = isinstance(field, models.CharField | models.TextField) and not field.choices and not field.validators[1:]
    return free and type(field) in (models.CharField, models.TextField) and field.name not in GIVEN


def mark(sender, instance, **kwargs):
    for field in sender._meta.concrete_fields:
        if is_typed(field) and instance._state.adding and not field.unique and field.name != "review_note":
            room = field.max_length or len(MARK) + 4
            setattr(instance, field.attname, f"{MARK[: room - 4]}{next(numbers):04}" if room >= 10 else MARK[:room])


@pytest.fixture
def marked():
    """Every row that is written from now on holds the mark wherever a person could have typed it."""
    labels = ("infusions", "patients", "accounts")
    models = [model for label in labels for model in apps.get_app_config(label).get_models()]
    ours = [model for model in models if model != OpenSession]
    for model in ours:
        pre_save.connect(mark, sender=model, dispatch_uid="mark")
    yield
    for model in ours:
        pre_save.disconnect(sender=model, dispatch_uid="mark")


def broken(text: str) -> list[str]:
    return [sign for sign in BROKEN if sign in text]


def role_for(pattern) -> str:
    """Somebody whom the page lets in; who may do most is asked where all may."""
    wanted = access_rule(pattern).permissions
    return next((role for role in Role if wanted & ROLE_PERMISSIONS[role]), Role.MANAGER).value


def test_no_page_shows_markup_that_somebody_typed(marked, site, client_for):
    ids = scene(site)
    Patient.objects.update(email='"<zz>"@example.org')
    ids |= {"visit_id": ids["appointment_id"]}
    clients = {role.value: client_for(role.value) for role in Role}
    found, shown = {}, 0
    for name, pattern in PATTERNS.items():
        address = reverse(name, kwargs=arguments(pattern, ids))
        for more in BOARD if name == "scheduling:board" else [""]:
            response = clients[role_for(pattern)].get(address + more)
            text = b"".join(response) if response.streaming else response.content
            kind = response.headers.get("Content-Type", "")
            shown += response.status_code == 200 and "&lt;zz" in text.decode(errors="replace")
            if "json" not in kind and "csv" not in kind and (signs := broken(text.decode(errors="replace"))):
                found[address + more] = signs
    assert found == {}
    assert shown > 60  # pages that had a mark to show


def test_no_mail_and_no_page_behind_its_links_holds_markup(marked, time_machine):
    time_machine.move_to(NOON, tick=False)
    _, addresses = make_scene(chosen_name=MARK)
    plan_reminders()
    send_due()
    mails = [(message, {kind: body for body, kind in message.alternatives}) for message in mail.outbox]
    htmls = [parts["text/html"] for _, parts in mails]
    assert (len(mails) > 0, [signs for html in htmls if (signs := broken(html))]) == (True, [])
    assert any("&lt;zz" in html for html in htmls)
    assert not any("\n" in message.subject for message, _ in mails)
    pages = {name: Client().get(address).content.decode() for name, address in addresses.items()}
    assert {name: signs for name, page in pages.items() if (signs := broken(page))} == {}
