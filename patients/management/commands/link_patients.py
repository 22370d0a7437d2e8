"""One more pass of what the migration did, for rows that the release before wrote while both ran."""

from importlib import import_module

from django.core.management.base import BaseCommand
from django.db import connection

MIGRATION = "patients.migrations.0003_patient_sites"


class Command(BaseCommand):
    help = (
        "Once, after the last web of a release without sites of patients was stopped: gives patients whom it "
        "registered meanwhile to the sites that see them. Doing it again does nothing."
    )

    def handle(self, *args, **options):
        self.stdout.write(f"{import_module(MIGRATION).link(connection)} patients and sites linked.")
