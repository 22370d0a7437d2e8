"""Plays a planned day through, minute by minute, with what plans leave out: people are late, infusions take longer.

Pure, for the simulation only. Nurses help each other: whoever has free hands starts or finishes the next patient.
"""

from __future__ import annotations

import heapq
import random
from collections import defaultdict
from typing import NamedTuple

START_MINUTES, FINISH_MINUTES, CLOSING = 30, 15, 18 * 60


class Planned(NamedTuple):
    """A visit of a day, in quarters after midnight."""

    start: int
    length: int
    chair: int


def play_day(planned: list[Planned], nurses: int, dice: random.Random, outcome) -> None:
    """Adds to `outcome` how long each patient waited for chair and hands, and how late the last one left."""
    waiting_for: dict[int, list[int]] = defaultdict(list)  # chair -> visits in their order
    order = sorted(range(len(planned)), key=lambda number: planned[number])
    arrives, lasts = {}, {}
    for number in order:
        visit = planned[number]
        arrives[number] = max(0, visit.start * 15 + round(dice.gauss(0, 8)))
        handled = START_MINUTES + FINISH_MINUTES
        lasts[number] = round((visit.length * 15 - handled) * dice.lognormvariate(0.0, 0.12))
        waiting_for[visit.chair].append(number)
    free_hands = [0] * nurses
    waits, last_out = defaultdict(int), 0
    # (minute from which hands are wanted, number of the visit, whether it is to be finished)
    tasks = [(arrives[numbers[0]], numbers[0], False) for numbers in waiting_for.values()]
    heapq.heapify(tasks)
    while tasks:
        wanted, number, finishing = heapq.heappop(tasks)
        begun = max(wanted, heapq.heappop(free_hands))
        waits[number] += begun - wanted
        done = begun + (FINISH_MINUTES if finishing else START_MINUTES)
        heapq.heappush(free_hands, done)
        if not finishing:
            heapq.heappush(tasks, (done + lasts[number], number, True))
            continue
        last_out = max(last_out, done)
        queue = waiting_for[planned[number].chair]
        if following := queue[queue.index(number) + 1 : queue.index(number) + 2]:
            ready = max(done, arrives[following[0]])
            waits[following[0]] += ready - arrives[following[0]]
            heapq.heappush(tasks, (ready, following[0], False))
    outcome.waits += [waits[number] for number in order]
    outcome.overtime.append(max(0, last_out - CLOSING))
