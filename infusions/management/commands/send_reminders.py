"""Plan and send what is due: the work of the Celery workers for small sites with cron."""

import time
from collections import Counter

from django.core.management.base import BaseCommand, CommandError

from infusion_center.audit.sealing import seal_pending
from infusions.reminders.services import plan_reminders, send_due
from infusions.retention import forget_passing


class Command(BaseCommand):
    help = (
        "Plan reminders and send those that are due, until none is or the time is over, seal the audit trail, and "
        "erase what is kept a day only, such as uploaded sheets: what the Celery workers do. Run it every minute "
        "by cron where none runs; several at once, or beside a worker, do no harm. Ends with 1 when the mail server "
        "cannot be reached or messages could not be handed over; nothing is lost then."
    )

    def add_arguments(self, parser):
        parser.add_argument("--seconds", type=float, default=60, help="how long to work at most (default: 60)")

    def handle(self, *args, seconds, **options):
        ends, done = time.monotonic() + seconds, Counter()
        planned = plan_reminders(seconds=seconds)
        while planned["left"] and time.monotonic() < ends:
            done.update(planned)
            planned = plan_reminders(seconds=ends - time.monotonic())
        done.update(planned)
        del done["left"]
        done.update(send_due(seconds=ends - time.monotonic()))
        seal_pending()
        forget_passing()
        told = ", ".join(f"{number} {outcome}" for outcome, number in sorted(done.items()) if number)
        self.stdout.write(told or "nothing to do")
        if done["unavailable"]:
            raise CommandError("The mail server cannot be reached. What is due waits and is tried again.")
        if done["failed"] or done["retried"]:
            raise CommandError("Some messages could not be handed over: see the reminders page.")
