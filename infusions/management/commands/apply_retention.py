"""What has been kept long enough goes, by the rules of retention.toml."""

from collections import Counter

from django.core.management.base import BaseCommand, CommandError

from infusion_center.core import clock
from infusion_center.core.retention import policy, policy_errors
from infusions.retention import apply_retention, rules_done_here, what_may_go


class Command(BaseCommand):
    help = (
        "Say what may be erased by the rules of infusion_center/retention.toml; with --yes erase it. Clinical records "
        "are never erased by it. Run it once a day by cron, or set RETENTION_DAILY=true where Celery beat runs."
    )

    def add_arguments(self, parser):
        parser.add_argument("--yes", action="store_true", help="erase; without it nothing is changed")

    def handle(self, *args, yes, **options):
        if errors := policy_errors():
            raise CommandError("retention.toml is not complete:\n" + "\n".join(errors))
        now, done = clock.now(), {rule.name for rule in rules_done_here()}
        for rule in policy()[0].values():
            if rule.name in done:
                counts = what_may_go(rule, now)
                told = ", ".join(f"{number:,} {table}" for table, number in counts.items()) or "nothing"
                self.stdout.write(f"{rule.name}: after {rule.keep}: {told}")
            else:
                self.stdout.write(f"{rule.name}: {rule.done_by or rule.then}")
        if not yes:
            self.stdout.write("Nothing was changed: add --yes. A run takes some thousand rows of a table at once.")
            return
        total = Counter()
        while erased := Counter(apply_retention(now=now)):
            total += erased
        self.stdout.write(", ".join(f"{number:,} {table}" for table, number in total.items()) or "Nothing to erase.")
