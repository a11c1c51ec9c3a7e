"""hover.js and answers.js against a real server: previews never pile up, and no prompt is asked twice."""

import threading

from playwright.sync_api import Page

from tests.canvas.conftest import Answer, Backend, Request

HOVER = """async (places) => {
  const { Api } = await import('/api.js');
  const { Hover } = await import('/hover.js');
  window.shown = [];
  window.hover = new Hover(new Api('/api'), { client: 'c', onPreview: (one) => shown.push(one && one.token) });
  for (const x of places) hover.ask(1, { points: [[x, 0, 1]], box: null, refine: null });
}"""


def test_while_a_preview_runs_only_the_newest_place_waits(page: Page, backend: Backend) -> None:
    gate = threading.Event()

    def answer(request: Request) -> Answer:
        if len(backend.requests) == 1:
            gate.wait(10)
        return 200, {"candidates": [{"token": str(request.body["points"][0][0])}]}

    backend.answer = answer
    page.evaluate(HOVER, list(range(30)))
    page.wait_for_function("() => hover.running !== null && hover.wanted !== null")
    gate.set()
    page.wait_for_function("() => shown.length === 2")
    assert page.evaluate("shown") == ["0", "29"]
    assert [r.body["points"][0][0] for r in backend.requests] == [0, 29]
    assert all(r.body["preview"] for r in backend.requests)


def test_a_stopped_preview_is_never_shown(page: Page, backend: Backend) -> None:
    gate = threading.Event()

    def answer(_request: Request) -> Answer:
        gate.wait(10)
        return 200, {"candidates": [{"token": "late"}]}

    backend.answer = answer
    page.evaluate(HOVER, [5])
    page.wait_for_function("() => hover.running !== null")
    page.evaluate("hover.stop()")
    gate.set()
    page.evaluate("fetch('/api/anything').then((r) => r.text())")
    assert page.evaluate("shown") == [None]


def test_one_prompt_is_asked_once_and_remembered(page: Page, backend: Backend) -> None:
    backend.answer = lambda _r: (200, {"candidates": [{"token": "t", "rle": None}], "model": "m", "refined": False})
    found = page.evaluate(
        """async () => {
          const { Api } = await import('/api.js');
          const { Answers } = await import('/answers.js');
          const o = await import('/object.js');
          const answers = new Answers(new Api('/api'), 'c');
          answers.openImage(3);
          const one = o.addPoint(o.fresh(), { x: 1, y: 2, label: 1, at: 0 }, null);
          const two = o.addPoint(one, { x: 5, y: 2, label: 0, at: 9 }, 't');
          const [a, b] = await Promise.all([answers.ask(one), answers.ask(one)]);
          await answers.ask(two);
          const back = answers.of(one);
          answers.openImage(4);
          return [a === b, a === back, answers.of(one)];
        }"""
    )
    assert found == [True, True, None]
    assert [r.body["points"] for r in backend.requests] == [[[1, 2, 1]], [[1, 2, 1], [5, 2, 0]]]
    assert [r.body["refine"] for r in backend.requests] == [None, "t"]


def test_a_dropped_prompt_answers_nobody(page: Page, backend: Backend) -> None:
    gate = threading.Event()

    def answer(request: Request) -> Answer:
        if request.body["points"][0][0] == 1:
            gate.wait(10)
        return 200, {"candidates": [], "model": "m", "refined": False}

    backend.answer = answer
    found = page.evaluate(
        """async () => {
          const { Api } = await import('/api.js');
          const { Answers } = await import('/answers.js');
          const o = await import('/object.js');
          const answers = new Answers(new Api('/api'), 'c');
          answers.openImage(3);
          const point = (x) => o.addPoint(o.fresh(), { x, y: 2, label: 1, at: 0 }, null);
          const old = answers.ask(point(1)).catch((error) => error.name);
          const now = answers.ask(point(2));
          answers.dropOthers(point(2));
          await now;
          return [await old, answers.of(point(1)), answers.isAsked(point(1))];
        }"""
    )
    gate.set()
    assert found == ["AbortError", None, False]
