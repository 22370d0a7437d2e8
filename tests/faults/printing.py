"""The figures of a run, for people and for the log of a build."""

import json

from tests.faults.kinds import CARDS, CLOCK, DIRECTED
from tests.faults.verdict import Figures

SHOWN = 25


def print_figures(figures: Figures, *, seconds: float) -> bool:
    print("\nFaults injected")
    for kind in (*CARDS, *DIRECTED, CLOCK):
        print(f"  {figures.faults[kind]:5}  {kind}")
    print(f"  {figures.faults.total():5}  in all (at least {figures.wanted} wanted)")
    print("\nRows of the ledger")
    states = sorted({state for _, state in figures.states})
    print("  " + "".join(f"{state:>10}" for state in states) + "  kind")
    for kind in sorted({kind for kind, _ in figures.states}):
        print("  " + "".join(f"{figures.states[kind, state]:10}" for state in states) + f"  {kind}")
    for (state, reason), number in sorted(figures.reasons.items()):
        print(f"  {number:10}  {state}: {reason}")
    print("\nMails")
    for label, number in (
        ("visits", figures.visits),
        ("mails taken by the mail server", figures.mails),
        ("left in doubt: taken, and the sender could not know or record it", figures.doubts),
        ("of these come twice, with the same Message-ID", figures.repeated),
        ("times that one message came at most", figures.most_often),
        ("LOST", len(figures.lost)),
        ("WRONG", len(figures.wrong)),
    ):
        print(f"  {number:5}  {label}")
    print(f"  longest wait until all due was done: {figures.longest_wait:.1f} s; whole run: {seconds:.0f} s")
    for title, found in (("Lost", figures.lost), ("Wrong", figures.wrong)):
        for line in found[:SHOWN]:
            print(f"  {title}: {line}")
        if len(found) > SHOWN:
            print(f"  ... and {len(found) - SHOWN} more")
    print(f"\n{'Every promise held.' if figures.holds else 'PROMISES BROKEN.'}")
    print(json.dumps(summary(figures, seconds)))
    return figures.holds


def summary(figures: Figures, seconds: float) -> dict:
    return {
        "faults": figures.faults.total(),
        "kinds": len(figures.faults),
        "visits": figures.visits,
        "rows": figures.states.total(),
        "mails": figures.mails,
        "in_doubt": figures.doubts,
        "repeated": figures.repeated,
        "lost": len(figures.lost),
        "wrong": len(figures.wrong),
        "seconds": round(seconds),
    }
