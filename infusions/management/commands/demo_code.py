from django.core.management.base import BaseCommand, CommandError

from infusions.demo_factors import demo_code, has_demo_factors


class Command(BaseCommand):
    help = "Print the code with which the manager and the pharmacist of the demo sign in now."

    def handle(self, *args, **options):
        if not has_demo_factors():
            raise CommandError("There are no demo people here.")
        code, seconds = demo_code()
        self.stdout.write(f"{code}  (for {seconds} more seconds, once)")
