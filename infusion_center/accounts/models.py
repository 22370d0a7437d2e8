"""Staff, and the roles that they were given, by whom and when."""

from functools import cached_property

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.db.models.functions import Lower
from django.utils.crypto import salted_hmac
from django.utils.module_loading import import_string

from infusion_center.accounts.roles import Permission, Role, permissions_of
from infusion_center.core.models import PublicIdModel, TimestampedModel


class UserManager(BaseUserManager):
    def create_user(self, email, password=None, **fields):
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.full_clean(exclude=["password"])
        user.save(using=self._db)
        return user

    def create_superuser(self, email, password=None, **fields):
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, email):
        return self.get(email__iexact=email)


class User(PublicIdModel, TimestampedModel, AbstractBaseUser, PermissionsMixin):
    """A member of staff. `is_staff` and `is_superuser` only open the read-only admin pages."""

    email = models.EmailField(unique=True)
    full_name = models.CharField(max_length=150)
    initials = models.CharField(max_length=4, blank=True, help_text="shown on the board; made from the name when empty")
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    # Grows with each change of roles, so that open sessions notice.
    rights_version = models.PositiveIntegerField(default=0, db_default=0, editable=False)

    objects = UserManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = ["full_name"]

    class Meta:
        ordering = ["full_name"]
        constraints = [models.UniqueConstraint(Lower("email"), name="user_email_once_whatever_case")]

    def __str__(self):
        return self.full_name

    def save(self, *args, **kwargs):
        if not self.initials:
            self.initials = "".join(word[0] for word in self.full_name.split())[:3].upper()
        super().save(*args, **kwargs)

    def get_full_name(self):
        return self.full_name

    @cached_property
    def roles(self) -> frozenset[str]:
        return frozenset(self.role_grants.current().values_list("role", flat=True))

    @cached_property
    def permissions(self) -> frozenset[Permission]:
        return permissions_of(self.roles)


class OpenSession(AbstractBaseSession):
    """Django's row of a session, and whose it is. Its key opens the session: it is shown nowhere."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, null=True, related_name="open_sessions")

    class Meta:
        verbose_name = "session"

    def __str__(self):
        return f"Session of {self.user}" if self.user_id else "Session of nobody"

    @property
    def handle(self) -> str:
        """Names the session on pages without giving it away."""
        return salted_hmac("accounts.OpenSession.handle", self.session_key).hexdigest()[:24]

    @classmethod
    def get_session_store_class(cls):
        return import_string(f"{settings.SESSION_ENGINE}.SessionStore")


MOST_WRONG_PINS = 5


class SharedTablet(PublicIdModel, TimestampedModel):
    """A device that several people use one after the other; it proves itself by a cookie whose hash is kept here."""

    name = models.CharField(max_length=60)
    key_hash = models.CharField(max_length=64, unique=True)
    enrolled_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["name", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(revoked_at=None, revoked_by=None)
                | models.Q(revoked_at__isnull=False, revoked_by__isnull=False),
                name="tablet_revoked_pair",
            )
        ]

    def __str__(self):
        return self.name


class QuickPin(models.Model):
    """Six digits by which a person comes back to a shared tablet; worth nothing without a password there today."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="quick_pin")
    secret_hash = models.CharField(max_length=128)
    set_at = models.DateTimeField()

    def __str__(self):
        return f"PIN of {self.user}"


class TabletSignIn(models.Model):
    """When a person last gave the full password at a tablet, and how many wrong PINs since."""

    tablet = models.ForeignKey(SharedTablet, on_delete=models.CASCADE, related_name="sign_ins")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="tablet_sign_ins")
    password_at = models.DateTimeField()
    wrong_pins = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tablet", "user"], name="tablet_sign_in_once")]

    def __str__(self):
        return f"{self.user} at {self.tablet}"

    @property
    def needs_password(self) -> bool:
        """After too many wrong PINs."""
        return self.wrong_pins >= MOST_WRONG_PINS


class KeptEntry(TimestampedModel):
    """What a person had typed and not yet sent when the tablet locked; given back to that person only."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="kept_entries")
    path = models.CharField(max_length=300)
    fields = models.JSONField(default=dict)

    class Meta:
        verbose_name_plural = "kept entries"
        constraints = [models.UniqueConstraint(fields=["user", "path"], name="kept_entry_once")]

    def __str__(self):
        return f"Kept for {self.user}"


class RoleGrantQuerySet(models.QuerySet):
    def current(self):
        return self.filter(revoked_at=None)


class RoleGrant(models.Model):
    """One role of one person, from granted_at until revoked_at; rows stay when a role is taken away."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="role_grants")
    role = models.CharField(max_length=20, choices=Role)
    granted_at = models.DateTimeField()
    granted_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")

    objects = RoleGrantQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "role"], condition=models.Q(revoked_at=None), name="role_held_once_at_a_time"
            ),
            models.CheckConstraint(
                condition=models.Q(revoked_at=None, revoked_by=None) | models.Q(revoked_at__isnull=False),
                name="role_grant_revoked_pair",
            ),
        ]

    def __str__(self):
        return f"{self.user}: {self.get_role_display()}"
