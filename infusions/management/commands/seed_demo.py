from django.core.management.base import BaseCommand, CommandError

from infusion_center.accounts.models import User
from infusions.demo import SIZES, build_demo
from infusions.demo_factors import give_demo_factors
from infusions.demo_pins import give_demo_pins
from infusions.demo_tiers import TIERS, build_tier


class Command(BaseCommand):
    help = "Build plainly fictional demo data around today. Same seed, same data."

    def add_arguments(self, parser):
        parser.add_argument("--tier", choices=[*SIZES, *TIERS], default="small")
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--years", type=float, help="of history; the tier's own when left out (not for small)")

    def handle(self, *args, tier, seed, years=None, verbosity=1, **options):
        if User.objects.exists():
            raise CommandError("The database holds people already: demo data go into an empty one only.")
        say = self.stdout.write if verbosity else lambda line: None
        if tier in SIZES:
            build_demo(seed=seed, say=say)
        else:
            build_tier(TIERS[tier], seed=seed, years=years, say=say)
        give_demo_pins()
        give_demo_factors()
