"""What the canvas needs to know before the first image: project, progress, model, person."""

import json
from dataclasses import asdict
from typing import Any

from core.balancing import ORDERS, reorder
from core.errors import InvalidInput
from core.roles import require
from core.workshop import PROJECT_DEFAULTS, Library, Workshop
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
        "settings": {**PROJECT_DEFAULTS, **project.settings},
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


def settings(library: Library) -> dict[str, Any]:
    """Return the project's settings, defaults filled in."""
    with library.engines.reading() as session:
        return {**PROJECT_DEFAULTS, **projects.get(library.project_id, session=session).settings}


def change_settings(library: Library, changes: dict[str, Any]) -> dict[str, Any]:
    """Change some of the project's settings and return them all.

    Raises
    ------
    InvalidInput
        If a setting is unknown or its value cannot be meant.
    Forbidden
        If the person may not.
    """
    require(library, "settings")
    unknown = sorted(set(changes) - set(PROJECT_DEFAULTS))
    if unknown:
        raise InvalidInput(f"a project's setting must be one of {', '.join(PROJECT_DEFAULTS)}, got {unknown[0]!r}")
    # Read and written in one transaction: two people may change different settings at once.
    with library.engines.writing() as session:
        kept = projects.get(library.project_id, session=session).settings
        merged = {**PROJECT_DEFAULTS, **kept, **changes}
        _check(merged)
        projects.set_settings(library.project_id, merged, session=session)
        changed = {key: value for key, value in changes.items() if value != {**PROJECT_DEFAULTS, **kept}[key]}
        if changed:
            events.add("settings", person_id=library.person_id, detail=changed, session=session)
        if merged["next_order"] != {**PROJECT_DEFAULTS, **kept}["next_order"]:
            reorder(library.project_id, merged["next_order"], session=session)
    return merged


def _check(values: dict[str, Any]) -> None:
    limit, warn, area = values["skip_limit_s"], values["warn_at_s"], values["min_area"]
    if not (_is_number(limit) and 5 <= limit <= 3600):
        raise InvalidInput(f"the limit must be from 5 to 3600 seconds, got {limit!r}")
    if not (_is_number(warn) and 0 < warn <= limit):
        raise InvalidInput(f"the warning must come before the limit of {limit} s, got {warn!r}")
    if values["skip_mode"] not in ("skip", "warn"):
        raise InvalidInput(f"what the limit does must be skip or warn, got {values['skip_mode']!r}")
    if not (_is_number(area) and 0 <= area <= 10**6):
        raise InvalidInput(f"the smallest mask must have from 0 to a million pixels, got {area!r}")
    if values["next_order"] not in ORDERS:
        raise InvalidInput(f"the order of images must be one of {', '.join(ORDERS)}, got {values['next_order']!r}")
    for name in ("labels", "blur"):
        if not isinstance(values[name], bool):
            raise InvalidInput(f"{name} must be on or off, got {values[name]!r}")
    calibration = values["calibration"]
    if calibration is not None and (isinstance(calibration, bool) or not isinstance(calibration, int)):
        raise InvalidInput(f"the calibration must be a round's number or none, got {calibration!r}")
    names = values["label_names"]
    if not (isinstance(names, list) and len(names) <= 500 and all(map(_is_label, names))):
        raise InvalidInput("label names must be at most 500 texts of 1 to 200 characters, got others")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_label(value: object) -> bool:
    return isinstance(value, str) and 1 <= len(value) <= 200


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
