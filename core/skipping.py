"""Objects that an annotator leaves to the hard queue. Each call is one transaction."""

from typing import Any

from core.bounds import check_key, check_own_key, check_times
from core.errors import Conflict
from core.object_state import check_state
from core.scope import image_in, stay_in
from core.workshop import Library
from storage import events, images, skips, work
from storage.rows import Times, Touched


def skip(
    library: Library,
    image_id: int,
    key: str,
    *,
    object_key: str,
    reason: str,
    state: dict[str, Any],
    times: dict[str, int],
) -> tuple[int, bool]:
    """Leave an object to the hard queue; return (id, whether this call did).

    Raises
    ------
    InvalidInput
        If its keys or times are none, or pages or other people's canvases could not read the state.
    MissingRow
        If the image does not exist.
    Conflict
        If the key has skipped an object of another image before.
    """
    check_own_key(key)
    check_key(object_key, "an object's key")
    check_times(times)
    check_state(state)
    with library.engines.writing() as session:
        image_in(library, image_id, session=session)
        skip_id, created = skips.insert(
            key,
            image_id=image_id,
            person_id=library.person_id,
            object_key=object_key,
            reason=reason,
            state=state,
            times=Times(**times),
            session=session,
        )
        if created:
            images.set_state(image_id, "in_work", session=session, only_from="new")
            work.drop(image_id, library.person_id, session=session, object_key=object_key)
            events.add(
                "skip",
                person_id=library.person_id,
                image_id=image_id,
                detail={"skip_id": skip_id, "reason": reason},
                session=session,
            )
        elif skips.find(skip_id, session=session).image_id != image_id:
            raise Conflict(f"an idempotency key must belong to one skip, but {key!r} has made another one before")
    return skip_id, created


def take_back(library: Library, ref: int | str) -> None:
    """Take an object out of the hard queue again."""
    with library.engines.writing() as session:
        _note(library, session, "take_back", skips.take_back(ref, session=session))


def put_back(library: Library, ref: int | str) -> None:
    """Put an object that was taken back into the hard queue again."""
    with library.engines.writing() as session:
        _note(library, session, "put_back", skips.put_back(ref, session=session))


def _note(library: Library, session: Any, kind: str, skip: Touched) -> None:
    stay_in(library, skip.image_id, session=session)
    if skip.changed:
        detail = {"skip_id": skip.id}
        events.add(kind, person_id=library.person_id, image_id=skip.image_id, detail=detail, session=session)
