"""The stopwatch of the object in work, as a person meets it: what it counts, and what must not count."""

import re

from tests.e2e.conftest import Bench
from tests.e2e.photos import DISK

X, Y, _ = DISK


def look_around(bench: Bench, seconds: int, step: int = 10) -> None:
    """Let time go by with a hand that moves often enough not to be away."""
    for at in range(0, seconds, step):
        bench.page.mouse.move(*bench.at(40 + at, 40))
        bench.page.clock.run_for(1000 * min(step, seconds - at))


def opened(bench: Bench, image: int) -> None:
    """Open an image with the clock in the test's hand."""
    bench.page.clock.install()
    bench.open(image)


def test_an_emptied_object_has_no_time_and_the_next_one_all_of_it(bench: Bench, image: int) -> None:
    opened(bench, image)
    bench.prompted(lambda: bench.click(X, Y))
    look_around(bench, 5)
    used = bench.state()["limit_used_ms"]
    assert used > 4_000
    bench.press("z")
    bench.until("!s.in_work")
    look_around(bench, 40)
    assert sum(bench.state()["times"].values()) == 0
    # Done again, it goes on from its own time.
    bench.press("y")
    bench.until("s.in_work && s.has_mask")
    assert used <= sum(bench.state()["times"].values()) < 30_000
    bench.page.mouse.move(*bench.at(X, Y))
    bench.press("Delete")
    bench.until("!s.in_work")
    look_around(bench, 40)
    bench.prompted(lambda: bench.click(X, Y))
    bench.page.clock.run_for(1000)
    assert bench.state()["skips"] == []
    assert bench.state()["limit_used_ms"] < 5_000


def test_a_server_that_is_away_takes_no_time_from_an_object(bench: Bench, image: int) -> None:
    opened(bench, image)
    bench.page.route(re.compile(r"/prompt$"), lambda route: route.fulfill(status=503))
    bench.click(X, Y)
    bench.until("s.message.kind === 'error'")
    look_around(bench, 45, step=1)
    assert bench.state()["skips"] == []
    assert bench.state()["limit_used_ms"] < 2_000
    bench.page.unroute_all()
    bench.page.clock.run_for(3000)
    bench.until("s.current && s.has_mask")
    look_around(bench, 4)
    assert bench.state()["limit_used_ms"] > 3_000


def test_the_warning_says_how_much_is_left(bench: Bench, image: int) -> None:
    opened(bench, image)
    bench.prompted(lambda: bench.click(X, Y))
    look_around(bench, 19)
    bench.page.clock.run_for(7_000)
    bench.press("2")
    bench.until("s.object.chosen === 1")
    bench.open(image)
    bench.until("s.object.chosen === 1")
    bench.page.clock.run_for(400)
    bench.until("/^[2-5] s left, then this object goes to the hard queue/.test(s.message.text)")


def test_no_time_counts_behind_help_that_is_opened_anew(bench: Bench, image: int) -> None:
    opened(bench, image)
    bench.prompted(lambda: bench.click(X, Y))
    bench.press("?")
    bench.page.get_by_role("button", name="Default keys").click()
    bench.page.locator("dialog").nth(1).wait_for(state="detached")
    before = bench.state()["limit_used_ms"]
    bench.page.clock.run_for(10_000)
    assert bench.state()["limit_used_ms"] < before + 500
    bench.press("Escape")
    bench.page.locator("dialog").wait_for(state="detached")
    bench.page.clock.run_for(5_000)
    assert bench.state()["limit_used_ms"] > before + 4_000
