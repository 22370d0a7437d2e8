"""`make bench`: what the busy pages cost, as ratios to a signed-in page of ours that runs one indexed query.

On a PostgreSQL of its own (python -m tests.servers python -m tests.bench), in process and through two gunicorn workers.
Prints a table and JSON lines. `--quick`: less history, fewer patients, fewer rounds. `--write "on a quiet machine"`:
the figures go into docs/benchmarks.md. DATABASE_URL must name an empty database, which holds demo data afterwards.
"""

import argparse
import os
import sys
import time


def main() -> None:
    parser = argparse.ArgumentParser(prog="tests.bench")
    parser.add_argument("--quick", action="store_true", help="less of everything: a minute, for a first look")
    parser.add_argument("--write", metavar="HOW", help="put the figures into docs/benchmarks.md, saying how measured")
    parser.add_argument("--recall", action="store_true", help="only the recall among millions of vials")
    parser.add_argument("--reminders", action="store_true", help="only planning and sending of reminders")
    parser.add_argument("--audit", action="store_true", help="only the audit trail: its cost, its chain, its pages")
    options = parser.parse_args()
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.bench.settings"
    import django

    django.setup()
    prepare_database()
    from tests.bench.ground import FULL, QUICK
    from tests.bench.phases import audit_alone, recall_alone, reminders_alone, run
    from tests.bench.printing import print_json, print_table

    began = time.monotonic()

    def say(line: str) -> None:
        print(f"[{time.monotonic() - began:5.0f} s] {line}", file=sys.stderr, flush=True)

    only = {recall_alone: options.recall, reminders_alone: options.reminders, audit_alone: options.audit}
    phases = next((phase for phase, is_wanted in only.items() if is_wanted), run)
    results = list(print_table(phases(QUICK if options.quick else FULL, say)))
    print()
    print_json(results)
    if options.write:
        from tests.bench.figures import write_figures

        write_figures(results, options.write)


def prepare_database() -> None:
    from django.core.management import call_command

    from infusion_center.accounts.models import User

    call_command("migrate", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    if User.objects.exists():
        sys.exit("The database holds people already: the bench wants an empty one.")


if __name__ == "__main__":
    main()
