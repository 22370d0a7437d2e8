"""The first start in production: see docs/operations.md, First start."""

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from infusion_center.accounts.first_password import password_link
from infusion_center.core.rules import RuleViolation
from infusions.opening import open_center


class Command(BaseCommand):
    help = (
        "Open a new center in an empty, migrated database: the shipped formulary and checklist, the first manager, who "
        "sets the password by the link that is printed, and a site if one is named. No demo data."
    )

    def add_arguments(self, parser):
        parser.add_argument("--email", required=True, help="of the first manager, to sign in with")
        parser.add_argument("--name", required=True, help="of the first manager")
        parser.add_argument("--site", default="", help="name of the first site; else the manager makes it")
        parser.add_argument("--time-zone", default="", help="of the site, such as America/New_York")

    def handle(self, *args, email, name, site, time_zone, **options):
        if bool(site) != bool(time_zone):
            raise CommandError("--site and --time-zone belong together.")
        try:
            manager = open_center(email=email, full_name=name, site_name=site, time_zone=time_zone)
        except RuleViolation as refused:
            raise CommandError(" ".join(problem.message for problem in refused.problems)) from None
        except ValidationError as refused:
            raise CommandError(" ".join(refused.messages)) from None
        self.stdout.write(f"The center is open. {manager.full_name} sets a password here, once, within three days:")
        self.stdout.write(password_link(manager))
