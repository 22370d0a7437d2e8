"""A mail server as a process of its own that misbehaves as the deck says: `python -m tests.faults.mail_server PORT`.

What it has taken stands in its journal before it says 250.
"""

import asyncio
import sys
from email import message_from_bytes, policy

from aiosmtpd.smtp import SMTP

from tests.faults.ground import DECK, FAULTS, TAKEN, die
from tests.faults.kinds import (
    CUT_TAKEN,
    CUT_UNTAKEN,
    DATA_451,
    DATA_554,
    DIES_TAKEN,
    HANGS_TAKEN,
    HANGS_UNTAKEN,
    HELLO_421,
    LEAVES_DOUBT,
    RECIPIENT_450,
    RECIPIENT_550,
    SLOW,
)

AT_DATA = frozenset(
    {SLOW, DATA_451, DATA_554, CUT_UNTAKEN, CUT_TAKEN, HANGS_UNTAKEN, HANGS_TAKEN, DIES_TAKEN},
)
SLOW_SECONDS, HANG_SECONDS = 0.4, 2.0  # the sender waits for one and a half
ANSWERS = {
    DATA_451: "451 try again later",
    DATA_554: "554 not this message",
    RECIPIENT_450: "450 mailbox busy",
    RECIPIENT_550: "550 no such mailbox",
}


class Handler:
    async def handle_EHLO(self, server, session, envelope, hostname, responses):  # the names that aiosmtpd calls
        session.host_name, session.refuses = hostname, drawn({HELLO_421}, chance=0.3)
        return ["421 too busy"] if session.refuses else responses

    async def handle_HELO(self, server, session, envelope, hostname):
        session.host_name = hostname
        return "421 too busy" if session.refuses else "250 here"

    async def handle_RCPT(self, server, session, envelope, address, options):
        if fault := drawn({RECIPIENT_450, RECIPIENT_550}, chance=0.2):
            return ANSWERS[fault]
        envelope.rcpt_tos.append(address)
        return "250 known"

    async def handle_DATA(self, server, session, envelope):
        message = message_from_bytes(envelope.content, policy=policy.default)
        message_id = message["Message-ID"]
        kinds = AT_DATA if DECK.may_doubt(message_id) else AT_DATA - LEAVES_DOUBT
        fault = drawn(kinds, chance=0.4, message_id=message_id)
        if fault in LEAVES_DOUBT:
            DECK.note_doubt(message_id)
        if fault == SLOW:
            await asyncio.sleep(SLOW_SECONDS)
        if fault not in (*ANSWERS, CUT_UNTAKEN, HANGS_UNTAKEN):
            take(message, envelope.rcpt_tos)
        if fault == DIES_TAKEN:
            die()
        if fault in (HANGS_TAKEN, HANGS_UNTAKEN):
            await asyncio.sleep(HANG_SECONDS)
        if fault in (CUT_TAKEN, CUT_UNTAKEN, HANGS_TAKEN, HANGS_UNTAKEN):
            server.transport.abort()
            await asyncio.sleep(HANG_SECONDS)  # the connection's end ends this too
        return ANSWERS.get(fault, "250 taken")


def drawn(kinds, *, chance: float, message_id: str = "") -> str | None:
    fault = DECK.draw(kinds, chance=chance)
    if fault:
        FAULTS.write(kind=fault, id=message_id)
    return fault


def take(message, recipients: list[str]) -> None:
    calendars = [part.get_content() for part in message.walk() if part.get_content_type() == "text/calendar"]
    TAKEN.write(
        id=message["Message-ID"],
        attempt=message["X-Attempt"],
        to=recipients,
        calendar=calendars[0] if calendars else "",
    )


async def serve(port: int) -> None:
    loop, handler = asyncio.get_running_loop(), Handler()
    server = await loop.create_server(
        lambda: SMTP(handler, hostname="mail.example.org", loop=loop), "127.0.0.1", port, reuse_address=True
    )
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
