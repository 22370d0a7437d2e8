from django.core.management.base import BaseCommand

from infusion_center.accounts.second_factor import seal_secrets_anew


class Command(BaseCommand):
    help = "Seal secrets of second factors anew, with the first of FIELD_KEYS. Then the other keys can go."

    def handle(self, *args, **options):
        self.stdout.write(f"{seal_secrets_anew()} sealed anew.")
