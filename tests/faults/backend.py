"""The SMTP backend of Django with a journal, and with the points at which a sender may die."""

import os
import time

from django.core.mail.backends import smtp

from tests.faults.ground import ATTEMPTS, DECK, FAULTS, die
from tests.faults.kinds import KILLED_AFTER_250, KILLED_CLAIMED


class Backend(smtp.EmailBackend):
    def _send(self, email_message):
        message_id = email_message.extra_headers["Message-ID"]
        attempt = f"{os.getpid()}-{time.monotonic_ns()}"
        email_message.extra_headers["X-Attempt"] = attempt
        ATTEMPTS.write(attempt=attempt, id=message_id, step="begun", group=os.getpgrp())
        fault = self._drawn(message_id)
        if fault == KILLED_CLAIMED:
            die()
        try:
            sent = super()._send(email_message)
        except Exception as error:
            ATTEMPTS.write(attempt=attempt, id=message_id, step="failed", error=f"{type(error).__name__}: {error}")
            raise
        if fault == KILLED_AFTER_250:
            die()
        ATTEMPTS.write(attempt=attempt, id=message_id, step="done")
        return sent

    def _drawn(self, message_id: str) -> str | None:
        kinds = {KILLED_CLAIMED, KILLED_AFTER_250} if DECK.may_doubt(message_id) else {KILLED_CLAIMED}
        fault = DECK.draw(kinds, chance=0.4)
        if fault:
            FAULTS.write(kind=fault, id=message_id)
        if fault == KILLED_AFTER_250:
            DECK.note_doubt(message_id)
        return fault
