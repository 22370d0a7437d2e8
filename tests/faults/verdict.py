"""What became of every visit and every mail, by the database and by what the mail server really took.

When a message is due, and whether it may be skipped, is worked out here anew, not asked of the planner.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from infusions.reminders.models import Reminder
from tests.faults.evidence import Evidence, Mail
from tests.faults.excuses import excuse_for_failing, excuse_for_skipping
from tests.faults.expected import due_at, expected_kinds, is_night
from tests.faults.ground import DECK, FAULTS
from tests.faults.world import Version, World

# Between the decision to send and the mail server lies some time of a busy machine; what changes in it comes too late.
GRACE_SECONDS = 1.0


@dataclass
class Figures:
    faults: Counter
    wanted: int
    left: Counter
    states: Counter
    reasons: Counter
    visits: int
    mails: int
    longest_wait: float
    doubts: int = 0  # messages that the mail server has, which the sender never learned or could not record
    repeated: int = 0  # of these, come twice
    most_often: int = 0
    lost: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        return not self.lost and not self.wrong and self.faults.total() >= self.wanted


def judged(world: World, rig, *, wanted: int, longest_wait: float) -> Figures:
    rows = list(
        Reminder.objects.select_related(
            "appointment__patient", "appointment__order", "appointment__site", "nurse__user", "day_site"
        ).order_by("pk")
    )
    evidence = Evidence(rows, rig.killed_groups)
    figures = Figures(
        faults=Counter(line["kind"] for line in FAULTS.lines()),
        wanted=wanted,
        left=Counter(DECK.left()),
        states=Counter((row.kind, row.state) for row in rows),
        reasons=Counter((row.state, row.reason) for row in rows if row.reason),
        visits=len(world.history),
        mails=len(evidence.mails),
        longest_wait=longest_wait,
    )
    figures.wrong += [f"{name} ended by itself" for name in rig.unasked_deaths]
    judge_rows(rows, world, evidence, figures)
    for mail in evidence.mails:
        figures.wrong += [f"{mail.id} {mail.kind}: {what}" for what in faults_of(mail, world)]
    judge_repeats(evidence, figures)
    judge_visits(rows, world, evidence, figures)
    return figures


def judge_rows(rows: list[Reminder], world: World, evidence: Evidence, figures: Figures) -> None:
    for row in rows:
        taken = evidence.of_row[row.pk]
        name = named(row)
        if row.state in ("owed", "claimed"):
            figures.lost.append(f"{name}: still {row.state}, due {row.due_at:%d %b %H:%M}")
        elif row.state == "sent" and not taken:
            figures.lost.append(f"{name}: recorded as sent, and no mail came")
        elif row.state == "sent" and not any(evidence.was_answered(mail) for mail in taken):
            figures.wrong.append(f"{name}: recorded as sent, though the mail server never said 250")
        elif row.state == "skipped" and not excuse_for_skipping(row, world, evidence):
            figures.lost.append(f"{name}: skipped as {row.reason}, which is not true")
        elif row.state == "failed" and not excuse_for_failing(row, evidence):
            figures.lost.append(f"{name}: failed as {row.reason}, which is not true")
        elif row.state != "sent" and not all(evidence.in_doubt(mail) for mail in taken):
            figures.wrong.append(f"{name}: {row.state}, though its mail was taken and answered")


def named(row: Reminder) -> str:
    what = f"{row.public_id} {row.kind} of visit {row.appointment_id} v{row.appointment_version}"
    settled = f"{row.settled_at:%d %b %H:%M}" if row.settled_at else "never"
    return f"{what} (due {row.due_at:%d %b %H:%M}, settled {settled}, tries {row.tries})"


def faults_of(mail: Mail, world: World) -> list[str]:
    """What is wrong with a mail, by the world as it was when the sender began to hand it over."""
    if mail.row is None:
        return ["no row of the ledger has this Message-ID"]
    row, since = mail.row, mail.begun_at - GRACE_SECONDS
    found = []
    if mail.to != [row.reader_email]:
        found.append(f"went to {mail.to}")
    if row.kind != "confirmation" and is_night(mail.begun, row.reader_zone, row.site):
        found.append(f"sent at night: {mail.begun:%d %b %H:%M} UTC, {row.reader_zone}")
    if row.appointment_id is None:
        return found
    if world.withdrawn.get(row.patient.pk, float("inf")) < since:
        found.append("sent after consent was withdrawn")
    history = world.history[row.appointment_id]
    if not any(is_about(row, version) for version in versions_around(history, since, mail.begun_at + GRACE_SECONDS)):
        found.append(f"sent for version {row.appointment_version}, though the visit was {history[-1]}")
    if row.kind != "cancelled" and any(
        a < since and mail.begun_at < b for a, b in world.holds.get(row.appointment.order_id, [])
    ):
        found.append("sent while the order was held")
    told = next(
        (version for version in world.history[row.appointment_id] if version.number == row.appointment_version), None
    )
    if told and mail.starts and mail.starts != told.start:
        found.append(f"its calendar entry says {mail.starts}, the visit was at {told.start}")
    if told and (due := due_at(row.kind, told.start, row.patient.time_zone)) and mail.begun < due:
        found.append(f"sent at {mail.begun}, before it was due at {due}")
    return found


def versions_around(history: list[Version], since: float, until: float) -> list[Version]:
    """Those that held at some moment in between."""
    before = [version for version in history if version.at < since]
    return [*before[-1:], *(version for version in history if since <= version.at <= until)]


def is_about(row: Reminder, version: Version) -> bool:
    return row.appointment_version == version.number and version.cancelled == (row.kind == "cancelled")


def judge_repeats(evidence: Evidence, figures: Figures) -> None:
    by_id = defaultdict(list)
    for mail in evidence.mails:
        by_id[mail.id].append(mail)
    for message_id, mails in by_id.items():
        doubts = sum(evidence.in_doubt(mail) for mail in mails)
        figures.doubts += doubts
        figures.repeated += len(mails) - 1
        figures.most_often = max(figures.most_often, len(mails))
        if len(mails) > 1 + doubts:
            figures.wrong.append(f"{message_id}: came {len(mails)} times, {doubts} in doubt")


def judge_visits(rows: list[Reminder], world: World, evidence: Evidence, figures: Figures) -> None:
    """Each visit as it last was has everything it should have; whoever heard of one that is cancelled hears that."""
    of_visit = defaultdict(list)
    for row in rows:
        of_visit[row.appointment_id].append(row)
    for visit, versions in world.history.items():
        last = versions[-1]
        have = {row.kind for row in of_visit[visit] if row.appointment_version == last.number or last.cancelled}
        if last.cancelled:
            heard = [mail for row in of_visit[visit] for mail in evidence.of_row[row.pk] if row.kind != "cancelled"]
            told = any(row.state in ("sent", "failed") for row in of_visit[visit] if row.kind == "cancelled")
            excused = any(
                row.kind == "cancelled" and row.reason in ("no_consent", "no_decent_hour") for row in of_visit[visit]
            )
            if heard and not told and not excused:
                figures.lost.append(f"visit {visit}: the patient has {heard[0].kind}, and never heard it is cancelled")
                figures.lost += [f"    {named(row)}: {row.state} {row.reason}" for row in of_visit[visit]]
        elif missing := [
            kind
            for kind in expected_kinds(of_visit[visit][0].site if of_visit[visit] else world.sites[0])
            if not have & set(kind)
        ]:
            since = f"so since {last.since:%d %b %H:%M:%S}, begins {last.start:%d %b %H:%M} UTC"
            figures.lost.append(f"visit {visit} v{last.number}: nothing in the ledger for {missing}; {since}")
            figures.lost += [f"    {named(row)}: {row.state} {row.reason}" for row in of_visit[visit]]
