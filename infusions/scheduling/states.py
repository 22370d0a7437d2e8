"""States of an appointment and which may follow which."""

from django.db import models


class State(models.TextChoices):
    EXPECTED = "expected", "Expected"
    CONFIRMED = "confirmed", "Confirmed"
    ARRIVED = "arrived", "Arrived"
    IN_PROGRESS = "in_progress", "In progress"
    COMPLETED = "completed", "Completed"
    STOPPED_EARLY = "stopped_early", "Stopped early"
    CANCELLED = "cancelled", "Cancelled"
    NO_SHOW = "no_show", "No-show"


NEXT: dict[State, frozenset[State]] = {
    State.EXPECTED: frozenset({State.CONFIRMED, State.ARRIVED, State.CANCELLED, State.NO_SHOW}),
    State.CONFIRMED: frozenset({State.EXPECTED, State.ARRIVED, State.CANCELLED, State.NO_SHOW}),
    # A patient who came may be sent home again (failed checklist) or was checked in by mistake.
    State.ARRIVED: frozenset({State.EXPECTED, State.IN_PROGRESS, State.CANCELLED}),
    State.IN_PROGRESS: frozenset({State.COMPLETED, State.STOPPED_EARLY}),
    State.COMPLETED: frozenset(),
    State.STOPPED_EARLY: frozenset(),
    State.CANCELLED: frozenset(),
    # "He is here after all": within the day.
    State.NO_SHOW: frozenset({State.ARRIVED}),
}
UPCOMING = frozenset({State.EXPECTED, State.CONFIRMED})
MOVABLE = UPCOMING
ON_SITE = frozenset({State.ARRIVED, State.IN_PROGRESS})
DONE = frozenset({State.COMPLETED, State.STOPPED_EARLY})
# States that hold their claims. A no-show keeps his until a coordinator moves or cancels him: he may still come.
HOLDING = frozenset(set(State) - {State.CANCELLED})


def may_follow(current: str, following: str) -> bool:
    return State(following) in NEXT[State(current)]
