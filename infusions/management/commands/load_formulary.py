from django.core.management.base import BaseCommand

from infusions.formulary.catalog import load_catalog


class Command(BaseCommand):
    help = (
        "Loads the shipped products, indications and rate schedules; rows that a pharmacist touched stay as they are."
    )

    def handle(self, *args, **options):
        report = load_catalog()
        for name in report.kept:
            self.stdout.write(f"kept: {name}")
        self.stdout.write(str(report))
