"""viewport.js: the way to the screen and back, and what zooming must leave where it is."""

import pytest
from playwright.sync_api import Page

RUN = """async ([view, steps]) => {
  const v = await import('/viewport.js');
  let worst = 0;
  let drift = 0;
  for (const { factor, x, y } of steps) {
    const before = v.toImage(view, x, y);
    view = v.zoomAbout(view, factor, x, y);
    const after = v.toImage(view, x, y);
    drift = Math.max(drift, Math.abs(after[0] - before[0]), Math.abs(after[1] - before[1]));
    for (const [ix, iy] of [[0, 0], [12.25, 700.5], [1499.99, 999.99]]) {
      const [sx, sy] = v.toStage(view, ix, iy);
      const [bx, by] = v.toImage(view, sx, sy);
      worst = Math.max(worst, Math.abs(bx - ix), Math.abs(by - iy));
    }
  }
  return [worst, drift, view.scale];
}"""


def test_the_way_back_is_exact_and_zoom_keeps_what_is_under_the_pointer(pure_page: Page) -> None:
    steps = [{"factor": 1.3 if i % 3 else 0.7, "x": 13 * i % 800, "y": 29 * i % 600} for i in range(60)]
    worst, drift, scale = pure_page.evaluate(RUN, [{"scale": 0.5, "x": 10, "y": -3}, steps])
    assert worst < 1e-9
    assert drift < 1e-6
    assert 0.02 <= scale <= 64


@pytest.mark.parametrize(
    ("image", "stage"), [((1500, 1000), (840, 594)), ((10, 900), (840, 594)), ((3, 3), (100, 100))]
)
def test_fit_shows_all_of_the_image_in_the_middle(
    pure_page: Page, image: tuple[int, int], stage: tuple[int, int]
) -> None:
    view = pure_page.evaluate(
        "async ([image, stage]) => (await import('/viewport.js')).fit(...image, ...stage)", [image, stage]
    )
    for side, offset in ((0, view["x"]), (1, view["y"])):
        assert offset >= 15.99
        assert offset * 2 + image[side] * view["scale"] == pytest.approx(stage[side])


def test_the_image_cannot_be_lost_from_sight(pure_page: Page) -> None:
    view = pure_page.evaluate(
        """async () => {
          const v = await import('/viewport.js');
          return v.keepInSight({ scale: 2, x: 5000, y: -9000 }, 300, 200, 840, 594);
        }"""
    )
    assert view == {"scale": 2, "x": 840 - 48, "y": 48 - 400}
