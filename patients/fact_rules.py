"""What may be wrong with a fact about a patient that is picked from a list: an allergy, a risk factor."""

from infusion_center.core.rules import Problem, blocker
from patients.models import Allergy, Condition, Risk

LONGEST_TEXT = Allergy._meta.get_field("text").max_length


def allergy_problems(code: str, text: str, current: frozenset[str]) -> list[Problem]:
    if code not in Condition.values:
        return [blocker("unknown-allergy", "Choose an allergy or intolerance from the list.", field="code")]
    if code == Condition.OTHER and not text.strip():
        return [blocker("allergy-without-text", "Say what the patient is allergic to.", field="text")]
    if len(text.strip()) > LONGEST_TEXT:
        return [blocker("allergy-too-long", f"Use at most {LONGEST_TEXT} characters.", field="text")]
    if code != Condition.OTHER and code in current:
        return [blocker("allergy-recorded", f"{Condition(code).label} is already on record.", field="code")]
    return []


def risk_problems(code: str, current: frozenset[str]) -> list[Problem]:
    if code not in Risk.values:
        return [blocker("unknown-risk", "Choose a risk factor from the list.", field="code")]
    if code in current:
        return [blocker("risk-recorded", f"{Risk(code).label} is already on record.", field="code")]
    return []
