"""Jobs of race_worker: patients who press their offer's link at the same moment."""

import datetime as dt
import os
import time
from pathlib import Path


def accept(job: dict, number: int, result: dict) -> None:
    """Every process accepts the offer that is its turn."""
    from infusion_center.core.rules import RuleViolation
    from infusions.scheduling.models import WaitlistOffer
    from infusions.scheduling.waitlist_offers import accept_offer

    pk = job["offers"][number % len(job["offers"])]
    offer = WaitlistOffer.objects.select_related("entry__order", "entry__site").get(pk=pk)
    try:
        result["booked"].append(accept_offer(offer=offer, now=dt.datetime.fromisoformat(job["now"])).pk)
    except RuleViolation as refused:
        result["refused"].update(refused.codes)


def hang_while_accepting(job: dict, number: int, result: dict) -> None:
    """Stop when visit and claims are written and the entry is not settled yet, and wait to be killed."""
    from infusions.scheduling import waitlist_services

    def hang(*_, **__):
        Path(job["flag"]).write_text(str(os.getpid()))
        time.sleep(600)

    waitlist_services.withdraw_offers = hang
    accept(job, number, result)
