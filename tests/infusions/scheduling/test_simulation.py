import json
import random

from django.core.management import call_command

from infusions.scheduling.lanes import chair_lane
from infusions.scheduling.playing import Planned, play_day
from infusions.scheduling.ranking import Weights
from infusions.scheduling.simulation import POLICIES, Center, Outcome, _Week, calls_of_a_week, simulate

SMALL = Center(chairs=4, nurses=2, ratio=2)


def test_a_simulated_week_never_books_a_chair_twice():
    for policy in POLICIES:
        week, outcome = _Week(SMALL, Weights()), Outcome()
        calls = calls_of_a_week(random.Random(1), SMALL, 0.9)
        for call in calls:
            week.book(call, policy, outcome)
        taken = sum(week.busy.get(chair_lane(chair), 0).bit_count() for chair in range(1, 5))
        assert taken == sum(visit.length for day in week.planned for visit in day)
        assert outcome.placed + outcome.unplaced == len(calls)


def test_the_same_seed_gives_the_same_figures():
    assert simulate(weeks=1, seed=3, center=SMALL) == simulate(weeks=1, seed=3, center=SMALL)


def test_a_day_without_noise_waits_for_nobody_and_a_second_patient_of_one_nurse_waits_for_her_hands():
    class Still(random.Random):
        def gauss(self, *_):
            return 0

        def lognormvariate(self, *_):
            return 1.0

    calm, crowded, late = Outcome(), Outcome(), Outcome()
    play_day([Planned(32, 8, 1), Planned(36, 8, 2)], 1, Still(), calm)
    play_day([Planned(32, 8, 1), Planned(32, 8, 2)], 1, Still(), crowded)
    play_day([Planned(66, 8, 1)], 1, Still(), late)
    assert (calm.waits, calm.overtime) == ([0, 0], [0])
    assert crowded.waits == [0, 30]
    assert late.overtime == [30]


def test_the_command_prints_ratios_as_a_table_and_as_json(capsys):
    call_command("simulate_booking", weeks=1, chairs=4, nurses=2, ratio=2)
    lines = capsys.readouterr().out.splitlines()
    rows = [json.loads(line) for line in lines if line.startswith("{")]
    assert [row["name"] for row in rows] == [line[:42].strip() for line in lines[1 : len(rows) + 1]]
    assert {"waiting, mean minutes", "overtime a day, minutes"} <= {row["name"] for row in rows}
