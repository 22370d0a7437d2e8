"""What the journals prove: which mails came, by which try, and which of them left the sender in doubt."""

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass

from icalendar import Calendar

from infusions.reminders.models import Reminder
from tests.faults.ground import ATTEMPTS, TAKEN

# A worker killed so soon after the 250 may not have come to its commit.
COMMIT_SECONDS = 2.0


@dataclass(frozen=True)
class Mail:
    """A message that the mail server took. `begun`: when the sender began to hand it over."""

    id: str
    attempt: str
    to: list[str]
    row: Reminder | None
    kind: str
    begun: dt.datetime
    begun_at: float
    starts: dt.datetime | None


class Evidence:
    def __init__(self, rows: list[Reminder], killed_groups: dict[int, float]):
        self._rows = {row.public_id: row for row in rows}
        attempts = ATTEMPTS.lines()
        self._begun = {line["attempt"]: line for line in attempts if line["step"] == "begun"}
        self._done = {line["attempt"]: line["at"] for line in attempts if line["step"] == "done"}
        self._killed_groups = killed_groups
        self._last_of_process = {line["attempt"].split("-")[0]: line["attempt"] for line in self._begun.values()}
        self.refused = defaultdict(list)  # by Message-ID: what the mail server said
        for line in attempts:
            if line["step"] == "failed":
                self.refused[line["id"]].append(line["error"])
        self.mails = [self._mail(line) for line in TAKEN.lines()]
        self.of_row: dict[int, list[Mail]] = defaultdict(list)
        for mail in self.mails:
            if mail.row is not None:
                self.of_row[mail.row.pk].append(mail)

    def _mail(self, line: dict) -> Mail:
        row = self._rows.get(line["id"].strip("<>").split("@")[0])
        begun = self._begun[line["attempt"]]
        return Mail(
            id=line["id"],
            attempt=line["attempt"],
            to=line["to"],
            row=row,
            kind=row.kind if row else "",
            begun=dt.datetime.fromtimestamp(begun["sim"], dt.UTC),
            begun_at=begun["at"],
            starts=start_in(line["calendar"]),
        )

    def was_answered(self, mail: Mail) -> bool:
        """The sender read the 250; one killed after it did not live to write that down."""
        return mail.attempt in self._done

    def in_doubt(self, mail: Mail) -> bool:
        """Taken, and the sender never learned it, or was killed before it could record it."""
        if not self.was_answered(mail):
            return True
        killed_at = self._killed_groups.get(self._begun[mail.attempt]["group"], float("inf"))
        in_time = killed_at - self._done[mail.attempt] < COMMIT_SECONDS
        return in_time and self._last_of_process[mail.attempt.split("-")[0]] == mail.attempt


def start_in(calendar: str) -> dt.datetime | None:
    if not calendar:
        return None
    event = next(iter(Calendar.from_ical(calendar).walk("VEVENT")))
    return event["DTSTART"].dt.astimezone(dt.UTC)
