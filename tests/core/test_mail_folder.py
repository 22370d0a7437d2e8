"""Mail kept as files: one file a message, nobody reads outside the folder."""

import pytest
from django.core.mail import EmailMessage

from infusion_center.core import mail_folder


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    settings.MAIL_DIR = tmp_path / "mail"
    settings.EMAIL_BACKEND = "infusion_center.core.mail_folder.FolderBackend"
    return settings.MAIL_DIR


def send(key="abc123", subject="Hello"):
    EmailMessage(subject, "text", to=["a@example.org"], headers={"Message-ID": f"<{key}@localhost>"}).send()


def test_each_message_becomes_a_file_that_can_be_read_back():
    send("first")
    send("second", subject="Other")
    assert {(m.key, m.read()["Subject"]) for m in mail_folder.newest_mails()} == {
        ("first", "Hello"),
        ("second", "Other"),
    }


def test_the_same_message_sent_twice_stays_one_file(time_machine):
    time_machine.move_to("2026-06-01T12:00:00Z", tick=False)
    send()
    send()
    assert [m.name for m in mail_folder.newest_mails()] == ["20260601-120000-abc123.eml"]


@pytest.mark.parametrize("name", ["../secret.eml", "..", "20260601-120000-../x.eml", "secret.txt", "x.eml", ""])
def test_names_that_are_not_ours_find_nothing(name, folder):
    send()
    (folder.parent / "secret.eml").write_text("secret")
    assert mail_folder.find_mail(name) is None


def test_nothing_is_shown_when_mail_goes_elsewhere(settings):
    send()
    name = mail_folder.newest_mails()[0].name
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    assert (mail_folder.newest_mails(), mail_folder.find_mail(name)) == ([], None)
