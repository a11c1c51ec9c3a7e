"""outbox.js against a real HTTP server that fails on demand: order, retries, refusals, reloads and dead tabs."""

from playwright.sync_api import BrowserContext, Page

from tests.canvas.conftest import Answer, Backend, Request

START = """async () => {
  const { Api } = await import('/api.js');
  const { Outbox } = await import('/outbox.js');
  const { TabQueues } = await import('/tabs.js');
  window.box = new Outbox(new Api('/api'), new TabQueues('test'), { firstWait: 20, longestWait: 80 });
  window.said = [];
  box.onSent = (item, answer) => said.push([item.op, answer]);
  box.onRefused = (item) => said.push(['refused', item.refused]);
  await box.start();
}"""
ADD = """([op, method, path, key]) => {
  box.add({ op, imageId: 1, method, path, key, body: method === 'DELETE' ? undefined : { op } });
}"""
EMPTY = "() => box.unsaved.length === 0"


def add(page: Page, op: str, method: str, path: str, key: str | None = None) -> None:
    page.evaluate(ADD, [op, method, path, key])


def test_items_go_in_order_and_each_once(page: Page, backend: Backend) -> None:
    page.evaluate(START)
    for number in range(20):
        add(page, f"n{number}", "POST", f"/things/{number}", f"key-{number}")
    page.wait_for_function(EMPTY)
    assert [(r.path, r.key) for r in backend.requests] == [(f"/things/{n}", f"key-{n}") for n in range(20)]
    assert page.evaluate("said.map(([op]) => op)") == [f"n{number}" for number in range(20)]


def test_what_fails_is_sent_again_under_the_same_key_before_what_follows(page: Page, backend: Backend) -> None:
    failures: list[Answer | None] = [None, (500, {"detail": "broken"}), (503, {"detail": "away"}), (429, {})]

    def answer(request: Request) -> Answer | None:
        return failures.pop(0) if failures else (201, {"path": request.path})

    backend.answer = answer
    page.evaluate(START)
    add(page, "first", "POST", "/a", "key-a")
    add(page, "second", "DELETE", "/b")
    page.wait_for_function(EMPTY)
    assert [r.path for r in backend.requests] == ["/a"] * 5 + ["/b"]
    assert {r.key for r in backend.requests[:5]} == {"key-a"}
    assert page.evaluate("said") == [["first", {"path": "/a"}], ["second", {"path": "/b"}]]


def test_what_is_refused_for_good_is_set_aside_and_shown(page: Page, backend: Backend) -> None:
    backend.answer = lambda r: (422, {"detail": "the mask must fit"}) if r.path == "/bad" else (204, None)
    page.evaluate(START)
    add(page, "bad", "POST", "/bad", "key")
    add(page, "good", "POST", "/good", "key2")
    page.wait_for_function(EMPTY)
    assert [r.path for r in backend.requests] == ["/bad", "/good"]
    assert page.evaluate("box.refused.map((item) => item.refused)") == ["the mask must fit"]
    page.reload()
    page.evaluate(START)
    assert page.evaluate("box.refused.map((item) => item.op)") == ["bad"]
    backend.answer = lambda _request: (204, None)
    page.evaluate("box.tryAgain(box.refused[0].id)")
    page.wait_for_function("() => box.items.length === 0")
    assert [r.path for r in backend.requests] == ["/bad", "/good", "/bad"]


def test_a_refused_correction_is_saved_as_a_mask_of_its_own(page: Page, backend: Backend) -> None:
    backend.answer = lambda _request: (409, {"detail": "mask 3 was deleted meanwhile"})
    page.evaluate(START)
    for key, origin in (("a", "imported"), ("b", "assisted")):
        body = {"supersedes": "old", "origin": origin, "object_key": key}
        sent = {"op": "accept", "imageId": 1, "method": "POST", "path": f"/{key}", "key": key, "body": body, "info": {}}
        page.evaluate("(item) => box.add(item)", sent)
    page.wait_for_function("() => box.refused.length === 2")
    backend.answer = lambda _request: (201, {})
    page.evaluate("for (const { id } of box.refused) box.saveBeside(id)")
    page.wait_for_function("() => box.items.length === 0")
    sent_again = [request.body for request in backend.requests[2:]]
    # Nothing imported is corrected by it any more: it is a mask that a hand has painted.
    assert sent_again == [
        {"supersedes": None, "origin": "by_hand", "object_key": "a"},
        {"supersedes": None, "origin": "assisted", "object_key": "b"},
    ]


def test_deleting_what_is_gone_is_done(page: Page, backend: Backend) -> None:
    backend.answer = lambda _request: (404, {"detail": "no such mask"})
    page.evaluate(START)
    add(page, "delete", "DELETE", "/masks/x")
    page.wait_for_function("() => box.items.length === 0")
    assert page.evaluate("said") == [["delete", None]]


def test_a_reload_loses_nothing_and_keeps_the_order(page: Page, backend: Backend) -> None:
    backend.answer = lambda _request: None
    page.evaluate(START)
    for number in range(3):
        add(page, "accept", "POST", f"/{number}", f"key-{number}")
    page.wait_for_function("() => box.unsaved.length === 3")
    page.reload()
    # Only once the old page is gone: it might still send something itself.
    backend.requests.clear()
    backend.answer = lambda _request: (201, {})
    page.evaluate(START)
    page.wait_for_function(EMPTY)
    assert [r.key for r in backend.requests if r.key][-3:] == ["key-0", "key-1", "key-2"]


def test_a_tab_adopts_what_a_closed_tab_has_left(context: BrowserContext, page: Page, backend: Backend) -> None:
    backend.answer = lambda _request: None
    page.evaluate(START)
    add(page, "accept", "POST", "/left", "key-left")
    page.wait_for_function("() => box.unsaved.length === 1")
    page.close()
    backend.answer = lambda _request: (201, {})
    other = context.new_page()
    other.goto(backend.url)
    other.evaluate(START)
    other.wait_for_function("() => said.length === 1")
    assert other.evaluate("said[0][0]") == "accept"
    assert other.evaluate("Object.keys(localStorage).filter((key) => key.startsWith('test.queue.'))") == []


def test_two_tabs_do_not_touch_each_others_queue(context: BrowserContext, page: Page, backend: Backend) -> None:
    backend.answer = lambda r: None if r.path == "/mine" else (201, {})
    page.evaluate(START)
    add(page, "accept", "POST", "/mine", "key-mine")
    page.wait_for_function("() => box.unsaved.length === 1")
    other = context.new_page()
    other.goto(backend.url)
    other.evaluate(START)
    other.evaluate("box.adopt()")
    assert other.evaluate("box.items.length") == 0
    add(other, "accept", "POST", "/other", "key-other")
    other.wait_for_function(EMPTY)
    assert page.evaluate("box.unsaved.length") == 1
    backend.answer = lambda _request: (201, {})
    page.wait_for_function(EMPTY)
    assert [r.key for r in backend.requests].count("key-other") == 1


def test_without_web_locks_a_heartbeat_says_who_lives(page: Page) -> None:
    found = page.evaluate(
        """async () => {
          const { TabQueues } = await import('/tabs.js');
          const item = JSON.stringify([{ id: 'x', op: 'accept' }]);
          localStorage.setItem('hb.queue.living', item);
          localStorage.setItem('hb.alive.living', String(Date.now()));
          localStorage.setItem('hb.queue.dead', item);
          localStorage.setItem('hb.alive.dead', String(Date.now() - 3600e3));
          const queues = new TabQueues('hb', { locks: undefined });
          queues.locks = undefined;
          await queues.claim();
          const adopted = [];
          await queues.adopt((items) => { adopted.push(...items); return queues.write(items); });
          clearInterval(queues.beating);
          const left = Object.keys(localStorage).filter((key) => key.includes('queue'));
          return [adopted.length, queues.read().length, left.length];
        }"""
    )
    assert found == [1, 1, 2]
