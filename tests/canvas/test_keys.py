"""keys.js: every key means one thing, can be changed, and is named as it is."""

from typing import Any

import pytest
from playwright.sync_api import Page


def test_no_key_is_on_two_actions(pure_page: Page) -> None:
    keys = pure_page.evaluate(
        "async () => (await import('/keys.js')).ACTIONS.flatMap(({ keys }) => keys.map((key) => key.toLowerCase()))"
    )
    assert len(keys) == len(set(keys)) > 40


def test_every_action_can_be_done(pure_page: Page) -> None:
    missing = pure_page.evaluate(
        """async () => {
          const { ACTIONS } = await import('/keys.js');
          const { commandsOf } = await import('/commands.js');
          const commands = commandsOf({});
          return ACTIONS.filter((action) => !action.hold && !commands[action.id]).map((action) => action.id);
        }"""
    )
    assert missing == []


@pytest.mark.parametrize(
    ("event", "name"),
    [
        ({"key": "z"}, "z"),
        ({"key": "Z", "ctrlKey": True, "shiftKey": True}, "Ctrl+Shift+z"),
        ({"key": "z", "metaKey": True}, "Ctrl+z"),
        ({"key": "Z"}, "z"),
        ({"key": "?", "shiftKey": True}, "?"),
        ({"key": "Tab", "shiftKey": True}, "Shift+Tab"),
        ({"key": " "}, "Space"),
        ({"key": "я", "code": "KeyZ"}, "z"),
    ],
)
def test_what_is_pressed_has_one_name(pure_page: Page, event: dict[str, Any], name: str) -> None:
    assert pure_page.evaluate("async (event) => (await import('/keys.js')).nameOf(event)", event) == name


def test_a_key_is_moved_and_its_tooltip_with_it(pure_page: Page) -> None:
    found = pure_page.evaluate(
        """async () => {
          const { Keys } = await import('/keys.js');
          const keys = new Keys();
          const refused = keys.assign('brush', 'Enter');
          const taken = keys.assign('brush', 'j');
          const again = new Keys(keys.changes());
          return { refused, taken, tip: again.tip('brush'), old: again.find({ key: 'b' }), changes: keys.changes() };
        }"""
    )
    assert "Accept the mask" in found["refused"]
    assert found["taken"] is None
    assert found["tip"] == "Brush (J)"
    assert found["old"] is None
    assert found["changes"] == {"brush": ["j"]}


def test_kept_keys_that_make_no_sense_are_left_out(pure_page: Page) -> None:
    tip = pure_page.evaluate(
        """async () => {
          const { Keys } = await import('/keys.js');
          return new Keys({ nonsense: ['x'], brush: 'b', eraser: [7, 'm'] }).tip('eraser');
        }"""
    )
    assert tip == "Eraser (M)"
