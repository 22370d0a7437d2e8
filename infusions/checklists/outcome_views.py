"""The page of what came out of a check: what to do next, and the forms for those who may decide."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import replace

from infusion_center.accounts.roles import Permission, has_permission
from infusion_center.core import clock
from infusion_center.core.rules import Problem
from infusions.checklists import cards
from infusions.checklists.findings import Finding, findings_of
from infusions.checklists.forms import OverrideForm
from infusions.checklists.models import PreInfusionChecklist
from infusions.checklists.queries import run_state

# Problems that fluids may settle: drink or infuse, wait, look again.
DRY = frozenset({"dehydration-signs-hold", "intake-day-before-low", "urine-normal"})
RECHECK_MINUTES = 60


def with_form(finding: Finding, refused: OverrideForm | None) -> Finding:
    if not finding.holds or finding.is_final:
        return finding
    code = finding.problem.code
    if refused is not None and refused.data.get("code") == code:
        return replace(finding, form=refused)
    return replace(finding, form=OverrideForm(initial={"code": code}, auto_id=f"{code}_%s"))


def outcome_context(request, run: PreInfusionChecklist, refused: OverrideForm | None = None) -> dict:
    state = run_state(run, clock.now())
    findings = findings_of(state)
    if has_permission(request.user, Permission.OVERRIDE_CHECKLIST) and not run.lets_pass:
        findings = [with_form(finding, refused) for finding in findings]
    return {
        "run": run,
        "appointment": run.appointment,
        "site": run.appointment.site,
        "findings": findings,
        "progress": cards.progress_of(state),
        "recheck_at": recheck_at(run, [finding.problem for finding in findings if finding.holds]),
        "may_fill": has_permission(request.user, Permission.FILL_CHECKLIST),
    }


def recheck_at(run: PreInfusionChecklist, problems: Iterable[Problem]) -> dt.datetime | None:
    """When to look again after fluids; only where fluids may settle it."""
    if run.closed_at is None or not any(problem.code in DRY for problem in problems):
        return None
    return run.closed_at + dt.timedelta(minutes=RECHECK_MINUTES)
