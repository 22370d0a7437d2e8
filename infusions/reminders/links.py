"""The signed links in mails: one purpose each, they expire, and hold public ids and a version, never a name.

A token is the whole authority: the pages behind it use no session, so they need no CSRF token either.
"""

import datetime as dt
from dataclasses import dataclass

from django.core import signing

from infusions.scheduling.models import Appointment

# Visits are booked up to a year ahead; what has passed shows nothing anyway.
MAX_AGE = dt.timedelta(days=400)
VISIT_SALT = "reminders.visit"
STOP_SALT = "reminders.stop"


class BadLink(Exception):
    """Forged, cut off in the mail program, or of another purpose."""


class ExpiredLink(Exception):
    """Once right, now too old."""


@dataclass(frozen=True)
class VisitLink:
    appointment: Appointment
    version: int

    @property
    def is_current(self) -> bool:
        return self.version == self.appointment.version


def visit_token(appointment: Appointment) -> str:
    return _signer(VISIT_SALT).sign(f"{appointment.public_id}-{appointment.version}")


def stop_token(appointment: Appointment) -> str:
    return _signer(STOP_SALT).sign(appointment.public_id)


def read_visit_token(token: str) -> VisitLink:
    public_id, _, version = _read(token, VISIT_SALT).partition("-")
    return VisitLink(_appointment(public_id), int(version))


def read_stop_token(token: str) -> Appointment:
    return _appointment(_read(token, STOP_SALT))


def _signer(salt: str) -> signing.TimestampSigner:
    # The dot survives every mail program; colons do not.
    return signing.TimestampSigner(salt=salt, sep=".")


def _read(token: str, salt: str) -> str:
    try:
        return _signer(salt).unsign(token, max_age=MAX_AGE)
    except signing.SignatureExpired as error:
        raise ExpiredLink from error
    except signing.BadSignature as error:
        raise BadLink from error


def _appointment(public_id: str) -> Appointment:
    try:
        return Appointment.objects.select_related("patient", "site", "order").get(public_id=public_id)
    except Appointment.DoesNotExist as error:
        raise BadLink from error
