"""What pages and searches answer in a process of another time zone: `python -m ... zone_worker '{"now": ...}' ZONE`."""

import datetime as dt
import json
import os
import re
import sys
import time

# New each time a page is made.
FRESH = re.compile(r'(csrfmiddlewaretoken|name="token)" value="[^"]*"|"x-csrftoken": "[^"]*"')


def main() -> None:
    import django

    django.setup()
    os.environ["TZ"] = sys.argv[2]  # after the settings, which set it to theirs
    time.tzset()
    found = {**answers(json.loads(sys.argv[1])), "offset": time.localtime().tm_gmtoff}
    sys.stdout.write(json.dumps(found))


def answers(job: dict) -> dict:
    """Everything as text; what looking at pages writes is rolled back."""
    from django.db import transaction

    from infusion_center.core import clock

    with clock.pretend(dt.datetime.fromisoformat(job["now"])), transaction.atomic():
        try:
            pages = {page: _page(int(user), page) for user, pages in job["pages"].items() for page in pages}
            return {"pages": pages, "search": _search(job)}
        finally:
            transaction.set_rollback(True)


def _page(user: int, page: str) -> tuple[int, str]:
    from django.test import Client

    from infusion_center.accounts.models import User
    from tests.factories.accounts import force_login

    client = Client()
    force_login(client, User.objects.get(pk=user))
    response = client.get(page)
    return response.status_code, FRESH.sub("", response.content.decode())


def _search(job: dict) -> list:
    from infusions.facility.models import Site
    from infusions.orders.models import InfusionOrder
    from infusions.scheduling.slots import find_slots

    order, site = InfusionOrder.objects.get(pk=job["order"]), Site.objects.get(pk=job["site"])
    found = find_slots(order, setting="facility", site=site, limit=None).options
    return [[one.start.isoformat(), one.end.isoformat(), str(one.chair), str(one.nurse), one.merits] for one in found]


if __name__ == "__main__":
    main()
