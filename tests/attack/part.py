"""One part of the run in a process of its own: `python -m tests.attack.part fuzz --share 0/2`."""

import argparse
import os
from importlib import import_module

import django


def main() -> None:
    parser = argparse.ArgumentParser(prog="tests.attack.part")
    parser.add_argument("name")
    parser.add_argument("--share", default="0/1", help="which share of how many")
    parser.add_argument("--requests", type=int, default=10_000, help="of all shares together")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--report", default="")
    parser.add_argument("--seconds", type=int, default=90, help="that a scanner may take")
    options = parser.parse_args()
    options.share = tuple(map(int, options.share.split("/")))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.attack.settings")
    django.setup()
    import_module(f"tests.attack.{options.name}").run(options)


if __name__ == "__main__":
    main()
