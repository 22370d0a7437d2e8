"""Where the frames lead: entries of the rail and of the tablet's bottom bar, for what a person may open."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from django.urls import NoReverseMatch, ResolverMatch, reverse

from infusion_center.accounts.roles import Permission

P = Permission


@dataclass(frozen=True)
class Entry:
    """A place: its URL name, who may go there, and which namespaces or URL names count as being there."""

    label: str
    icon: str
    url_name: str
    permissions: frozenset[Permission] = frozenset()
    holds: frozenset[str] = frozenset()
    hint: str = ""
    count_url_name: str = ""  # of a fragment with a number, fetched once the page stands


@dataclass(frozen=True)
class Link:
    label: str
    icon: str
    url: str
    is_current: bool
    hint: str = ""
    count_url: str = ""


# Desk pages of a chairside feature.
CHECKLIST_QUESTIONS = (
    "checklists:template-detail",
    "checklists:version-list",
    "checklists:version-detail",
    "checklists:draft-detail",
    "checklists:draft-publish",
    "checklists:draft-discard",
    "checklists:section-amend",
    "checklists:item-add",
    "checklists:item-amend",
    "checklists:item-remove",
)

# Of the reminders, what is a setting of the site or of a nurse.
KEPT_WITH_THE_SITE = ("wording-list", "wording-edit", "wording-preview", "calendar", "calendar-make")

RAIL = (
    Entry(
        "Today", "layout-dashboard", "scheduling:board", frozenset({P.VIEW_SCHEDULE}), frozenset({"home", "scheduling"})
    ),
    Entry(
        "To do",
        "inbox",
        "scheduling:work-overview",
        frozenset({P.BOOK_APPOINTMENT}),
        frozenset(
            {
                "scheduling:work-list",
                "scheduling:cover-list",
                "scheduling:cover-plan",
                "reminders:after-care-list",
                "reminders:after-care-detail",
                "reminders:after-care-call",
            }
        ),
        count_url_name="scheduling:work-counts",
    ),
    Entry(
        "Patients",
        "users-round",
        "patients:patient-list",
        frozenset({P.VIEW_PATIENT}),
        frozenset({"patients", "audit:patient-trail"}),
    ),
    Entry(
        "Emergency access",
        "siren",
        "patients:emergency-list",
        frozenset({P.REVIEW_EMERGENCY}),
        frozenset({"patients:emergency-detail"}),
        count_url_name="patients:emergency-count",
    ),
    Entry(
        "Orders",
        "clipboard-check",
        "orders:order-list",
        frozenset({P.VIEW_ORDER}),
        frozenset(
            {
                "orders",
                "scheduling:slot-list",
                "scheduling:slot-why",
                "scheduling:reseat-book",
                "scheduling:series-plan",
                "scheduling:series-book",
            }
        ),
    ),
    Entry(
        "Chairside",
        "tablet-smartphone",
        "doses:my-patients",
        frozenset({P.FILL_CHECKLIST}),
        frozenset({"checklists", "doses"}),
    ),
    Entry(
        "Schedule",
        "calendar-days",
        "facility:roster-week",
        frozenset({P.VIEW_SCHEDULE, P.MANAGE_ROSTER}),
        frozenset({"facility", *(f"reminders:{name}" for name in KEPT_WITH_THE_SITE)}),
    ),
    Entry("Reminders", "bell", "reminders:reminder-list", frozenset({P.VIEW_REMINDERS}), frozenset({"reminders"})),
    Entry("Formulary", "book-open", "formulary:product-list", frozenset({P.VIEW_FORMULARY}), frozenset({"formulary"})),
    Entry("Stock", "package", "stock:stock-list", frozenset({P.VIEW_STOCK}), frozenset({"stock"})),
    Entry(
        "Recall",
        "package-x",
        "doses:lot-search",
        frozenset({P.VIEW_RECALL}),
        frozenset({"doses:recall-open", "doses:recall-detail", "doses:recall-extend", "doses:recall-close"}),
    ),
    Entry("Reports", "chart-column", "reports:overview", frozenset({P.VIEW_REPORTS}), frozenset({"reports"})),
    Entry(
        "Settings",
        "settings",
        "settings-overview",
        frozenset({P.MANAGE_STAFF, P.MANAGE_FACILITY, P.VIEW_AUDIT, P.EDIT_CHECKLIST_TEMPLATE}),
        frozenset({"staff", "audit:trail", "settings", "tablet-list", *CHECKLIST_QUESTIONS}),
    ),
)

BOTTOM_BAR = (
    Entry(
        "My patients",
        "users-round",
        "doses:my-patients",
        frozenset({P.FILL_CHECKLIST, P.VIEW_DOSE}),
        frozenset({"checklists", "doses"}),
    ),
    Entry("Board", "layout-dashboard", "scheduling:board", frozenset({P.VIEW_SCHEDULE})),
    Entry("Scan", "scan-barcode", "doses:scan", frozenset({P.INFUSE})),
    Entry("Emergency", "siren", "emergency"),
)

SETTINGS = (
    Entry(
        "Staff", "users-round", "staff:staff-list", frozenset({P.MANAGE_STAFF}), hint="Who works here, in which role"
    ),
    Entry(
        "Site", "building-2", "facility:site-edit", frozenset({P.MANAGE_FACILITY}), hint="Hours, times, limits, wording"
    ),
    Entry(
        "Mails to patients",
        "mail",
        "reminders:wording-list",
        frozenset({P.MANAGE_FACILITY}),
        hint="Subject, first sentence and a paragraph of your own",
    ),
    Entry(
        "Chairs",
        "armchair",
        "facility:chair-list",
        frozenset({P.MANAGE_FACILITY}),
        hint="Places to infuse, and which are out of service",
    ),
    Entry(
        "Closures",
        "calendar-x",
        "facility:closure-list",
        frozenset({P.MANAGE_FACILITY}),
        hint="Holidays and other days without patients",
    ),
    Entry("Roster", "calendar-days", "facility:roster-week", frozenset({P.MANAGE_ROSTER}), hint="Shifts of the nurses"),
    Entry(
        "Checklist questions",
        "list-checks",
        "checklists:template-detail",
        frozenset({P.EDIT_CHECKLIST_TEMPLATE}),
        hint="What is asked before an infusion",
    ),
    Entry(
        "Shared tablets",
        "tablet-smartphone",
        "tablet-list",
        frozenset({P.MANAGE_STAFF, P.MANAGE_FACILITY}),
        hint="Devices that several people use one after the other",
    ),
    Entry(
        "Audit trail", "scroll-text", "audit:trail", frozenset({P.VIEW_AUDIT}), hint="Who did or opened what, and when"
    ),
)


def place_of(entries: Iterable[Entry], match: ResolverMatch | None) -> Entry | None:
    """Where the person is: the entry that names the page itself, else the one that holds its namespace."""
    for name in (match.view_name, match.namespace) if match else ():
        for entry in entries:
            if name and name in entry.holds | {entry.url_name}:
                return entry
    return None


def links(
    entries: Collection[Entry], permissions: Collection[Permission], match: ResolverMatch | None = None
) -> Iterator[Link]:
    """The entries that the permissions open and whose pages exist."""
    place = place_of(entries, match)
    for entry in entries:
        if entry.permissions and not entry.permissions & set(permissions):
            continue
        try:
            url = reverse(entry.url_name)
        except NoReverseMatch:
            continue
        count_url = reverse(entry.count_url_name) if entry.count_url_name else ""
        yield Link(entry.label, entry.icon, url, entry is place, entry.hint, count_url)
