"""Mails a member of staff the link by which to set a password."""

import logging

from infusion_center.accounts import services
from infusion_center.accounts.forms import ResetPasswordForm
from infusion_center.accounts.models import User

logger = logging.getLogger(__name__)


def send_invitation(request, person: User) -> bool:
    """Whether the mail left; the account exists either way, and the page offers to send it again."""
    form = ResetPasswordForm({"email": person.email})
    if not form.is_valid():
        return False
    try:
        form.save(request)
    except OSError as error:
        logger.warning("Invitation mail refused: %s", type(error).__name__)
        return False
    services.record_invitation(user=person, by=request.user)
    return True
