"""Prove that the audit trail is whole: nothing changed, forged, removed, reordered, or cut off."""

import time
from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from infusion_center.audit import anchors, sealing, watching
from infusion_center.audit.models import ChainCheck
from infusion_center.audit.verifying import Walk, walk_on
from infusion_center.core import clock


class Command(BaseCommand):
    help = (
        "Check every event of the audit trail against its code and the chain, and the chain against the heads noted "
        "outside the database. Ends with 1 when anything is wrong. Also for a restored database: give the head that "
        "the backup names."
    )

    def add_arguments(self, parser):
        parser.add_argument("--head", help="a file of noted heads, or position:digest; else var/audit-head.jsonl")
        parser.add_argument("--read-only", action="store_true", help="neither seal before nor record the outcome")
        parser.add_argument(
            "--begin-anew",
            action="store_true",
            help="after a restore, with --head: when all is whole, keep the noted heads, which speak of what is gone, "
            "under another name",
        )

    def handle(self, *args, head, read_only, begin_anew, **options):
        if begin_anew and not head:
            raise CommandError("--begin-anew wants --head with the figure that the backup names.")
        heads = self.heads(head)
        if not read_only:
            sealing.seal_pending(seconds=3600, thorough=True)
        walk, began, started_at = Walk(), time.monotonic(), clock.now()
        walk_on(walk, heads)
        seconds = time.monotonic() - began
        if not read_only:
            check = ChainCheck(started_at=started_at, finished_at=clock.now(), position=walk.position)
            check.save()
            watching.record_outcome(check, walk)
        self.stdout.write(
            f"{walk.links:,} events checked in {seconds:.1f} s, {sealing.unsealed().count():,} not sealed yet, "
            f"head {walk.position}:{walk.digest}"
        )
        if not heads:
            self.stdout.write("No head was noted outside the database: a cut end would not be seen.")
        for sentence in walk.told:
            self.stderr.write(sentence)
        if walk.findings:
            raise CommandError(f"The audit trail is not whole: {walk.findings:,} findings.")
        self.stdout.write("The audit trail is whole.")
        if begin_anew:
            kept = settings.AUDIT_HEAD_FILE and anchors.set_aside(settings.AUDIT_HEAD_FILE)
            self.stdout.write(f"The heads noted until now are in {kept}." if kept else "No heads were noted here.")

    def heads(self, given: str | None) -> dict[int, str]:
        if given is None:
            return watching.noted(settings.AUDIT_HEAD_FILE)
        position, colon, digest = given.partition(":")
        if colon and position.isdigit():
            return {int(position): digest}
        if not Path(given).is_file():
            raise CommandError(f"There is no file {given}.")
        return anchors.noted_heads(Path(given))
