from django.core.management.base import BaseCommand, CommandError

from infusion_center.accounts.models import User
from infusions.demo import SIZES, build_demo


class Command(BaseCommand):
    help = "Build plainly fictional demo data around today. Same seed, same data."

    def add_arguments(self, parser):
        parser.add_argument("--tier", choices=sorted(SIZES), default="small")
        parser.add_argument("--seed", type=int, default=1)

    def handle(self, *args, tier, seed, verbosity, **options):
        if User.objects.exists():
            raise CommandError("The database holds people already: demo data go into an empty one only.")
        build_demo(seed=seed, say=self.stdout.write if verbosity else lambda line: None)
