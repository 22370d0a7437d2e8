"""The signed links in mails: one purpose each, they expire, and hold public ids and a version, never a name.

A token is the whole authority: the pages behind it use no session, so they need no CSRF token either.
"""

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from django.core import signing

from infusions.scheduling.models import Appointment, WaitlistOffer

# Visits are booked up to a year ahead; what has passed shows nothing anyway.
MAX_AGE = dt.timedelta(days=400)


class Purpose(StrEnum):
    """What the link of a visit lets its reader do; a token of one purpose opens nothing else."""

    VISIT = "visit"  # see it, confirm it
    MOVE = "move"
    CANCEL = "cancel"
    BEFORE = "before"  # say how she is, before the visit
    AFTER = "after"  # and after it

    @property
    def salt(self) -> str:
        return f"reminders.{self.value}"


STOP_SALT = "reminders.stop"
OFFER_SALT = "reminders.offer"
OF_OFFER = "offer-"  # public ids hold no hyphen


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

    def token(self, purpose: Purpose) -> str:
        """To another page about the visit as this link knew it."""
        return _signed_visit(self.appointment, self.version, purpose)


def visit_token(appointment: Appointment, purpose: Purpose = Purpose.VISIT) -> str:
    return _signed_visit(appointment, appointment.version, purpose)


def offer_token(offer: WaitlistOffer) -> str:
    """Until when it can be answered is the offer's own affair; afterwards its page tells kindly that it is over."""
    return _signer(OFFER_SALT).sign(offer.public_id)


def stop_token(about: Appointment | WaitlistOffer) -> str:
    """In the mail about a visit, or about an offer."""
    return _signer(STOP_SALT).sign(f"{OF_OFFER if isinstance(about, WaitlistOffer) else ''}{about.public_id}")


def read_visit_token(token: str, purpose: Purpose = Purpose.VISIT) -> VisitLink:
    public_id, _, version = _read(token, purpose.salt).partition("-")
    return VisitLink(_appointment(public_id), int(version))


def read_offer_token(token: str) -> WaitlistOffer:
    return _offer(_read(token, OFFER_SALT))


def read_stop_token(token: str) -> Appointment | WaitlistOffer:
    public_id = _read(token, STOP_SALT)
    return _offer(public_id.removeprefix(OF_OFFER)) if public_id.startswith(OF_OFFER) else _appointment(public_id)


def counted_as(token: str) -> str:
    """What requests with a genuine link are counted by, whatever its age; empty for letters that we never signed.

    The pages sign new links to each other every second, and mails of each version others: all mean the same visit.
    """
    salt = _signed_for(token)
    return f"{salt} {_public_id_in(_signer(salt).unsign(token))}" if salt else ""


def about(token: str) -> Appointment | WaitlistOffer | None:
    """Whom a genuine link is about, whatever it opens: only to say whom to call."""
    salt = _signed_for(token)
    if salt is None:
        return None
    signed = _signer(salt).unsign(token)
    try:
        if salt == OFFER_SALT or signed.startswith(OF_OFFER):
            return _offer(_public_id_in(signed))
        return _appointment(_public_id_in(signed))
    except BadLink:
        return None


def _public_id_in(signed: str) -> str:
    return signed.removeprefix(OF_OFFER).partition("-")[0]


def _signed_for(token: str) -> str | None:
    for salt in (*(purpose.salt for purpose in Purpose), STOP_SALT, OFFER_SALT):
        try:
            _signer(salt).unsign(token)
        except signing.BadSignature:
            continue
        return salt
    return None


def _signed_visit(appointment: Appointment, version: int, purpose: Purpose) -> str:
    return _signer(purpose.salt).sign(f"{appointment.public_id}-{version}")


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


def _offer(public_id: str) -> WaitlistOffer:
    offers = WaitlistOffer.objects.select_related(
        *("entry__patient", "entry__site", "entry__order__product", "entry__order__patient", "entry__instead_of"),
        *("entry__appointment__patient", "entry__appointment__site"),
    )
    try:
        return offers.get(public_id=public_id)
    except WaitlistOffer.DoesNotExist as error:
        raise BadLink from error
