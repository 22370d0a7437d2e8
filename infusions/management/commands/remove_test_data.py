"""Before real use: everything that was tried out goes."""

from django.core.management.base import BaseCommand, CommandError

from infusion_center.core.rules import RuleViolation
from infusions.test_data import counts_of, refuse_shared, remove_test_data, test_rows


class Command(BaseCommand):
    help = (
        "Say what is about test patients, table by table; with --yes remove it, all or nothing. Others' rows, "
        "the counts of stock and the audit trail stay. Make a backup first: this cannot be undone."
    )

    def add_arguments(self, parser):
        parser.add_argument("--yes", action="store_true", help="remove them; without it nothing is changed")

    def handle(self, *args, yes, **options):
        try:
            counts = remove_test_data() if yes else self.look()
        except RuleViolation as refused:
            raise CommandError(str(refused)) from refused
        for table, number in counts.items():
            self.stdout.write(f"{number:>8,}  {table}")
        total, patients = sum(counts.values()), counts.get("patients_patient", 0)
        if not counts:
            self.stdout.write("There are no test patients.")
        elif yes:
            self.stdout.write(f"Removed {patients:,} test patients with {total:,} rows in {len(counts)} tables.")
        else:
            self.stdout.write(f"{patients:,} test patients with {total:,} rows. Nothing was changed: add --yes.")

    def look(self) -> dict[str, int]:
        rows = test_rows()
        refuse_shared(rows)
        return counts_of(rows)
