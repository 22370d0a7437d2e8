"""Questions to what may hang: an end to waiting, one at a time, and answers that are kept for a while."""

import threading

import pytest

from infusion_center.core.bounded import Bounded, answers

pytestmark = pytest.mark.once


class Asked:
    """Counts how often it was asked; while `gate` is shut it hangs."""

    def __init__(self, *, open_gate=True):
        self.gate, self.times = threading.Event(), 0
        if open_gate:
            self.gate.set()

    def __call__(self):
        self.times += 1
        self.gate.wait(30)
        return {"part": "ok"}


def test_an_answer_is_kept_for_some_seconds():
    ask = Asked()
    question = {"part": Bounded(ask, otherwise={"part": "away"}, keep_seconds=60)}
    assert [answers(question, 5) for _ in range(3)] == [{"part": "ok"}] * 3
    question["part"].forget()
    answers(question, 5)
    assert ask.times == 2


def test_what_hangs_is_a_no_and_is_not_asked_twice_at_once():
    ask = Asked(open_gate=False)
    questions = {"hangs": Bounded(ask, otherwise={"part": "away"}, keep_seconds=60)}
    assert [answers(questions, 0.01) for _ in range(3)] == [{"part": "away"}] * 3
    assert ask.times == 1
    ask.gate.set()
    assert (answers(questions, 5), ask.times) == ({"part": "ok"}, 1)


def test_what_fails_is_a_no():
    def fails():
        raise OSError("gone")

    assert answers({"part": Bounded(fails, otherwise={"part": "away"})}, 5) == {"part": "away"}


def test_one_that_hangs_does_not_hide_the_others():
    hangs = Asked(open_gate=False)
    found = answers({"a": Bounded(hangs, otherwise={"a": "away"}), "b": Bounded(Asked(), otherwise={})}, 1)
    hangs.gate.set()
    assert found == {"a": "away", "part": "ok"}


def test_an_answer_that_grows_old_while_another_is_waited_for_still_holds():
    hangs, first = Asked(open_gate=False), Bounded(Asked(), otherwise={"part": "away"}, keep_seconds=0.3)
    answers({"first": first}, 5)
    hangs_first = {"hangs": Bounded(hangs, otherwise={"hangs": "away"}), "first": first}
    found = answers(hangs_first, 0.6)
    hangs.gate.set()
    assert found == {"hangs": "away", "part": "ok"}
