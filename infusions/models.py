"""Imports each feature's models for Django; nobody else imports this file."""

from infusions.checklists.models import *  # noqa: F403
from infusions.doses.medication_models import *  # noqa: F403
from infusions.doses.models import *  # noqa: F403
from infusions.doses.reaction_models import *  # noqa: F403
from infusions.facility.models import *  # noqa: F403
from infusions.formulary.models import *  # noqa: F403
from infusions.orders.models import *  # noqa: F403
from infusions.reminders.after_care_models import *  # noqa: F403
from infusions.reminders.delivery_models import *  # noqa: F403
from infusions.reminders.models import *  # noqa: F403
from infusions.reminders.wording_models import *  # noqa: F403
from infusions.scheduling.models import *  # noqa: F403
from infusions.stock.models import *  # noqa: F403
