"""The project's settings and the person's preferences: checked, and never lost to a neighbour."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from core import projects
from core.errors import InvalidInput
from core.workshop import PROJECT_DEFAULTS, Library


def test_settings_begin_with_their_defaults(library: Library) -> None:
    assert projects.settings(library) == PROJECT_DEFAULTS


def test_some_settings_are_changed_and_the_others_stay(library: Library) -> None:
    changed = projects.change_settings(library, {"skip_limit_s": 45, "labels": True, "label_names": ["cup"]})
    assert changed == {**PROJECT_DEFAULTS, "skip_limit_s": 45, "labels": True, "label_names": ["cup"]}
    assert projects.settings(library) == changed
    assert projects.change_settings(library, {"skip_mode": "warn"})["skip_limit_s"] == 45


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"speed": 3}, "must be one of skip_limit_s, .*, got 'speed'"),
        ({"skip_limit_s": 4}, "from 5 to 3600 seconds, got 4"),
        ({"skip_limit_s": 3601}, "from 5 to 3600 seconds, got 3601"),
        ({"skip_limit_s": float("nan")}, "from 5 to 3600 seconds, got nan"),
        ({"skip_limit_s": "30"}, "from 5 to 3600 seconds, got '30'"),
        ({"skip_limit_s": True}, "from 5 to 3600 seconds, got True"),
        ({"warn_at_s": 0}, "must come before the limit of 30 s, got 0"),
        ({"warn_at_s": 31}, "must come before the limit of 30 s, got 31"),
        ({"skip_limit_s": 10}, "must come before the limit of 10 s, got 20"),
        ({"skip_mode": "explode"}, "must be skip or warn, got 'explode'"),
        ({"min_area": -1}, "from 0 to a million pixels, got -1"),
        ({"min_area": None}, "from 0 to a million pixels, got None"),
        ({"labels": "yes"}, "must be on or off, got 'yes'"),
        ({"label_names": "cup"}, "at most 500 texts"),
        ({"label_names": ["", "cup"]}, "at most 500 texts"),
        ({"label_names": [1]}, "at most 500 texts"),
        ({"label_names": ["x"] * 501}, "at most 500 texts"),
        ({"label_names": None}, "at most 500 texts"),
    ],
)
def test_a_setting_that_cannot_be_meant_is_refused(library: Library, changes: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        projects.change_settings(library, changes)
    assert projects.settings(library) == PROJECT_DEFAULTS


def test_two_people_who_change_different_settings_both_get_theirs(library: Library) -> None:
    changes: list[dict[str, Any]] = [{"min_area": 7}, {"skip_limit_s": 60}, {"labels": True}, {"skip_mode": "warn"}] * 5
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda change: projects.change_settings(library, change), changes))
    merged = {key: value for change in changes for key, value in change.items()}
    assert projects.settings(library) == {**PROJECT_DEFAULTS, **merged}


def test_preferences_are_bounded(library: Library) -> None:
    projects.keep_preferences(library, {"a": "x" * 60_000})
    with pytest.raises(InvalidInput, match="at most 65536 bytes, got 70009"):
        projects.keep_preferences(library, {"a": "x" * 70_000})
