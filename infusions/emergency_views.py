"""The emergency card without patient data, and the service worker that keeps it for when the network is lost."""

import hashlib
from pathlib import Path

from django.contrib.staticfiles import finders
from django.http import HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.views.decorators.http import require_safe

from infusion_center.accounts.access import anonymous_allowed

CARD = "infusions/frame/emergency_card.html"
WORKER = "infusions/offline/emergency.js"


@anonymous_allowed(reason="it holds no patient data and must be at hand when nobody can sign in")
@require_safe
def emergency_card(request):
    return render(request, CARD, {"offline": "offline" in request.GET})


@anonymous_allowed(reason="a script without any data; browsers fetch it by themselves, also after the session ended")
@require_safe
def emergency_worker(request):
    """At the root, so that it stands in for every page. A changed card changes it, and browsers take it anew."""
    script = Path(finders.find(WORKER)).read_text()
    card = render_to_string(CARD, {"offline": True})
    text = f"{script}// Card {hashlib.sha256(card.encode()).hexdigest()}\n"
    return HttpResponse(text, content_type="text/javascript; charset=utf-8", headers={"Service-Worker-Allowed": "/"})
