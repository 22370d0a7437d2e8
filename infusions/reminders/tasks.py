"""Thin Celery tasks: they wake the planner and the sender; the table decides what is owed."""
