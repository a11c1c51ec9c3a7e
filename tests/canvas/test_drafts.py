"""drafts.js against a real server: objects in work outlive pages, and tabs on one image keep each its own."""

from typing import Any

from playwright.sync_api import BrowserContext, Page

from tests.canvas.conftest import Backend

START = """async () => {
  const { Api } = await import('/api.js');
  const { Drafts } = await import('/drafts.js');
  window.drafts = new Drafts(new Api('/api'));
}"""
TOLD = "() => drafts.waiting.size === 0 && !drafts.sending"


def draft(key: str, saved_at: int) -> dict[str, Any]:
    return {"object": {"key": key}, "answer": None, "times": {}, "allow": 0, "saved_at": saved_at}


def keep(page: Page, image: int, what: dict[str, Any] | None) -> None:
    page.evaluate("([image, draft]) => drafts.keep(image, draft)", [image, what])


def newest(page: Page, image: int, work: dict[str, Any] | None = None, finished: tuple[str, ...] = ()) -> str | None:
    found: str | None = page.evaluate(
        "([image, work, finished]) => drafts.newest(image, work, new Set(finished))?.object.key ?? null",
        [image, work, list(finished)],
    )
    return found


def test_what_is_kept_comes_back_after_a_reload_and_is_told_to_the_server(page: Page, backend: Backend) -> None:
    page.evaluate(START)
    keep(page, 7, draft("a", 5))
    page.wait_for_function(TOLD)
    (told,) = backend.requests
    assert (told.method, told.path, told.body["object_key"]) == ("PUT", "/images/7/work", "a")
    page.reload()
    page.evaluate(START)
    assert newest(page, 7) == "a"
    assert newest(page, 8) is None
    assert newest(page, 7, finished=("a",)) is None


def test_one_tab_that_finishes_leaves_the_other_tabs_object(
    context: BrowserContext, page: Page, backend: Backend
) -> None:
    other = context.new_page()
    other.goto(backend.url)
    for tab, key, saved_at in ((page, "a", 5), (other, "b", 6)):
        tab.evaluate(START)
        keep(tab, 7, draft(key, saved_at))
        tab.wait_for_function(TOLD)
    keep(other, 7, None)
    other.wait_for_function(TOLD)
    assert (backend.requests[-1].method, backend.requests[-1].path) == ("DELETE", "/images/7/work?object=b")
    assert newest(page, 7) == "a"


def test_the_newer_of_this_browsers_and_the_servers_wins(page: Page) -> None:
    page.evaluate(START)
    keep(page, 7, draft("here", 50))
    assert newest(page, 7, {"object_key": "there", "state": draft("there", 60)}) == "there"
    assert newest(page, 7, {"object_key": "there", "state": draft("there", 40)}) == "here"


def test_an_object_that_is_gone_does_not_come_back_before_the_server_knows(page: Page, backend: Backend) -> None:
    backend.answer = lambda _request: None
    page.evaluate(START)
    keep(page, 7, draft("a", 5))
    keep(page, 7, None)
    page.reload()
    page.evaluate(START)
    backend.answer = lambda _request: (204, None)
    assert newest(page, 7, {"object_key": "a", "state": draft("a", 5)}) is None
    page.wait_for_function(TOLD)
    assert (backend.requests[-1].method, backend.requests[-1].path) == ("DELETE", "/images/7/work?object=a")
    assert page.evaluate("localStorage.length") == 0


def test_an_object_that_is_undone_back_into_work_is_kept_again(page: Page, backend: Backend) -> None:
    page.evaluate(START)
    keep(page, 7, draft("a", 5))
    keep(page, 7, draft("b", 6))
    keep(page, 7, draft("a", 7))
    page.wait_for_function(TOLD)
    assert newest(page, 7) == "a"
    assert {(r.method, r.path) for r in backend.requests} == {
        ("PUT", "/images/7/work"),
        ("DELETE", "/images/7/work?object=b"),
    }


def test_what_the_server_refuses_for_one_image_does_not_hold_up_another(page: Page, backend: Backend) -> None:
    backend.answer = lambda r: (404, {"detail": "gone"}) if r.path.startswith("/images/7/") else (204, None)
    page.evaluate(START)
    keep(page, 7, draft("a", 5))
    keep(page, 8, draft("b", 6))
    page.wait_for_function(TOLD)
    assert [r.path for r in backend.requests] == ["/images/7/work", "/images/8/work"]
    assert newest(page, 7) == "a"
