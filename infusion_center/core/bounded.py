"""Questions to what may hang: asked in threads of their own, one at a time each, with an end to waiting."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping

from django.db import connections

logger = logging.getLogger(__name__)


class Bounded:
    """A question whose answer is kept for some seconds. No answer in time, or an error, is `otherwise`.

    While one asking hangs no second one begins: a monitor that asks on and on leaves one thread behind, not hundreds.
    """

    def __init__(self, ask: Callable[[], dict[str, str]], *, otherwise: dict[str, str], keep_seconds: float = 5):
        self.ask, self.otherwise, self.keep_seconds = ask, otherwise, keep_seconds
        self.lock = threading.Lock()
        self.thread: threading.Thread | None = None
        self.kept: tuple[float, dict[str, str]] | None = None

    def start(self) -> dict[str, str] | None:
        """What is kept and still fresh; else the question is on its way."""
        with self.lock:
            kept = self.fresh()
            if kept is None and (self.thread is None or not self.thread.is_alive()):
                self.thread = threading.Thread(target=self._run, daemon=True)
                self.thread.start()
            return kept

    def answer(self, until: float) -> dict[str, str]:
        if self.thread is not None:
            self.thread.join(max(0, until - time.monotonic()))
        found = self.fresh()
        return self.otherwise if found is None else found

    def fresh(self) -> dict[str, str] | None:
        kept = self.kept
        return kept[1] if kept and time.monotonic() - kept[0] < self.keep_seconds else None

    def forget(self) -> None:
        self.kept = None

    def _run(self) -> None:
        try:
            found = self.ask()
        except Exception as error:  # whatever it was: the answer is a no, and monitors see it
            logger.warning("health: %s", error)
            found = self.otherwise
        finally:
            connections.close_all()  # of this thread
        self.kept = (time.monotonic(), found)


def answers(questions: Mapping[str, Bounded], seconds: float) -> dict[str, str]:
    """All at once, and after so many seconds what is known by then."""
    until = time.monotonic() + seconds
    kept = [(question, question.start()) for question in questions.values()]
    found: dict[str, str] = {}
    for question, answer in kept:
        # One that was fresh a moment ago holds, though it may have grown old while another was waited for.
        found |= question.answer(until) if answer is None else answer
    return found
