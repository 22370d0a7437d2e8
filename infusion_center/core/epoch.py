"""Instants as whole seconds of the UTC epoch, computed by the database: reading thousands of them as integers costs a
tenth of reading them as datetimes."""

import sqlite3

from django.db.models import Func, IntegerField

# unixepoch() is four times as fast as strftime(), and younger than the oldest SQLite that Django accepts.
YOUNG = "unixepoch({})"
OLD = "CAST(strftime('%%%%s', {}) AS INTEGER)"
_SQLITE = YOUNG if sqlite3.sqlite_version_info >= (3, 38) else OLD


class EpochSeconds(Func):
    """The second that an instant lies in; fractions are cut off, never rounded."""

    output_field = IntegerField()

    @property
    def convert_value(self):
        """Both engines answer with integers: a converter would be called for each of thousands of rows."""
        return self._convert_value_noop

    def as_sqlite(self, compiler, connection, **context):
        template = _SQLITE.format("substr(%(expressions)s, 1, 19)")
        return super().as_sql(compiler, connection, template=template, **context)

    def as_postgresql(self, compiler, connection, **context):
        return super().as_sql(
            compiler, connection, template="FLOOR(DATE_PART('epoch', %(expressions)s))::bigint", **context
        )


class WholeEpochSeconds(EpochSeconds):
    """For columns that never hold fractions of a second."""

    def as_sqlite(self, compiler, connection, **context):
        return Func.as_sql(self, compiler, connection, template=_SQLITE.format("%(expressions)s"), **context)
