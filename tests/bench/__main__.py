"""`make bench`: what the busy pages cost, as ratios to a signed-in page of ours that runs one indexed query.

Runs on the database of DATABASE_URL, else on a SQLite file of its own, filled by the demo seed. Prints a table and one
JSON line per row. The application is called in-process through Django's test client, so nothing but our code is timed.
"""

import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROUNDS = 40


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.environ.setdefault("DATABASE_URL", f"sqlite:///{Path(folder) / 'bench.sqlite3'}")
        os.environ["DJANGO_SETTINGS_MODULE"] = "infusion_center.settings_test"
        import django

        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        call_command("seed_demo", tier="small", verbosity=0)
        report(measure())


def measure() -> dict[str, float]:
    """Median milliseconds by name; "floor" is the page that everything else is compared with."""
    from django.test import Client
    from django.urls import reverse

    from infusion_center.accounts.models import User
    from infusions.facility.models import Setting, Site
    from infusions.orders.models import InfusionOrder
    from infusions.scheduling.slots import find_slots

    client = Client()
    client.force_login(User.objects.get(email="manager@demo.example.org"))
    order = InfusionOrder.objects.signed().filter(home_allowed=False).order_by("pk").first()
    site = Site.objects.get()

    def page(name: str, *args) -> Callable:
        url = reverse(name, args=args)

        def call():
            assert client.get(url).status_code == 200, url

        return call

    return {
        "floor: one indexed query, signed in": timed(page("facility:chair-list")),
        "slot search in process": timed(lambda: find_slots(order, setting=Setting.FACILITY, site=site)),
        "slot search page": timed(page("scheduling:slot-list", order.public_id)),
        "day board": timed(page("scheduling:board")),
        "patient search": timed(page("patients:patient-list")),
        "chart": timed(page("patients:patient-detail", order.patient.public_id)),
    }


def timed(call: Callable) -> float:
    call()
    times = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        call()
        times.append((time.perf_counter() - started) * 1000)
    return statistics.median(times)


def report(figures: dict[str, float]) -> None:
    floor = next(iter(figures.values()))
    for name, milliseconds in figures.items():
        print(f"{name:<40}{milliseconds:>9.2f} ms{milliseconds / floor:>8.2f} x")
    for name, milliseconds in figures.items():
        print(json.dumps({"name": name, "ms": round(milliseconds, 3), "ratio": round(milliseconds / floor, 3)}))


if __name__ == "__main__":
    main()
