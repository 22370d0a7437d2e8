"""Every write of a dose record, by its moment: preparation, running, signing. Import them from here."""

from infusions.doses.finishing import record_advice
from infusions.doses.medication import record_medication
from infusions.doses.preparation import (
    add_vial,
    add_vials,
    choose_product,
    prepare_dose,
    remove_vial,
    second_check,
    start_infusion,
)
from infusions.doses.reactions import (
    record_late_reaction,
    record_reaction,
    record_reaction_step,
    slow_for_reaction,
)
from infusions.doses.running import (
    change_rate,
    end_infusion,
    end_observation,
    pause_infusion,
    record_vital_signs,
    resume_infusion,
)
from infusions.doses.signing import amend_dose, sign_dose
from infusions.doses.stepping import stay_at_rate, step_up

__all__ = [
    "add_vial",
    "add_vials",
    "amend_dose",
    "change_rate",
    "choose_product",
    "end_infusion",
    "end_observation",
    "pause_infusion",
    "prepare_dose",
    "record_advice",
    "record_late_reaction",
    "record_medication",
    "record_reaction",
    "record_reaction_step",
    "record_vital_signs",
    "remove_vial",
    "resume_infusion",
    "second_check",
    "sign_dose",
    "slow_for_reaction",
    "start_infusion",
    "stay_at_rate",
    "step_up",
]
