"""One engine's run, on the empty database that DATABASE_URL names: python -m tests.faults.run. See docs/faults.md."""

import argparse
import os
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

# Some of the faults find nothing to hit any more at the end, of few changes of the clocks more than of all.
MORE = 1.3


def main() -> int:
    options = parsed_options()
    os.environ["FAULTS_FOLDER"] = folder = tempfile.mkdtemp(prefix="infusion-faults-")
    if os.environ["DATABASE_URL"] == "sqlite":
        os.environ["DATABASE_URL"] = f"sqlite:///{folder}/faults.sqlite3"
    os.environ["FAULTS_BREAK"] = options.defect
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.faults.settings"
    try:
        return 0 if run(options, Path(folder)) else 1
    finally:
        if options.keep:
            print(f"Logs and journals: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)


def parsed_options():
    parser = argparse.ArgumentParser(prog="tests.faults.run")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--faults", type=int, required=True)
    parser.add_argument("--changes", type=int, required=True)
    parser.add_argument("--break", dest="defect", default="")
    parser.add_argument("--keep", action="store_true")
    return parser.parse_args()


def run(options, folder: Path) -> bool:
    from tests.faults.ground import CLOCK, DECK
    from tests.faults.kinds import dealt
    from tests.faults.processes import Rig
    from tests.faults.zones import changes, some

    began = time.monotonic()
    rng, around = random.Random(options.seed), some(changes(), options.changes)
    rig = Rig(folder, workers=2)
    os.environ.update(rig.settings)
    DECK.make()
    CLOCK.jump(around[0].moments[0])
    rig.start()
    try:
        world = founded_world(rng)
        rig.start_beats()
        from django.db import connection

        from tests.faults.director import Director

        director = Director(world, rig, rng, dealt(round(options.faults * MORE), rng), around)
        for change in around:
            director.play(change, visits=30)
            say(f"{time.monotonic() - began:5.0f} s  {connection.vendor}: {change.zone}, {change.day}: played")
    finally:
        rig.stop()
    from tests.faults.printing import print_figures
    from tests.faults.verdict import judged

    figures = judged(world, rig, wanted=options.faults, longest_wait=director.longest_wait)
    return print_figures(figures, seconds=time.monotonic() - began)


def founded_world(rng: random.Random):
    """The database migrated, and this process living by the run's clock."""
    import django

    from tests.faults.ground import CLOCK

    django.setup()
    CLOCK.install()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    from tests.faults.world import World

    world = World(rng)
    world.found()
    return world


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
