"""Mail without a mail server: each message becomes an .eml file in a folder, which any mail program can open."""

import datetime as dt
import re
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from django.conf import settings
from django.core.mail.backends.base import BaseEmailBackend

from infusion_center.core import clock

FILE_NAME = re.compile(r"^\d{8}-\d{6}-[A-Za-z0-9]{1,40}\.eml$")


class FolderBackend(BaseEmailBackend):
    """Named by time and Message-ID; written under another name first, so that nobody reads half a message."""

    def send_messages(self, email_messages):
        folder = Path(settings.MAIL_DIR)
        folder.mkdir(parents=True, exist_ok=True)
        for message in email_messages:
            content = message.message()
            key = re.sub(r"[^A-Za-z0-9]", "", content["Message-ID"].partition("@")[0])[:40]
            path = folder / f"{clock.now():%Y%m%d-%H%M%S}-{key}.eml"
            part = path.with_suffix(".part")
            part.write_bytes(content.as_bytes())
            part.replace(path)
        return len(email_messages)


@dataclass(frozen=True)
class StoredMail:
    name: str
    key: str  # the local part of its Message-ID
    written_at: dt.datetime
    path: Path

    def read(self) -> EmailMessage:
        return message_from_bytes(self.path.read_bytes(), policy=policy.default)


def is_folder_in_use() -> bool:
    return f"{__name__}.{FolderBackend.__name__}" == settings.EMAIL_BACKEND


def newest_mails(limit: int = 500) -> list[StoredMail]:
    folder = Path(settings.MAIL_DIR)
    if not is_folder_in_use() or not folder.is_dir():
        return []
    names = sorted((p.name for p in folder.iterdir() if FILE_NAME.match(p.name)), reverse=True)
    return [stored_mail(name) for name in names[:limit]]


def find_mail(name: str) -> StoredMail | None:
    """None for a name that is not of ours (so no way out of the folder), or when nothing is there."""
    if not is_folder_in_use() or not FILE_NAME.match(name):
        return None
    mail = stored_mail(name)
    return mail if mail.path.is_file() else None


def stored_mail(name: str) -> StoredMail:
    day, time, key = name.removesuffix(".eml").split("-")
    written_at = dt.datetime.strptime(day + time, "%Y%m%d%H%M%S").replace(tzinfo=dt.UTC)
    return StoredMail(name, key, written_at, Path(settings.MAIL_DIR) / name)
