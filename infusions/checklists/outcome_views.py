"""The page of what came out of a check: what to do next, and the forms for those who may decide."""

from dataclasses import replace

from infusion_center.accounts.roles import Permission, has_permission
from infusion_center.core import clock
from infusions.checklists import cards
from infusions.checklists.findings import Finding, findings_of
from infusions.checklists.forms import HoldStepForm, OverrideForm
from infusions.checklists.hold_rules import RECHECK_GRACE, prescriber_answered
from infusions.checklists.models import HoldStepKind, PreInfusionChecklist, RunStatus
from infusions.checklists.queries import run_state
from infusions.scheduling.states import State

QUICK_ML = (250, 500)
# Problems that fluids may settle: drink or infuse, wait, look again.
DRY = frozenset({"dehydration-signs-hold", "intake-day-before-low", "urine-normal"})


def with_form(finding: Finding, refused: OverrideForm | None) -> Finding:
    if not finding.holds or finding.is_final:
        return finding
    code = finding.problem.code
    if refused is not None and refused.data.get("code") == code:
        return replace(finding, form=refused)
    return replace(finding, form=OverrideForm(initial={"code": code}, auto_id=f"{code}_%s"))


def outcome_context(request, run: PreInfusionChecklist, refused: OverrideForm | None = None, step_form=None) -> dict:
    now = clock.now()
    state = run_state(run, now)
    findings = findings_of(state)
    if has_permission(request.user, Permission.OVERRIDE_CHECKLIST) and not run.lets_pass:
        findings = [with_form(finding, refused) for finding in findings]
    return {
        "run": run,
        "appointment": run.appointment,
        "site": run.appointment.site,
        "findings": findings,
        "progress": cards.progress_of(state),
        "may_fill": has_permission(request.user, Permission.FILL_CHECKLIST),
        "now": now,
    } | hold_context(run, findings, step_form)


def hold_context(run: PreInfusionChecklist, findings: list[Finding], step_form: HoldStepForm | None) -> dict:
    """What was done about a check that did not pass, and what can be done by one or two taps."""
    steps = list(run.hold_steps.select_related("by").order_by("id"))
    restriction_ml = run.appointment.patient.fluid_restriction_ml_per_day
    waits = run.status == RunStatus.FAILED and run.appointment.state == State.ARRIVED
    recheck_at = run.recheck_at
    return {
        "steps": steps,
        "waits": waits,
        "recheck_at": recheck_at,
        "recheck_latest": recheck_at + RECHECK_GRACE if recheck_at else None,
        "is_dry": any(finding.holds and finding.problem.code in DRY for finding in findings),
        "asks_first": restriction_ml is not None and not prescriber_answered(steps),
        "restriction_ml": restriction_ml,
        "is_sent_home": bool(steps) and steps[-1].kind == HoldStepKind.SENT_HOME,
        "fluids": QUICK_ML,
        "rechecks": sorted({15, 30, run.appointment.site.recheck_minutes}),
        "step_form": step_form or HoldStepForm(),
    }
