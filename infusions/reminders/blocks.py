"""Addresses to which no mail goes, because it came back or its reader complained, until somebody lifts the block.

A block is of the address, not of the patient: whoever corrects a patient's address is done with it.
"""

import datetime as dt
from collections.abc import Iterable

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Left, Lower
from django.urls import reverse

from infusion_center.audit import services as audit
from infusion_center.core import clock
from infusion_center.core.rules import Problem, RuleViolation, blocker, warning
from infusions.reminders.delivery_models import BlockCause, BlockedAddress, MailEvent
from infusions.reminders.models import Reason
from patients.models import Patient, SearchKey
from patients.names import LONGEST_WORD
from patients.queries import patients_with_address

REASONS = {BlockCause.BOUNCED: Reason.BOUNCED, BlockCause.COMPLAINED: Reason.COMPLAINED}


def blocked_causes(addresses: Iterable[str]) -> dict[str, BlockCause]:
    """Those of the addresses that are blocked, in lower case, and why: one statement for a whole batch."""
    wanted = {address.lower() for address in addresses} - {""}
    if not wanted:
        return {}
    rows = standing_blocks().filter(address__in=wanted).values_list("address", "cause")
    return {address: BlockCause(cause) for address, cause in rows}


def blocked_cause(address: str) -> BlockCause | None:
    return blocked_causes([address]).get(address.lower())


def blocked_reason(address: str) -> Reason | None:
    """The same, as a reason for not sending a message."""
    cause = blocked_cause(address)
    return REASONS[cause] if cause else None


def block_problems(patient: Patient, *, may_lift: bool) -> list[Problem]:
    """For pages about the patient: mail to the address on file is in vain, and what to do about it."""
    block = block_of(patient)
    if block is None:
        return []
    told = "came back" if block.cause == BlockCause.BOUNCED else "was reported as unwanted"
    return [
        warning(
            "mail-blocked",
            f"Mail to {block.address} {told}: no more is sent there. Call instead.",
            remedy="Correct the address, or lift the block." if may_lift else "Ask for the right address.",
            url=reverse("reminders:block-lift", args=[block.public_id]) if may_lift else "",
        )
    ]


def patients_by_address(blocks: Iterable[BlockedAddress], *, among: QuerySet[Patient]) -> dict[str, list[Patient]]:
    """Whose the addresses are now, `among` those whom the person sees: two statements for a whole page."""
    addresses = [block.address for block in blocks]
    keys = SearchKey.objects.filter(word__in=[address[:LONGEST_WORD] for address in addresses])
    found: dict[str, list[Patient]] = {address: [] for address in addresses}
    for patient in among.filter(pk__in=keys.values("patient")):
        found.get(patient.email.lower(), []).append(patient)
    return found


def standing_blocks() -> QuerySet[BlockedAddress]:
    return BlockedAddress.objects.filter(lifted_at=None)


def block_of(patient: Patient) -> BlockedAddress | None:
    return standing_blocks().filter(address=patient.email.lower()).first() if patient.email else None


def block_of_address_in(email: str) -> QuerySet[BlockedAddress]:
    """For subqueries: the block that stands on the address in a column, as in patient__email."""
    return standing_blocks().filter(address=Lower(OuterRef(email)))


def blocks_of_patients(*, among: QuerySet[Patient]) -> QuerySet[BlockedAddress]:
    """Standing blocks that matter: one of these patients has the address today. By the search keys, which hold each."""
    keys = SearchKey.objects.filter(word=Left(OuterRef("address"), LONGEST_WORD))
    return standing_blocks().filter(Exists(keys.filter(Exists(among.filter(pk=OuterRef("patient"))))))


@transaction.atomic
def block_address(*, address: str, cause: BlockCause, event: MailEvent, now: dt.datetime) -> BlockedAddress | None:
    """None if it stands already, or was lifted after what is told now had happened."""
    address = address.lower()
    if BlockedAddress.objects.filter(address=address, lifted_at__gte=event.happened_at).exists():
        return None
    values = {"cause": cause, "event": event, "blocked_at": now}
    block, created = BlockedAddress.objects.get_or_create(address=address, lifted_at=None, defaults=values)
    if not created:
        return None
    _audit("address.blocked", block, by=None, cause=cause.value)
    return block


@transaction.atomic
def lift_block(*, block: BlockedAddress, reason: str, by, now: dt.datetime | None = None) -> BlockedAddress:
    """Mail goes to the address again; the next bounce blocks it anew."""
    now = now or clock.now()
    if not reason.strip():
        raise RuleViolation([blocker("reason-missing", "Say why mail may go there again.", field="reason")])
    lifted = standing_blocks().filter(pk=block.pk)
    if not lifted.update(lifted_at=now, lifted_by=by, lift_reason=reason.strip()[:200]):
        raise RuleViolation([blocker("not-blocked", "Somebody else has just lifted this block.")])
    block.refresh_from_db()
    _audit("address.unblocked", block, by=by)
    return block


def _audit(action: str, block: BlockedAddress, *, by, **detail) -> None:
    """Once in the trail of each patient who has the address, mostly one; never with the address itself."""
    for patient in patients_with_address(block.address) or [None]:
        audit.record(action, block, by=by, patient=patient, **detail)
