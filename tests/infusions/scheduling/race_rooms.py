"""Jobs of the race worker in which others have to make room: every process books by the plan that it was shown."""


def make_room(job: dict, number: int, result: dict) -> None:
    from infusions.scheduling.reseat_services import book_with_reseating
    from tests.infusions.scheduling.race_worker import _attempt, _cast

    cast = _cast(job)
    turn = number % len(cast["starts"])
    _attempt(
        result,
        book_with_reseating,
        order=cast["orders"][number],
        start=cast["starts"][turn],
        setting="facility",
        site=cast["site"],
        by=cast["by"],
        now=cast["now"],
        shown=job["shown"][turn],
    )
