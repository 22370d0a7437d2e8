"""Mail that tells colleagues of an act at once. It waits for no broker and never fails the act that it tells of."""

import logging
import smtplib
from collections.abc import Mapping, Sequence
from contextlib import suppress

from django.core.mail import EmailMessage, get_connection
from django.template.loader import render_to_string

logger = logging.getLogger(__name__)
PATIENCE_SECONDS = 3  # somebody waits for the page meanwhile


def notice(*, to: str, subject: str, template: str, words: Mapping) -> EmailMessage:
    body = render_to_string(template, dict(words))
    return EmailMessage(subject, body, to=[to], headers={"Auto-Submitted": "auto-generated"})


def send_promptly(mails: Sequence[EmailMessage]) -> list[bool]:
    """Whether each left. When the server itself fails, the rest is given up, lest the page waits for each."""
    left, connection = [], get_connection()
    if hasattr(connection, "timeout"):
        connection.timeout = PATIENCE_SECONDS
    for mail in mails:
        try:
            left.append(connection.send_messages([mail]) == 1)
        except Exception as error:  # whatever a mail program may raise: the act is done all the same
            logger.warning("A notice to a manager was not sent: %s", type(error).__name__)
            left.append(False)
            if isinstance(error, OSError) and not isinstance(error, smtplib.SMTPRecipientsRefused):
                break
    with suppress(Exception):
        connection.close()
    return left + [False] * (len(mails) - len(left))
