"""What lies in a site's cabinets, by lot and storage; what is recalled, and who was told of it."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from infusion_center.core.models import AppendOnlyModel, PublicIdModel, TimestampedModel


class ProductCode(PublicIdModel, TimestampedModel):
    """The GTIN printed on a vial or carton, and which product and size it stands for."""

    gtin = models.CharField("GTIN", max_length=14, unique=True)
    product = models.ForeignKey("infusions.Product", on_delete=models.PROTECT, related_name="codes")
    grams = models.DecimalField(max_digits=5, decimal_places=2)
    registered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        ordering = ["product", "grams", "gtin"]

    def __str__(self):
        return self.gtin


class KnownLot(models.Model):
    """Every lot ever received or given, once: a part of a lot is looked for here, not among millions of vials."""

    product = models.ForeignKey("infusions.Product", on_delete=models.PROTECT, related_name="known_lots")
    lot = models.CharField(max_length=30)

    class Meta:
        ordering = ["product", "lot"]
        constraints = [models.UniqueConstraint(fields=["product", "lot"], name="known_lot_once")]

    def __str__(self):
        return self.lot


class Storage(models.TextChoices):
    REFRIGERATED = "refrigerated", "Refrigerator"
    ROOM = "room", "Room temperature"


class StockItemQuerySet(models.QuerySet):
    def visible_to(self, user):
        return self.filter(site__memberships__user=user)

    def usable(self, today):
        """Vials that may be given on the local day `today`."""
        return self.filter(on_hand__gt=0, use_by__gte=today)


class StockItem(PublicIdModel, TimestampedModel):
    """Vials of one product, size and lot kept alike at one site. Their numbers are changed by stock.services only."""

    site = models.ForeignKey("infusions.Site", on_delete=models.PROTECT, related_name="stock")
    product = models.ForeignKey("infusions.Product", on_delete=models.PROTECT, related_name="stock")
    grams = models.DecimalField(max_digits=5, decimal_places=2)
    lot = models.CharField(max_length=30)
    expires_on = models.DateField(help_text="as printed")
    storage = models.CharField(max_length=15, choices=Storage, default=Storage.REFRIGERATED)
    use_by = models.DateField(help_text="the last day: as printed, or earlier once out of the refrigerator")
    on_hand = models.PositiveIntegerField(default=0, help_text="vials that may be used")
    quarantined = models.PositiveIntegerField(default=0, help_text="vials set aside")

    objects = StockItemQuerySet.as_manager()

    class Meta:
        ordering = ["product", "grams", "use_by", "lot"]
        indexes = [models.Index(fields=["product", "lot"], name="stock_product_lot")]
        constraints = [
            models.UniqueConstraint(
                fields=["site", "product", "grams", "lot", "expires_on", "storage", "use_by"], name="stock_item_once"
            ),
            models.CheckConstraint(condition=Q(use_by__lte=F("expires_on")), name="stock_use_by_within_expiry"),
            models.CheckConstraint(condition=~Q(lot=""), name="stock_has_lot"),
            models.CheckConstraint(condition=Q(grams__gt=0), name="stock_grams_positive"),
        ]

    def __str__(self):
        return f"{self.product} {self.grams.normalize():f} g, lot {self.lot}"


class MovementKind(models.TextChoices):
    RECEIVED = "received", "Received"
    TO_ROOM = "to_room", "Out of the refrigerator"
    FROM_FRIDGE = "from_fridge", "Came from the refrigerator"
    USED = "used", "Used"
    TAKEN_BACK = "taken_back", "Taken back before the start"
    DISCARDED = "discarded", "Discarded"
    QUARANTINED = "quarantined", "Set aside"
    RELEASED = "released", "Released"
    CORRECTED = "corrected", "Count corrected"


class StockMovement(PublicIdModel, AppendOnlyModel):
    """Why the numbers of an item are what they are. `change` and `quarantined_change` add up to them."""

    item = models.ForeignKey(StockItem, on_delete=models.PROTECT, related_name="movements")
    kind = models.CharField(max_length=15, choices=MovementKind)
    change = models.IntegerField(help_text="vials on hand: more or fewer")
    quarantined_change = models.IntegerField(default=0)
    reason = models.CharField(max_length=200, blank=True, help_text="why; of a receipt, from whom")
    vial_id = models.CharField(max_length=14, blank=True, help_text="public id of the vial used")
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["-at", "-id"]


class LotRecall(PublicIdModel, TimestampedModel):
    """Lots of a product that must not be given, since somebody opened the recall and until somebody closes it."""

    product = models.ForeignKey("infusions.Product", on_delete=models.PROTECT, related_name="recalls")
    reference = models.CharField("notice", max_length=60, blank=True, help_text="number or date of the maker's notice")
    reason = models.CharField(max_length=200)
    opened_at = models.DateTimeField()
    opened_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    close_reason = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["-opened_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(closed_at=None, closed_by=None) | Q(closed_at__isnull=False, closed_by__isnull=False),
                name="recall_closed_pair",
            ),
        ]

    def __str__(self):
        return f"Recall {self.public_id}"


class RecalledLot(models.Model):
    recall = models.ForeignKey(LotRecall, on_delete=models.PROTECT, related_name="lots")
    lot = models.CharField(max_length=30)

    class Meta:
        ordering = ["lot"]
        indexes = [models.Index(fields=["lot"], name="recalled_lot")]
        constraints = [models.UniqueConstraint(fields=["recall", "lot"], name="recalled_lot_once")]

    def __str__(self):
        return self.lot


class ContactStatus(models.TextChoices):
    TO_CALL = "to_call", "To call"
    NOT_REACHED = "not_reached", "Not reached"
    REACHED = "reached", "Told"
    LETTER = "letter", "Letter sent"
    NEEDS_VISIT = "needs_visit", "Told, needs to be seen"
    DONE = "done", "Settled"


class RecallContact(PublicIdModel, AppendOnlyModel):
    """One try to reach a patient about a recall; the latest says how it stands."""

    recall = models.ForeignKey(LotRecall, on_delete=models.PROTECT, related_name="contacts")
    patient = models.ForeignKey("patients.Patient", on_delete=models.PROTECT, related_name="recall_contacts")
    status = models.CharField(max_length=15, choices=ContactStatus)
    note = models.CharField(max_length=200, blank=True)
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [models.Index(fields=["recall", "patient"], name="recall_contact_patient")]
