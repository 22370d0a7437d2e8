"""A site's own words in its mails: which kinds have some, and editing them beside a preview."""

from csp.constants import NONE, UNSAFE_INLINE
from csp.decorators import csp
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from infusion_center.accounts.access import requires
from infusion_center.accounts.roles import Permission
from infusion_center.core import clock
from infusion_center.core.htmx import page_or_partial
from infusion_center.core.rules import RuleViolation
from infusions.facility.pages import at_site
from infusions.reminders import wording_services as services
from infusions.reminders.example_mail import example_mail, worded_mails
from infusions.reminders.models import Kind
from infusions.reminders.own_words import OwnWords
from infusions.reminders.wording import place_name
from infusions.reminders.wording_forms import WordingForm
from infusions.reminders.wording_models import MailWording
from patients.models import Language

# A mail brings its own style sheet and is shown as what it is: no script, no form, nothing from anywhere.
MAIL_ALONE = {
    **{what: [NONE] for what in ("default-src", "base-uri", "form-action", "frame-ancestors")},
    "style-src": [UNSAFE_INLINE],
    "sandbox": "",
}


@requires(Permission.MANAGE_FACILITY)
@require_GET
@at_site
def wording_list(request, *, site):
    rows = MailWording.objects.filter(site=site).select_related("changed_by")
    own = {(row.kind, row.language): row for row in rows}
    context = {
        "site": site,
        "mails": [
            (label_of(kind), [(kind, language, own.get((kind, language))) for language in Language])
            for kind in worded_mails()
        ],
        "languages": Language,
        "senders": [(language.label, place_name(site, language)) for language in Language],
    }
    return render(request, "infusions/reminders/wording_list.html", context)


@requires(Permission.MANAGE_FACILITY)
@require_http_methods(["GET", "HEAD", "POST"])
@at_site
def wording_edit(request, kind, language, *, site):
    mail = _mail(site, kind, language)
    form = _form(request, mail)
    if request.method == "POST" and form.is_fit():
        try:
            services.save_wording(**mail, words=form.words(), by=request.user)
        except RuleViolation as refused:
            form.show_problems(refused.problems)
        else:
            messages.success(request, "Saved. Mails sent from now on say it so.")
            return redirect("reminders:wording-list")
    return _page(request, mail, form)


@requires(Permission.MANAGE_FACILITY)
@require_POST
@at_site
def wording_preview(request, kind, language, *, site):
    """The mail as typed; nothing is saved."""
    mail = _mail(site, kind, language)
    form = _form(request, mail)
    form.is_fit()
    return _page(request, mail, form)


@csp(MAIL_ALONE)
@requires(Permission.MANAGE_FACILITY)
@require_POST
@at_site
def wording_html(request, kind, language, *, site):
    """The same as a mail program shows it, as a page of its own."""
    mail = _mail(site, kind, language)
    form = _form(request, mail)
    words = form.words() if form.is_fit() else OwnWords()
    return HttpResponse(example_mail(**mail, words=words, now=clock.now()).html)


@requires(Permission.MANAGE_FACILITY)
@require_POST
@at_site
def wording_reset(request, kind, language, *, site):
    services.reset_wording(**_mail(site, kind, language), by=request.user)
    messages.success(request, "The standard words are back.")
    return redirect("reminders:wording-list")


def _mail(site, kind: str, language: str) -> dict:
    if kind not in worded_mails() or language not in Language.values:
        raise Http404
    return {"site": site, "kind": kind, "language": language}


def _form(request, mail: dict) -> WordingForm:
    row = MailWording.objects.filter(**mail).first()
    shipped = example_mail(**mail, words=OwnWords(), now=clock.now())
    return WordingForm(request.POST or None, instance=row or MailWording(**mail), shipped=shipped)


def _page(request, mail: dict, form: WordingForm) -> HttpResponse:
    """Words with an error are not shown in the preview: the error stands beside the field."""
    saved = OwnWords(**{name: getattr(form.instance, name) for name in form.fields})
    words = form.words() if form.is_bound else saved
    context = {
        **mail,
        "form": form,
        "mail_title": label_of(mail["kind"]),
        "language_name": Language(mail["language"]).label,
        "is_own": form.instance.pk is not None,
        "preview": example_mail(**mail, words=OwnWords() if form.errors else words, now=clock.now()),
        "sender": place_name(mail["site"], mail["language"]),
    }
    page, partial = "infusions/reminders/wording_edit.html", "infusions/reminders/_wording_preview.html"
    return page_or_partial(request, page, partial, context)


def label_of(kind: str) -> str:
    return "Reminders, days before" if kind == Kind.DAYS_1 else Kind(kind).label
