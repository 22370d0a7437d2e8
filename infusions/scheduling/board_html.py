"""Writes the rows of the board as HTML. In Python, because templates need ten times as long for hundreds of cells.

Every text that comes from a person goes through `escape`. Icons are drawn once on the page and referred to.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from functools import lru_cache
from html import escape

import lucide
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe

from infusion_center.core import clock
from infusions.facility.models import Site
from infusions.pieces import FACES, TEST_BADGE, face_of
from infusions.scheduling.board_day import BoardDay, Card
from infusions.scheduling.board_lanes import BoardRow, NurseRows
from infusions.scheduling.board_layout import Cell
from infusions.scheduling.board_load import Load, hands_quarters
from infusions.templatetags.infusion_tags import duration

LEGEND = (
    *("expected", "confirmed", "arrived", "checklist", "preparing", "infusing", "paused", "observing", "ended"),
    *("completed", "stopped_early", "no_show", "uncovered", "late"),
)
MORE_ICONS = ("triangle-alert", "alarm-clock", "house", "user-round-x")


def joined(pieces: Iterable[str]) -> SafeString:
    """Pieces of this file, in which every text of a person is escaped already."""
    return mark_safe("".join(pieces))  # nosec B308 B703: escaped piece by piece; templates would need ten times as long


@lru_cache(maxsize=1)
def sprite() -> SafeString:
    """The icons of all states, each drawn once for the whole page."""
    names = dict.fromkeys([*(face.icon for face in FACES.values()), *MORE_ICONS])
    return joined(_symbol(name) for name in names)


@lru_cache(maxsize=1)
def legend() -> SafeString:
    """Each state as the board draws it."""
    return joined(f"<li>{badge(state)}</li>" for state in LEGEND)


def _symbol(name: str) -> str:
    drawn = lucide._render_icon(name, None)
    inner = re.search(r"<svg[^>]*>(.*)</svg>", drawn, re.DOTALL).group(1)
    looks = 'fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round"'
    return f'<symbol id="i-{name}" viewBox="0 0 24 24"><g {looks}>{inner}</g></symbol>'


def icon(name: str, size: int = 14) -> str:
    return f'<svg width="{size}" height="{size}" aria-hidden="true"><use href="#i-{name}"/></svg>'


@lru_cache(maxsize=32)
def _address(name: str) -> tuple[str, str]:
    """What stands before and after the visit's id in an address."""
    before, after = reverse(f"scheduling:{name}", args=["~"]).split("~")
    return before, after


def address(name: str, public_id: str) -> str:
    before, after = _address(name)
    return f"{before}{public_id}{after}"


class Wall:
    """Wall times of a site, each worked out once: the same quarter-hours come again and again."""

    def __init__(self, site: Site):
        self.zone, self.shape = clock.zone(site.time_zone), "%H:%M" if site.uses_24h_clock else "%I:%M %p"
        self.known: dict[dt.datetime, str] = {}

    def __call__(self, instant: dt.datetime) -> str:
        if instant not in self.known:
            text = instant.astimezone(self.zone).strftime(self.shape)
            self.known[instant] = text if self.shape == "%H:%M" else text.lstrip("0")
        return self.known[instant]


class BoardHtml:
    """The pieces of one board for one person: `may_move` adds the handles."""

    def __init__(self, board: BoardDay, *, may_move: bool, may_check_in: bool):
        self.board, self.may_move = board, may_move
        self.may_check_in = may_check_in and board.is_today
        self.wall = Wall(board.site)

    def chair_rows(self) -> SafeString:
        return joined(map(self._row, self.board.chairs))

    def home_rows(self) -> SafeString:
        return joined(map(self._row, self.board.homes))

    def nurse_groups(self) -> SafeString:
        return joined(map(self._nurse, self.board.nurses))

    def list_rows(self) -> SafeString:
        return joined(map(self._list_row, self.board.cards))

    def _row(self, row: BoardRow) -> str:
        name = escape(row.name)
        head = f'<span class="visually-hidden">{name}, again</span>' if row.is_more else name
        note = "" if row.is_more else f"<small>{escape(row.note)}</small>"
        cells = "".join([self._cell(cell, self._in_chair) for cell in row.cells])
        return f'<tr{self._seat(row.public_id, name)}><th scope="row" class="board-name">{head}{note}</th>{cells}</tr>'

    def _nurse(self, nurse: NurseRows) -> str:
        name, rows = escape(nurse.name), len(nurse.places) + 1
        note = f"<small>{escape(nurse.note)}{' · on the road' if nurse.at_home else ''}</small>"
        head = f'<th scope="rowgroup" rowspan="{rows}" class="board-name">{name}{note}</th>'
        seat = self._seat("" if nurse.at_home else nurse.public_id, name)
        load = "".join(map(_load_cell, nurse.load))
        places = "".join(
            f'<tr class="board-place"{seat}>{"".join([self._cell(cell, self._with_nurse) for cell in cells])}</tr>'
            for cells in nurse.places
        )
        return f'<tbody class="board-nurse"><tr class="board-loads"{seat}>{head}{load}</tr>{places}</tbody>'

    def _seat(self, public_id: str, name: str) -> str:
        """What a visit can be moved to; rows of chairs no longer used are no such place."""
        return f' data-seat="{public_id}" data-name="{name}"' if public_id and self.may_move else ""

    def _cell(self, cell: Cell, what) -> str:
        if cell.kind == "visit":
            return f'<td colspan="{cell.span}" class="board-cell">{self._block(cell.card, what)}</td>'
        if cell.kind == "late":
            until = self.wall(cell.card.late_until)
            return f'<td colspan="{cell.span}" class="board-gap is-late" title="Until about {until}"></td>'
        return f'<td colspan="{cell.span}" class="board-gap is-{cell.kind}"></td>'

    def _block(self, card: Card, what) -> str:
        visit, face = card.visit, card.face
        marks = f"{' is-uncovered' if card.uncovered else ''}{' is-late' if card.late_until else ''}"
        marks += " is-hit" if card.delayed_by else ""
        handle = ""
        if self.may_move and card.can_move:
            quarters = clock.quarters_between(visit.start, visit.end)
            handle = (
                f' data-move="{address("move-preview", visit.public_id)}" data-start="{quarters.start}"'
                f' data-span="{len(quarters)}" data-version="{visit.version}"'
            )
        fill = ""
        if card.percent is not None:
            fill = f'<svg class="board-fill" aria-hidden="true"><rect width="{card.percent}%" height="100%"/></svg>'
        first, second = what(card)
        test = TEST_BADGE if visit.is_test else ""
        return (
            f'<a class="board-block state-{face.name}{marks}" id="visit-{visit.public_id}"'
            f' href="{address("appointment-detail", visit.public_id)}" draggable="false"{handle}'
            f' aria-label="{self._sentence(card)}">{fill}{first}<span class="board-who">{icon(face.icon)}'
            f'{test}<span class="board-patient">{escape(visit.patient)}</span>{self._alert(card)}</span>'
            f'<span class="board-what">{second}</span></a>'
        )

    def _in_chair(self, card: Card) -> tuple[str, str]:
        visit = card.visit
        percent = f" · {card.percent}%" if card.percent is not None else ""
        words = f"{self.wall(visit.start)} · {escape(visit.initials)} · {duration(visit.minutes)}{percent}"
        return "", f"{words}{self._late_words(card)}"

    def _with_nurse(self, card: Card) -> tuple[str, str]:
        """With the quarter-hours marked in which the nurse's hands are needed."""
        visit = card.visit
        whole = clock.quarters_between(visit.start, visit.end)
        marks = "".join(
            f'<rect x="{100 * (part.start - whole.start) / len(whole):g}%" width="{100 * len(part) / len(whole):g}%"'
            f' height="100%"/>'
            for part in hands_quarters(visit)
        )
        words = f"{self.wall(visit.start)} · {escape('at home' if visit.is_home else visit.chair_name)}"
        return f'<svg class="board-hands" aria-hidden="true">{marks}</svg>', f"{words}{self._late_words(card)}"

    def _late_words(self, card: Card) -> str:
        if card.late_until:
            return f" · until {self.wall(card.late_until)}"
        return f" · ends {self.wall(card.ends_about)}" if card.ends_about else ""

    def _sentence(self, card: Card) -> str:
        """What a screen reader says of the block, and what the mouse is told."""
        visit = card.visit
        where = "at home" if visit.is_home else visit.chair_name
        who = f"Test patient {visit.patient}" if visit.is_test else visit.patient
        words = f"{who}, {self.wall(visit.start)} to {self.wall(visit.end)}, {where}, {visit.nurse_name}"
        late = [self._end_sentence(card)] if card.late_until or card.ends_about else []
        given = [f"{card.percent}% given"] if card.percent is not None else []
        return escape(". ".join([words, card.face.word, *given, *late, *card.alerts]))

    def _end_sentence(self, card: Card) -> str:
        if card.late_until:
            return f"Will take until about {self.wall(card.late_until)}"
        return f"Ends about {self.wall(card.ends_about)}"

    def _alert(self, card: Card) -> str:
        if card.uncovered:
            return f'<span class="board-alert is-red">{icon("triangle-alert", 13)}Uncovered</span>'
        if card.late_until:
            return f'<span class="board-alert is-orange">{icon("alarm-clock", 13)}Late</span>'
        if card.delayed_by:
            return f'<span class="board-alert is-orange">{icon("alarm-clock", 13)}Hit</span>'
        number = len(card.alerts) if len(card.alerts) > 1 else ""
        return f'<span class="board-alert">{icon("triangle-alert", 13)}{number}</span>' if card.alerts else ""

    def _list_row(self, card: Card) -> str:
        visit, who = card.visit, escape(card.visit.patient)
        chips = "".join(
            f' <span class="chip chip-{"red" if card.uncovered and not number else "amber"}">{escape(alert)}</span>'
            for number, alert in enumerate(card.alerts)
        )
        if card.late_until:
            chips += f' <span class="chip chip-amber">Will take until about {self.wall(card.late_until)}</span>'
        times = f"{self.wall(visit.start)}–{self.wall(visit.end)}"
        if card.ends_about and not card.late_until:
            times += f"<small>{self._end_sentence(card)}</small>"
        return (
            f'<tr><th scope="row"><a href="{address("appointment-detail", visit.public_id)}">{who}</a>'
            f" {TEST_BADGE if visit.is_test else ''}"
            f'<small class="board-born">born {visit.date_of_birth:%d-%b-%Y}</small></th>'
            f'<td class="num" data-label="Time">{times}</td><td>{badge(card.state)}{chips}</td>'
            f'<td data-label="Product">{escape(visit.product)}</td>'
            f'<td data-label="Where">{escape("At home" if visit.is_home else visit.chair_name)}</td>'
            f'<td data-label="Nurse">{escape(visit.nurse_name)}</td>'
            f'<td class="board-act">{self._acts(card, who)}</td></tr>'
        )

    def _acts(self, card: Card, who: str) -> str:
        """Buttons of one form that stands outside the table, so that its token is written once."""
        acts, hidden = "", f'<span class="visually-hidden"> {who}</span>'
        if self.may_check_in and card.can_check_in:
            there = address("appointment-check-in", card.visit.public_id)
            button = f'<button class="btn btn-secondary btn-sm" form="check-in" formaction="{there}">'
            acts = f"{button}Check in{hidden}</button>"
        if self.may_move and card.can_move:
            there = address("appointment-move", card.visit.public_id)
            acts += f'<a class="btn btn-quiet btn-sm" href="{there}">Move{hidden}</a>'
        return acts


def badge(state: str) -> str:
    face = face_of(state)
    return f'<span class="state state-{face.name}">{icon(face.icon)}<span>{face.word}</span></span>'


def _load_cell(load: Load) -> str:
    if not load.of and not load.taken:
        return f'<td colspan="{load.span}" class="board-load is-off"></td>'
    mark = " is-over" if load.is_over else " is-full" if load.is_full else ""
    bar = f'<svg aria-hidden="true"><rect width="{load.percent}%" height="100%"/></svg>'
    return f'<td colspan="{load.span}" class="board-load{mark}">{bar}<span>{load.taken} of {load.of}</span></td>'
