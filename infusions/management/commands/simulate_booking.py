"""Prints what ranking the starts is worth: the same calls booked first-come-earliest and ranked, as ratios."""

import json

from django.core.management.base import BaseCommand

from infusions.scheduling.ranking import Weights
from infusions.scheduling.simulation import Center, ratios, simulate


class Command(BaseCommand):
    help = "Compare ranked booking with first-come-earliest booking over generated weeks. Touches no database."
    requires_system_checks = []

    def add_arguments(self, parser):
        parser.add_argument("--weeks", type=int, default=24)
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--chairs", type=int, default=12)
        parser.add_argument("--nurses", type=int, default=4)
        parser.add_argument("--ratio", type=int, default=4)
        parser.add_argument("--weights", type=int, nargs=4, metavar=("LEVEL", "CHAIRS", "WISHES", "DUE"))

    def handle(self, *, weeks, seed, chairs, nurses, ratio, weights, **options):
        center = Center(chairs, nurses, ratio)
        found = simulate(weeks=weeks, seed=seed, center=center, weights=Weights(*weights) if weights else None)
        self.stdout.write(f"{'':<42}{'earliest':>10}{'ranked':>10}{'ratio':>8}")
        lines = []
        for name, earliest, ranked, ratio_of in ratios(found):
            share = "-" if ratio_of is None else f"{ratio_of:.2f}"
            self.stdout.write(f"{name:<42}{earliest:>10.1f}{ranked:>10.1f}{share:>8}")
            lines.append({"name": name, "earliest": earliest, "ranked": ranked, "ratio": ratio_of})
        for line in lines:
            self.stdout.write(json.dumps(line | {"chairs": chairs, "nurses": nurses, "weeks": weeks, "seed": seed}))
