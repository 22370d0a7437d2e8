"""The only file that talks to mail: builds the message of a ledger row and hands it to the mail server."""

import datetime as dt
import logging
import smtplib
from contextlib import suppress
from dataclasses import dataclass
from email.headerregistry import Address
from email.mime.text import MIMEText
from email.utils import parseaddr

from billiard.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import EmailMultiAlternatives, get_connection

from infusions.reminders import provider_errors
from infusions.reminders.invitation import FILE_NAME, calendar_entry, method_of
from infusions.reminders.models import AFTERWARDS, Reminder
from infusions.reminders.wording import language_of, mail_host, place_of, stop_url, write_message

logger = logging.getLogger(__name__)
REMINDER_KEY = "reminder"  # under which a mail provider keeps the public id of a ledger row


class ServerUnavailable(Exception):
    """No mail can be sent now, whatever its content: unreachable, refusing our sign-in or our name."""


class TryLater(Exception):
    """This message was not taken now, but may be later."""


class RefusedForGood(Exception):
    """This message or address will never be taken."""


@dataclass(frozen=True)
class Sent:
    """What a message that was handed over is known by: to its receiver, and to the mail provider if there is one."""

    message_id: str
    provider_id: str = ""


FAULTS = (OSError, smtplib.SMTPException, *provider_errors.FAULTS)


class Mailer:
    """One connection for many messages; opened anew after a failure.

    Opening fails as ServerUnavailable. A failure after that concerns the one message, so that a message which makes
    the server hang up cannot hold up those behind it.
    """

    def __init__(self):
        self._connection = None
        self._taken: dict[str, Sent] = {}

    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        self.close()

    def send(self, reminder: Reminder, now: dt.datetime) -> Sent:
        """Hand one message over. Raises ServerUnavailable, TryLater or RefusedForGood."""
        message = _built(reminder, now)
        message.connection = self._open()
        try:
            message.send()
        except FAULTS as error:
            self.close()
            raise _meaning(error) from error
        except SoftTimeLimitExceeded:
            raise
        except Exception as error:  # such as an address of a form that no header holds; the others must go all the same
            self.close()
            logger.exception("reminder %s could not be handed over", reminder.public_id)
            raise TryLater(f"not handed over: {type(error).__name__}") from error
        sent = Sent(message.extra_headers["Message-ID"], _provider_id_of(message))
        self._taken = {reminder.public_id: sent}
        return sent

    def taken(self, reminder: Reminder) -> Sent | None:
        """What is known of the message if the server took it last; None if it took another, or none."""
        return self._taken.get(reminder.public_id)

    def close(self) -> None:
        if self._connection is not None:
            with suppress(OSError, smtplib.SMTPException):
                self._connection.close()
            self._connection = None

    def _open(self):
        if self._connection is None:
            try:
                connection = get_connection()
                connection.open()
            except (*FAULTS, ImproperlyConfigured) as error:
                raise ServerUnavailable(_short(error)) from error
            self._connection = connection
        return self._connection


def build_mail(reminder: Reminder, now: dt.datetime) -> EmailMultiAlternatives:
    about = reminder.about
    language = language_of(about)
    place, written = place_of(about, language), write_message(reminder)
    sender = parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
    mail = EmailMultiAlternatives(
        subject=written.subject,
        body=written.text,
        from_email=str(Address(display_name=place.name, addr_spec=sender)),
        to=[reminder.reader_email],
        reply_to=[place.email] if place.email else None,
        headers={
            "Message-ID": message_id_of(reminder),
            **_ways_to_stop(reminder),
            "Auto-Submitted": "auto-generated",
            "Content-Language": language,
        },
    )
    mail.attach_alternative(written.html, "text/html")
    # A provider that takes it gives it back with each of its reports; mail servers never see it.
    mail.metadata = {REMINDER_KEY: reminder.public_id}
    # What is only offered belongs in no calendar yet, what is over no more.
    if reminder.appointment is not None and reminder.kind not in AFTERWARDS:
        _attach_calendar_entry(mail, reminder, sender, now)
    return mail


def _ways_to_stop(reminder: Reminder) -> dict[str, str]:
    """Staff are written to for their work: the site's settings end that."""
    if reminder.patient is None:
        return {}
    # RFC 8058
    return {
        "List-Unsubscribe": f"<{stop_url(reminder.about)}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }


def _attach_calendar_entry(mail: EmailMultiAlternatives, reminder: Reminder, sender: str, now: dt.datetime) -> None:
    entry = MIMEText(calendar_entry(reminder, sender=sender, now=now).decode(), "calendar", "utf-8")
    entry.set_param("method", method_of(reminder))
    entry.add_header("Content-Disposition", "attachment", filename=FILE_NAME)
    mail.attach(entry)


def _built(reminder: Reminder, now: dt.datetime) -> EmailMultiAlternatives:
    try:
        return build_mail(reminder, now)
    except Exception as error:  # a fault in one template or row must not hold up the messages behind it
        logger.exception("reminder %s could not be written", reminder.public_id)
        raise TryLater(f"not written: {type(error).__name__}") from error


def message_id_of(reminder: Reminder) -> str:
    """The same at every try: a receiver that gets the message twice can tell."""
    return f"<{reminder.public_id}@{mail_host()}>"


def _provider_id_of(message: EmailMultiAlternatives) -> str:
    status = getattr(message, "anymail_status", None)  # left by anymail's backends only
    return str(status.message_id or "")[:200] if status else ""


def _meaning(error: Exception) -> Exception:
    if provider_errors.is_about_us(error):
        return ServerUnavailable(_short(error))
    if provider_errors.is_about_the_address(error):
        return RefusedForGood(_short(error))
    if isinstance(error, smtplib.SMTPSenderRefused | smtplib.SMTPHeloError | smtplib.SMTPAuthenticationError):
        return ServerUnavailable(_short(error))  # our set-up is refused, not the patient's address
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        codes = [code for code, _ in error.recipients.values()]
        permanent = all(code >= 500 for code in codes)
    else:
        permanent = getattr(error, "smtp_code", 0) >= 500 or isinstance(error, smtplib.SMTPNotSupportedError)
    return RefusedForGood(_short(error)) if permanent else TryLater(_short(error))


def _short(error: Exception) -> str:
    """What the server said, fit for the ledger's column: PostgreSQL keeps no NUL."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, text = next(iter(error.recipients.values()))
    elif isinstance(error, smtplib.SMTPResponseException):
        code, text = error.smtp_code, error.smtp_error
    else:
        code, text = f"{type(error).__name__}:", str(error)
    told = text.decode(errors="replace") if isinstance(text, bytes) else text
    return " ".join(f"{code} {told}".replace("\x00", " ").split())[:200]
