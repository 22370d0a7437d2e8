"""The folder that all processes of a run share: one clock, a deck of faults to be played, journals of what happened."""

import datetime as dt
import fcntl
import json
import os
import random
import signal
import struct
import time
from collections.abc import Collection
from pathlib import Path
from typing import TextIO


class Clock:
    """Ticks as in life; jumps ahead only while no task is under way, as if the machine had slept in between."""

    def __init__(self, folder: Path):
        self._path, self._lock, self._jumping = folder / "clock", folder / "clock.lock", folder / "clock.jumping"

    def now(self) -> dt.datetime:
        shown, at = struct.unpack("dd", self._path.read_bytes())
        return dt.datetime.fromtimestamp(shown + time.monotonic() - at, dt.UTC)

    def hold(self) -> TextIO:
        """Until the file is closed, or its process dies, the clock does not jump."""
        while self._jumping.exists():
            time.sleep(0.01)
        held = self._lock.open("a")
        fcntl.flock(held, fcntl.LOCK_SH)
        return held

    def jump(self, to: dt.datetime) -> None:
        self._jumping.touch()
        with self._lock.open("a") as alone:
            fcntl.flock(alone, fcntl.LOCK_EX)
            fresh = self._path.with_suffix(".fresh")
            fresh.write_bytes(struct.pack("dd", to.timestamp(), time.monotonic()))
            fresh.rename(self._path)
            self._jumping.unlink()

    def install(self) -> None:
        """From now on this process lives by this clock."""
        from django.utils import timezone

        timezone.now = self.now


class Deck:
    """Faults laid out for whoever comes by first: a card is a file, drawn by renaming it, so it is played once."""

    def __init__(self, folder: Path):
        self._open, self._played = folder / "deck", folder / "played"
        self._doubts = folder / "doubts"
        self._random = random.SystemRandom()

    def make(self) -> None:
        for folder in (self._open, self._played, self._doubts):
            folder.mkdir()

    def lay(self, kind: str) -> None:
        (self._open / f"{time.monotonic_ns()}.{kind}").touch()

    def left(self) -> list[str]:
        return [path.name.split(".", 1)[1] for path in self._open.iterdir()]

    def draw(self, kinds: Collection[str], *, chance: float = 1.0) -> str | None:
        """One of these faults, to be played now; None if there is none, or by chance."""
        if self._random.random() > chance:
            return None
        cards = [path for path in self._open.iterdir() if path.name.split(".", 1)[1] in kinds]
        self._random.shuffle(cards)
        for card in cards:
            try:
                card.rename(self._played / card.name)
            except FileNotFoundError:
                continue
            return card.name.split(".", 1)[1]
        return None

    def may_doubt(self, message_id: str) -> bool:
        """Whether a message may still be left in doubt: each is at most once, so that it comes at most twice."""
        return not (self._doubts / message_id.strip("<>")).exists()

    def note_doubt(self, message_id: str) -> None:
        (self._doubts / message_id.strip("<>")).touch()


class Journal:
    """Lines that several processes append to; a line is written whole or not at all."""

    def __init__(self, path: Path):
        self._path = path

    def write(self, **line) -> None:
        where = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.write(where, json.dumps({"at": time.monotonic(), "sim": CLOCK.now().timestamp(), **line}).encode() + b"\n")
        os.close(where)

    def lines(self) -> list[dict]:
        return [json.loads(line) for line in self._path.read_text().splitlines()] if self._path.exists() else []


def die() -> None:
    """As the kernel ends a process that took too much memory: without a word."""
    os.kill(os.getpid(), signal.SIGKILL)


FOLDER = Path(os.environ["FAULTS_FOLDER"])
CLOCK, DECK = Clock(FOLDER), Deck(FOLDER)
FAULTS, ATTEMPTS, TAKEN = (Journal(FOLDER / f"{name}.jsonl") for name in ("faults", "attempts", "taken"))
