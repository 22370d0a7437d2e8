"""The second factor of oneself: what allauth's pages leave open."""

from functools import wraps

from allauth.mfa.base.views import IndexView
from allauth.mfa.webauthn.views import remove_webauthn
from django.contrib import messages
from django.db import transaction
from django.shortcuts import get_object_or_404, redirect

from infusion_center.accounts import second_factor
from infusion_center.accounts.access import proof_required, signed_in


class FactorIndex(IndexView):
    """With whether the role needs one, and so why nothing else opens yet."""

    def get_context_data(self, **kwargs):
        return super().get_context_data(**kwargs) | {"needs_factor": second_factor.must_have(self.request.user)}


def one_after_the_other(view):
    """Two removals at once would each find the other factor still there, and none would be left."""

    @wraps(view)
    def locked(request, *args, **kwargs):
        if request.method != "POST":
            return view(request, *args, **kwargs)
        with transaction.atomic():
            second_factor.wait_for_others(request.user)
            return view(request, *args, **kwargs)

    return locked


@signed_in(reason="everybody manages his own second factors")
@proof_required
@one_after_the_other
def passkey_remove(request, pk):
    """allauth lets any passkey go; who must have a factor keeps the last."""
    if not second_factor.may_remove(get_object_or_404(second_factor.passkeys_of(request.user), pk=pk)):
        messages.error(request, second_factor.LAST_ONE_STAYS)
        return redirect("mfa_index")
    return remove_webauthn(request, pk=pk)
