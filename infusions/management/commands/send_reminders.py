"""Plan and send what is due, once: the work of the Celery worker for small sites with cron."""

from django.core.management.base import BaseCommand

from infusions.reminders.services import plan_reminders, send_due


class Command(BaseCommand):
    help = "Plan reminders and send those that are due, once. Run it every minute where no Celery worker runs."

    def handle(self, *args, **options):
        counts = plan_reminders() + send_due()
        told = ", ".join(f"{number} {outcome}" for outcome, number in sorted(counts.items()))
        self.stdout.write(told or "nothing to do")
