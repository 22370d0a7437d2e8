"""What is asked of restored data besides that they are what was backed up: do they still make sense?"""

from __future__ import annotations

from io import StringIO

from django.core.management import CommandError, call_command, get_commands

from infusion_center.audit import services as audit
from infusion_center.audit.models import AuditEvent
from infusion_center.backup.contents import Manifest
from infusions.scheduling.invariants import claim_violations, shared_lanes
from infusions.scheduling.lanes import name_lane
from infusions.stock.queries import stock_violations


def findings(manifest: Manifest) -> list[str]:
    """Sentences; none for data that are as they should be."""
    shared = [
        f"shared: visits {visits}, {name_lane(lane)}, quarter {quarter}" for lane, quarter, visits in shared_lanes()
    ]
    return [*map(str, claim_violations()), *shared, *map(str, stock_violations()), *audit_findings(manifest)]


def audit_findings(manifest: Manifest) -> list[str]:
    """Where the trail is chained: the chain holds, up to the head that the backup names."""
    if "verify_audit" not in get_commands() or manifest.audit_head is None:
        return []
    head = f"{manifest.audit_head['position']}:{manifest.audit_head['digest']}"
    told = StringIO()
    try:
        call_command("verify_audit", head=head, read_only=True, stdout=StringIO(), stderr=told)
    except CommandError as problem:
        return [*told.getvalue().splitlines(), str(problem)]
    return []


def note_restore(manifest: Manifest) -> None:
    """The trail itself tells where the data were put back; its target is the last event that was kept."""
    last = AuditEvent.objects.order_by("-pk").first()
    if last is not None:
        audit.record("database.restored", last, by=None, backup_of=manifest.created_at, rows=manifest.rows)
