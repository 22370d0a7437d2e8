"""The nightly work of the Celery worker, for small sites with cron."""

from django.core.management.base import BaseCommand

from infusions.scheduling.housekeeping import trim_claims


class Command(BaseCommand):
    help = "Let go of the claims of visits that were over two days ago. Run it once a day where no Celery worker runs."

    def handle(self, *args, **options):
        self.stdout.write(f"{trim_claims()} claims let go")
