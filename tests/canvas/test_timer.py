"""timer.js with a clock of the test's: where every millisecond goes, and when none is counted."""

from typing import Any

import pytest
from playwright.sync_api import Page

RUN = """async (script) => {
  const { Timer } = await import('/timer.js');
  let now = 1000;
  const timer = new Timer(() => now);
  for (const [ms, what, ...args] of script) { now += ms; timer[what](...args); }
  return { times: timer.rounded(), used: timer.used, total: timer.total };
}"""


def run(page: Page, *script: list[Any]) -> dict[str, Any]:
    found: dict[str, Any] = page.evaluate(RUN, list(script))
    return found


@pytest.mark.parametrize(
    ("script", "times"),
    [
        ([[5000, "look"]], (0, 0, 0, 0)),
        ([[0, "start"], [1000, "look"]], (0, 600, 400, 0)),
        ([[0, "start"], [0, "touch", "painting"], [300, "look"]], (0, 0, 0, 300)),
        ([[0, "start"], [0, "beginWaiting"], [700, "endWaiting"], [0, "touch", "prompting"]], (700, 0, 0, 0)),
        ([[0, "start"], [60_000, "look"]], (0, 19_600, 400, 0)),
        ([[0, "start"], [60_000, "touch", "prompting"], [100, "look"]], (0, 19_600, 500, 0)),
        ([[0, "start"], [0, "hold", "hidden", True], [9000, "hold", "hidden", False], [100, "look"]], (0, 0, 100, 0)),
        (
            [[0, "start"], [0, "beginWaiting"], [0, "beginWaiting"], [50, "endWaiting"], [50, "endWaiting"]],
            (100, 0, 0, 0),
        ),
    ],
    ids=["not begun", "thinking after moving", "painting", "waiting", "gone away", "back again", "hidden", "two asked"],
)
def test_where_the_time_goes(pure_page: Page, script: list[list[Any]], times: tuple[int, ...]) -> None:
    found = run(pure_page, *script)
    names = ("waiting_ms", "thinking_ms", "prompting_ms", "painting_ms")
    assert tuple(found["times"][name] for name in names) == times
    assert found["total"] == sum(times)
    assert found["used"] == sum(times[1:])


def test_how_often_one_looks_changes_nothing(pure_page: Page) -> None:
    rare = run(pure_page, [0, "start"], [5000, "touch", "painting"], [3000, "look"])
    often = run(pure_page, [0, "start"], *[[100, "look"]] * 50, [0, "touch", "painting"], *[[30, "look"]] * 100)
    assert rare == often


def test_an_object_that_comes_back_goes_on_from_its_times(pure_page: Page) -> None:
    found = run(pure_page, [0, "restore", {"thinking_ms": 900}], [50, "look"], [0, "start"], [100, "look"])
    assert found["times"] == {"waiting_ms": 0, "thinking_ms": 900, "prompting_ms": 100, "painting_ms": 0}
