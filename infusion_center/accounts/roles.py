"""What staff may do: permissions, and the roles as readable lists of them."""

from enum import StrEnum

from django.db import models


class Permission(StrEnum):
    # Patients
    VIEW_PATIENT = "view-patient"
    EDIT_PATIENT = "edit-patient"
    RECORD_CLINICAL_DATA = "record-clinical-data"  # weights, allergies, risk factors
    BREAK_GLASS = "break-glass"  # emergency access to a chart outside one's sites
    REVIEW_EMERGENCY = "review-emergency"
    EXPORT_PATIENT = "export-patient"  # everything kept about one patient
    IMPORT_PATIENTS = "import-patients"  # from a sheet, with the facts of their first day
    REGISTER_TEST_PATIENT = "register-test-patient"
    # Orders and formulary
    VIEW_ORDER = "view-order"
    DRAFT_ORDER = "draft-order"
    SIGN_ORDER = "sign-order"
    VIEW_FORMULARY = "view-formulary"
    SIGN_FORMULARY = "sign-formulary"
    # Scheduling
    VIEW_SCHEDULE = "view-schedule"
    BOOK_APPOINTMENT = "book-appointment"
    APPROVE_EARLY_VISIT = "approve-early-visit"  # a clinical decision: earlier than the order's interval
    CHECK_IN = "check-in"
    MANAGE_FACILITY = "manage-facility"
    MANAGE_ROSTER = "manage-roster"
    # Chairside
    FILL_CHECKLIST = "fill-checklist"
    OVERRIDE_CHECKLIST = "override-checklist"
    VIEW_DOSE = "view-dose"
    INFUSE = "infuse"
    AMEND_DOSE = "amend-dose"
    ENROLL_TABLET = "enroll-tablet"
    # Vials
    VIEW_STOCK = "view-stock"
    MANAGE_STOCK = "manage-stock"  # receive, move, count, discard; register what a code stands for
    VIEW_RECALL = "view-recall"
    MANAGE_RECALL = "manage-recall"
    # Around it
    VIEW_REMINDERS = "view-reminders"
    RESEND_REMINDER = "resend-reminder"
    VIEW_REPORTS = "view-reports"
    VIEW_AUDIT = "view-audit"
    MANAGE_STAFF = "manage-staff"
    EDIT_CHECKLIST_TEMPLATE = "edit-checklist-template"


class Role(models.TextChoices):
    SCHEDULER = "scheduler", "Scheduler"
    NURSE = "nurse", "Nurse"
    PHARMACIST = "pharmacist", "Pharmacist"
    MANAGER = "manager", "Manager"


# Who holds one treats patients: nobody gives it to himself.
CLINICAL_ROLES = frozenset({Role.NURSE, Role.PHARMACIST})

P = Permission
EVERYONE = frozenset({P.VIEW_PATIENT, P.VIEW_ORDER, P.VIEW_SCHEDULE, P.VIEW_FORMULARY, P.VIEW_REMINDERS})

ROLE_PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.SCHEDULER: EVERYONE | {P.EDIT_PATIENT, P.DRAFT_ORDER, P.BOOK_APPOINTMENT, P.CHECK_IN, P.RESEND_REMINDER},
    Role.NURSE: EVERYONE
    | {
        P.EDIT_PATIENT,
        P.RECORD_CLINICAL_DATA,
        P.BREAK_GLASS,
        P.DRAFT_ORDER,
        P.BOOK_APPOINTMENT,
        P.APPROVE_EARLY_VISIT,
        P.CHECK_IN,
        P.FILL_CHECKLIST,
        P.VIEW_DOSE,
        P.INFUSE,
        P.AMEND_DOSE,
        P.ENROLL_TABLET,
        P.VIEW_STOCK,
        P.MANAGE_STOCK,
        P.VIEW_RECALL,
    },
    Role.PHARMACIST: EVERYONE
    | {
        P.EDIT_PATIENT,
        P.RECORD_CLINICAL_DATA,
        P.BREAK_GLASS,
        P.EXPORT_PATIENT,
        P.DRAFT_ORDER,
        P.SIGN_ORDER,
        P.SIGN_FORMULARY,
        P.OVERRIDE_CHECKLIST,
        P.VIEW_DOSE,
        P.VIEW_REPORTS,
        P.EDIT_CHECKLIST_TEMPLATE,
        P.VIEW_STOCK,
        P.MANAGE_STOCK,
        P.VIEW_RECALL,
        P.MANAGE_RECALL,
    },
    Role.MANAGER: EVERYONE
    | {
        P.EDIT_PATIENT,
        P.BREAK_GLASS,
        P.REVIEW_EMERGENCY,
        P.EXPORT_PATIENT,
        P.IMPORT_PATIENTS,
        P.REGISTER_TEST_PATIENT,
        P.BOOK_APPOINTMENT,
        P.CHECK_IN,
        P.MANAGE_FACILITY,
        P.MANAGE_ROSTER,
        P.VIEW_DOSE,
        P.RESEND_REMINDER,
        P.VIEW_REPORTS,
        P.VIEW_AUDIT,
        P.MANAGE_STAFF,
        P.EDIT_CHECKLIST_TEMPLATE,
        P.ENROLL_TABLET,
        P.VIEW_STOCK,
        P.VIEW_RECALL,
        P.MANAGE_RECALL,
    },
}


def permissions_of(roles) -> frozenset[Permission]:
    """All that the given role names allow; a role no longer known allows nothing."""
    known = set(Role.values)
    return frozenset().union(*(ROLE_PERMISSIONS[Role(role)] for role in roles if role in known))


def has_permission(user, permission: Permission) -> bool:
    return user.is_authenticated and user.is_active and permission in user.permissions
