"""What the canvas needs to know before the first image: project, progress, model, person."""

import json
from dataclasses import asdict
from typing import Any

from core.errors import InvalidInput
from core.workshop import PROJECT_DEFAULTS, Library, Workshop
from storage import images, people, projects

MAX_PREFERENCES_BYTES = 64 * 1024


def overview(shop: Workshop) -> dict[str, Any]:
    """Return the project with its settings and progress, the model and the person."""
    with shop.engines.reading() as session:
        project = projects.get(shop.project_id, session=session)
        progress = images.progress(shop.project_id, session=session)
        person = people.get(shop.person_id, session=session)
    segmenter = shop.desk.segmenter
    return {
        "id": project.id,
        "name": project.name,
        "settings": {**PROJECT_DEFAULTS, **project.settings},
        "progress": asdict(progress),
        "model": {"name": segmenter.name, "title": segmenter.title},
        "person": {"id": person.id, "name": person.name, "preferences": person.preferences},
    }


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
    """
    merged = {**settings(library), **changes}
    _check(merged)
    with library.engines.writing() as session:
        projects.set_settings(library.project_id, merged, session=session)
    return merged


def _check(values: dict[str, Any]) -> None:
    unknown = sorted(set(values) - set(PROJECT_DEFAULTS))
    if unknown:
        raise InvalidInput(f"a project's setting must be one of {', '.join(PROJECT_DEFAULTS)}, got {unknown[0]!r}")
    limit, warn = values["skip_limit_s"], values["warn_at_s"]
    if not 5 <= limit <= 3600:
        raise InvalidInput(f"the limit must be from 5 to 3600 seconds, got {limit}")
    if not 0 < warn <= limit:
        raise InvalidInput(f"the warning must come before the limit of {limit} s, got {warn} s")
    if values["skip_mode"] not in ("skip", "warn"):
        raise InvalidInput(f"what the limit does must be skip or warn, got {values['skip_mode']!r}")
    if not 0 <= values["min_area"] <= 10**6:
        raise InvalidInput(f"the smallest mask must have from 0 to a million pixels, got {values['min_area']}")
    names = values["label_names"]
    if len(names) > 500 or any(not isinstance(name, str) or not 1 <= len(name) <= 200 for name in names):
        raise InvalidInput("label names must be at most 500 texts of 1 to 200 characters")


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
