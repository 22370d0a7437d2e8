"""Abstract bases: public ids, time stamps, and tables that the database itself keeps append-only."""

import secrets

from django.db import models

PUBLIC_ID_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"


def new_public_id() -> str:
    """Fourteen characters (69 bits) that can be read out on the phone: no 0, 1, i, l, o."""
    return "".join(secrets.choice(PUBLIC_ID_ALPHABET) for _ in range(14))


class PublicIdModel(models.Model):
    """Rows that appear in URLs: they show this id, never the row number."""

    public_id = models.CharField(max_length=14, unique=True, default=new_public_id, editable=False)

    class Meta:
        abstract = True


class TimestampedModel(models.Model):
    created_at = models.DateTimeField(auto_now_add=True, editable=False)
    updated_at = models.DateTimeField(auto_now=True, editable=False)

    class Meta:
        abstract = True


class AppendOnlyQuerySet(models.QuerySet):
    def update(self, **kwargs):
        raise TypeError(f"{self.model.__name__} is append-only")

    def delete(self):
        raise TypeError(f"{self.model.__name__} is append-only")


class AppendOnlyModel(models.Model):
    """Rows are only ever added. This refuses early; triggers (see core.triggers) refuse for every other way in."""

    objects = AppendOnlyQuerySet.as_manager()

    class Meta:
        abstract = True

    def save(self, *args, **kwargs):
        if not self._state.adding:
            raise TypeError(f"{type(self).__name__} is append-only")
        super().save(*args, **kwargs)

    def delete(self, *args, **kwargs):
        raise TypeError(f"{type(self).__name__} is append-only")
