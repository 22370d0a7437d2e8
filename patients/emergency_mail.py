"""Tells the managers of an emergency access at once, by a mail that names no patient. It never fails the access."""

import logging
import smtplib
from contextlib import suppress

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.template.loader import render_to_string
from django.urls import reverse

from infusion_center.core import clock
from patients.emergency_models import EmergencyAccess, EmergencyNotice
from patients.emergency_queries import managers_to_tell

logger = logging.getLogger(__name__)
SUBJECT = "An emergency access was opened: review it"
PATIENCE_SECONDS = 3  # the person at the chart waits for it


def tell_managers(access: EmergencyAccess) -> None:
    """Each manager gets a mail of his own; whether it left is kept and shown on the list of accesses."""
    managers = managers_to_tell(access)
    sent = _send([_mail(access, manager) for manager in managers])
    now = clock.now()
    EmergencyNotice.objects.bulk_create(
        EmergencyNotice(access=access, manager=manager, tried_at=now, was_sent=was_sent)
        for manager, was_sent in zip(managers, sent, strict=True)
    )


def _mail(access: EmergencyAccess, manager) -> EmailMessage:
    url = f"{settings.SITE_URL}{reverse('patients:emergency-detail', args=[access.public_id])}"
    words = {"manager": manager, "person": access.user, "kind": access.get_kind_display(), "url": url}
    body = render_to_string("patients/emergency_mail.txt", words)
    return EmailMessage(SUBJECT, body, to=[manager.email], headers={"Auto-Submitted": "auto-generated"})


def _send(mails: list[EmailMessage]) -> list[bool]:
    """Whether each left. When the server itself fails, the rest is given up, lest the page waits for each."""
    left, connection = [], get_connection()
    if hasattr(connection, "timeout"):
        connection.timeout = PATIENCE_SECONDS
    for mail in mails:
        try:
            left.append(connection.send_messages([mail]) == 1)
        except Exception as error:  # whatever a mail program may raise: the chart has to open all the same
            logger.warning("Mail about an emergency access was not sent: %s", type(error).__name__)
            left.append(False)
            if isinstance(error, OSError) and not isinstance(error, smtplib.SMTPRecipientsRefused):
                break
    with suppress(Exception):
        connection.close()
    return left + [False] * (len(mails) - len(left))
