"""What a run injects, by name, and in what proportion."""

import random
from collections import Counter

# Played by the sender itself, at a point that no signal from outside hits for sure.
KILLED_BEFORE_CLAIM = "sender killed before it claims"
KILLED_CLAIMED = "sender killed between claim and send"
KILLED_AFTER_250 = "sender killed after the 250, before the commit"
SENDER = {KILLED_BEFORE_CLAIM: 16, KILLED_CLAIMED: 22, KILLED_AFTER_250: 16}

# Played by the mail server.
HELLO_421 = "mail server refuses at its greeting (421)"
RECIPIENT_450 = "mail server refuses the recipient for now (450)"
RECIPIENT_550 = "mail server refuses the recipient for good (550)"
DATA_451 = "mail server refuses the message for now (451)"
DATA_554 = "mail server refuses the message for good (554)"
SLOW = "mail server slow"
CUT_UNTAKEN = "connection cut after DATA, message not taken"
CUT_TAKEN = "connection cut after DATA, message taken"
HANGS_UNTAKEN = "mail server hangs, message not taken"
HANGS_TAKEN = "mail server hangs, message taken"
DIES_TAKEN = "mail server dies, message taken"
MAIL_SERVER = {
    HELLO_421: 8,
    RECIPIENT_450: 8,
    RECIPIENT_550: 5,
    DATA_451: 8,
    DATA_554: 5,
    SLOW: 12,
    CUT_UNTAKEN: 8,
    CUT_TAKEN: 12,
    HANGS_UNTAKEN: 3,
    HANGS_TAKEN: 3,
    DIES_TAKEN: 3,
}

# Played by the run: on processes, the database, and by the services that people's pages call.
WORKER_KILLED = "whole worker killed"
BEAT_DOUBLED = "beat doubled"
PLANNERS = "planners at once"
BROKER_KILLED = "broker killed and started again"
BROKER_FLUSHED = "broker emptied (FLUSHALL)"
MAIL_SERVER_DOWN = "mail server down"
DATABASE_LOCKED = "database locked for a moment"
MOVED = "visit moved between planning and sending"
CANCELLED = "visit cancelled between planning and sending"
CONSENT = "consent withdrawn"
HELD = "order held"
DIRECTED = {
    WORKER_KILLED: 5,
    BEAT_DOUBLED: 6,
    PLANNERS: 12,
    BROKER_KILLED: 5,
    BROKER_FLUSHED: 6,
    MAIL_SERVER_DOWN: 6,
    DATABASE_LOCKED: 7,
    MOVED: 20,
    CANCELLED: 20,
    CONSENT: 8,
    HELD: 8,
}
# Not drawn: one for each change of the clocks that the schedule lies around.
CLOCK = "clocks changed"

CARDS = {**SENDER, **MAIL_SERVER}
# The mail server has the message, the sender does not know: such a message may come twice.
LEAVES_DOUBT = frozenset({KILLED_AFTER_250, CUT_TAKEN, HANGS_TAKEN, DIES_TAKEN})


def dealt(wanted: int, rng: random.Random) -> list[str]:
    """`wanted` faults in a random order, each kind at least once."""
    weights = {**CARDS, **DIRECTED}
    scale = wanted / sum(weights.values())
    number = Counter({kind: max(1, round(weight * scale)) for kind, weight in weights.items()})
    number[MOVED] += max(0, wanted - number.total())
    deck = list(number.elements())
    rng.shuffle(deck)
    return deck
