"""What the canvas needs to know before the first image: project, progress, model, person."""

import json
from dataclasses import asdict
from typing import Any

from core.balancing import reorder
from core.errors import Conflict, InvalidInput
from core.project_settings import ProjectSettings, changed
from core.roles import require
from core.workshop import Library, Workshop
from storage import events, images, people, projects, rounds

MAX_PREFERENCES_BYTES = 64 * 1024


def overview(shop: Workshop) -> dict[str, Any]:
    """Return the project with its settings and progress, the model and the person."""
    with shop.engines.reading() as session:
        project = projects.get(shop.project_id, session=session)
        progress = images.progress(shop.project_id, session=session)
        person = people.get(shop.person_id, session=session)
        here = rounds.of_seat(shop.project_id, session=session)
        offered = rounds.seats_of(shop.person_id, shop.project_id, session=session)
    segmenter = shop.desk.segmenter
    return {
        "id": project.id,
        "name": project.name,
        "settings": _for_canvas(ProjectSettings.from_json(project.settings)),
        "progress": asdict(progress),
        "model": {"name": segmenter.name, "title": segmenter.title, "trouble": shop.trouble},
        "round": here.name if here else None,
        "rounds": [
            {"id": row.id, "name": row.name, "left": seat.images - seat.done}
            for row, seat in offered
            if not seat.finished
        ],
        "person": {"id": person.id, "name": person.name, "preferences": person.preferences},
    }


def _for_canvas(chosen: ProjectSettings) -> dict[str, Any]:
    """Return the settings as JSON; of the guidelines, which are long, only whether there are any."""
    told = chosen.to_json()
    told.pop("guideline_pictures")
    return {**told, "guidelines": bool(chosen.guidelines.strip())}


def enter(library: Library, project_id: int) -> Library:
    """Return the library in another of its projects.

    Raises
    ------
    MissingRow
        If there is none of this number.
    InvalidInput
        If it is somebody's seat in a round: its images are copies of another project's.
    """
    with library.engines.reading() as session:
        projects.get(project_id, session=session)
        seat = rounds.of_seat(project_id, session=session)
    if seat is not None:
        raise InvalidInput(f"a project must have images of its own, but {project_id} is a seat in {seat.name!r}")
    return library.at(project_id)


def person_name(library: Library) -> str:
    """Return the name of the person at work."""
    with library.engines.reading() as session:
        return people.get(library.person_id, session=session).name


def settings(library: Library) -> ProjectSettings:
    """Return the project's settings."""
    with library.engines.reading() as session:
        return settings_in(library, session=session)


def settings_in(library: Library, *, session: Any) -> ProjectSettings:
    """Return the project's settings as a transaction sees them."""
    return ProjectSettings.from_json(projects.get(library.project_id, session=session).settings)


def change_settings(
    library: Library, changes: dict[str, Any], *, shown: ProjectSettings | None = None
) -> ProjectSettings:
    """Change some of the project's settings, given as JSON, and return them all.

    With `shown`, the settings as the person has seen them, nobody else's change is undone unseen.

    Raises
    ------
    InvalidInput
        If a setting is unknown or its value cannot be meant.
    Conflict
        If somebody else has changed one of them since it was shown.
    Forbidden
        If the person may not.
    """
    require(library, "settings")
    # Read and written in one transaction: two people may change different settings at once.
    with library.engines.writing() as session:
        kept = ProjectSettings.from_json(projects.get(library.project_id, session=session).settings)
        new = ProjectSettings.from_json({**kept.to_json(), **changes})
        said = changed(kept, new, changes)
        moved = [] if shown is None else list(changed(shown, kept, said))
        if moved:
            raise Conflict(
                f"settings must be changed as they were shown, but {moved[0]} was changed by somebody else meanwhile"
            )
        projects.set_settings(library.project_id, new.to_json(), session=session)
        if said:
            events.add("settings", person_id=library.person_id, detail=_told(said), session=session)
        if new.next_order != kept.next_order:
            reorder(library.project_id, new.next_order, session=session)
    return new


def _told(said: dict[str, Any]) -> dict[str, Any]:
    """Return what the trail says of changed settings: of the guidelines only how long they are now."""
    return {name: len(value) if name.startswith("guideline") else value for name, value in said.items()}


def keep_preferences(library: Library, preferences: dict[str, Any]) -> None:
    """Keep the person's preferences.

    Raises
    ------
    InvalidInput
        If they are larger than 64 KiB.
    """
    size = len(json.dumps(preferences))
    if size > MAX_PREFERENCES_BYTES:
        raise InvalidInput(f"preferences must be at most {MAX_PREFERENCES_BYTES} bytes, got {size}")
    with library.engines.writing() as session:
        people.set_preferences(library.person_id, preferences, session=session)
