"""Names that are scripts, and pages of other sites, in real Chromium: nothing of theirs runs, nothing changes."""

import http.client
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from playwright.sync_api import Page

from benchmarks.app_process import AppProcess
from core import annotating, auditing, masks, people, projects, reviewing, rounds, skipping
from core.importing import import_bytes
from core.rounds import Asked
from core.segmentation.catalogue import GRABCUT
from core.workshop import open_library
from storage import settings_store
from tests.conftest import settings_of
from tests.e2e.conftest import Bench, settled
from tests.e2e.photos import disk_photo
from tests.e2e.test_sign_in import PASSWORD, sign_in

EVIL = "<img src=x onerror=window.hacked=1>"
LINK = "[here](javascript:window.hacked=2)"
CLOSING = "</script><svg onload=window.hacked=3>\"'`$x$:red[b]"
PHOTOS = (f"{EVIL}.png", f"{LINK}.png", "}" + CLOSING.replace("/", "") + ".png")


def fill(data: Path) -> None:
    """Make a library in which everything that people name is a script."""
    library = open_library(settings_of(data), samples=False)
    uploads = [(name, disk_photo(name)) for name in PHOTOS]
    import_bytes(uploads, engines=library.engines, files=library.files, project_id=library.project_id)
    with library.engines.writing() as session:
        settings_store.put("samples", {"done": True}, session=session)
        session.connection().exec_driver_sql("UPDATE project SET name = ?", (f"{EVIL}{LINK}{CLOSING}",))
    projects.change_settings(library, {"labels": True, "label_names": [EVIL, LINK, CLOSING]})
    people.set_password(library, library.person_id, PASSWORD)
    people.add(library, EVIL, "annotator", PASSWORD)
    people.add(library, LINK, "reviewer", PASSWORD)
    ids = {person.name: person.id for person in people.every(library)}
    evil = library.for_person(ids[EVIL], "annotator")
    for image_id, label in ((1, EVIL), (2, LINK), (3, CLOSING)):
        for number in range(2):
            drawn = np.zeros((300, 400), bool)
            drawn[40:140, 30 + 150 * number : 130 + 150 * number] = True
            accepted = annotating.Accepted(masks.encode(drawn), "o", label=label, model=f"{EVIL}@{'0' * 12}")
            by = evil if number else library
            saved = annotating.accept(by, image_id, f"k{image_id}-{number}", accepted)
            if number:
                verdict = reviewing.Verdict(saved.mask_id, "send_back", 2, comment=f"{EVIL} {LINK} {CLOSING}")
                reviewing.give(library, f"r{image_id}", verdict)
        skipping.skip(evil, image_id, f"s{image_id}", object_key="o", reason="hard", state={}, times={})
    rounds.begin(library, Asked(f"{EVIL}{LINK}"[:90], (library.person_id, ids[EVIL]), images=2), seed=1)
    auditing.begin(library, auditing.Asked(count=3), seed=1)
    library.close()


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppProcess]:
    data = tmp_path_factory.mktemp("hostile") / "data"
    data.mkdir()
    fill(data)
    with AppProcess(data, {"MASKSMITH_MODEL": GRABCUT}) as running:
        yield running


def harmless(page: Page) -> None:
    """See that nothing has run, and that nothing lies there that could."""
    assert page.evaluate("window.hacked") is None
    assert page.locator("img[onerror], svg[onload], a[href^='javascript']").count() == 0


VIEWS: dict[str, tuple[str, ...]] = {
    "images": ("Library", "Coverage"),
    "own": ("Sent back", "Hard queue", "Feedback"),
    "review": ("Audits", "Flagged", "Not reviewed", "Sent back", "Hard queue", "Feedback", "Agreement"),
    "metrics": (),
    "models": (),
    "team": (),
}


@pytest.mark.parametrize("name", ["owner", EVIL])
def test_no_name_label_or_comment_is_ever_markup(page: Page, hostile: AppProcess, name: str) -> None:
    page.on("dialog", lambda dialog: pytest.fail(f"a script ran: {dialog.message}"))
    page.goto(f"{hostile.url}/own")
    sign_in(page, name)
    pages = VIEWS if name == "owner" else {"images": ("Library",), "own": VIEWS["own"]}
    for place, views in pages.items():
        page.goto(f"{hostile.url}/{place}")
        page.locator(".st-key-account summary").wait_for()
        settled(page)
        harmless(page)
        for view in views:
            page.get_by_role("radio", name=view).or_(page.get_by_role("button", name=view)).first.click()
            settled(page)
            assert page.locator("[data-testid=stException]").count() == 0
            harmless(page)
    page.goto(f"{hostile.url}/images")
    for photo in PHOTOS:
        page.get_by_text(photo, exact=True).first.wait_for()
    if name == "owner":
        page.goto(f"{hostile.url}/settings")
        page.get_by_role("textbox", name="Label names").wait_for()
        harmless(page)
    bench = Bench(page, hostile.url)
    bench.open(1)
    bench.until("s.masks.length === 2")
    page.get_by_text(EVIL, exact=True).first.wait_for()
    bench.press("?")
    bench.press("Escape")
    bench.press("l")
    harmless(page)


SITE = """<!doctype html><meta charset=utf-8><body><script>
const url = "TARGET", tried = [];
const ask = (what, path, more) =>
  fetch(url + path, { credentials: "include", ...more })
    .then((answer) => tried.push([what, String(answer.status)]), (error) => tried.push([what, String(error)]));
const json = { "Content-Type": "application/json", "Idempotency-Key": "evil" };
const skip = JSON.stringify({ object_key: "o", state: {} });
const socket = new Promise((done) => {
  const opened = new WebSocket(url.replace("http", "ws") + "/_stcore/stream");
  opened.onopen = () => done(tried.push(["socket", "open"]));
  opened.onerror = () => done(tried.push(["socket", "refused"]));
});
const all = [
  ask("delete", "/api/masks/k1-0", { method: "DELETE" }),
  ask("json", "/api/images/1/skips", { method: "POST", headers: json, body: skip }),
  ask("simple", "/api/images/1/state", { method: "POST", mode: "no-cors", body: '{"state": "done"}' }),
  ask("read", "/api/images", {}),
  ask("metrics", "/metrics", {}),
  socket,
];
const frame = document.createElement("iframe"), form = document.createElement("form");
frame.name = "hidden";
Object.assign(form, { method: "POST", action: url + "/api/masks/k1-0/restore", target: "hidden" });
document.body.append(frame, form);
frame.onload = () => Promise.all(all).then(() => { window.tried = tried; });
form.submit();
</script>"""


class Other(BaseHTTPRequestHandler):
    """Another site, whose page asks our server for changes in the name of whoever looks at it."""

    target = ""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(SITE.replace("TARGET", self.target).encode())

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def other_site() -> Iterator[str]:
    """A page at another name and port of this machine."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Other)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://localhost:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("signed_in", [True, False])
def test_a_page_of_another_site_changes_and_reads_nothing(
    page: Page, hostile: AppProcess, app: AppProcess, other_site: str, signed_in: bool
) -> None:
    """Neither with the cookie of who is signed in, nor on a server on which nobody must."""
    server = hostile if signed_in else app
    if signed_in:
        page.goto(f"{server.url}/own")
        sign_in(page, "owner")
    before = _state(server)
    Other.target = server.url
    page.goto(other_site)
    page.wait_for_function("window.tried")
    tried = dict(page.evaluate("window.tried"))
    assert set(tried) == {"delete", "json", "simple", "read", "metrics", "socket"}
    # What a script may not read shows as a TypeError; an opaque answer as status 0, of a request that was refused.
    assert {tried[what] for what in ("delete", "json", "read", "metrics")} == {"TypeError: Failed to fetch"}
    assert tried["simple"] == "0"
    assert tried["socket"] == "refused"
    assert _state(server) == before


def test_no_page_of_another_site_frames_ours(page: Page, app: AppProcess, other_site: str) -> None:
    for path in ("/", "/images", "/_stcore/health", "/api/images", "/canvas/v/main.js"):
        told = httpx.get(f"{app.url}{path}").headers
        assert told.get_list("content-security-policy") == ["frame-ancestors 'self'"]
        assert told.get_list("x-content-type-options") == ["nosniff"]
    Other.target = app.url
    page.goto(other_site)
    with page.expect_console_message(lambda said: "frame-ancestors" in said.text):
        page.evaluate(
            "(url) => document.body.append(Object.assign(document.createElement('iframe'), {src: url}))", app.url
        )


def test_the_server_reads_no_upload_that_it_has_no_room_for(app: AppProcess) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", app.port, timeout=20)
    connection.putrequest("PUT", "/_stcore/upload_file/session/file")
    connection.putheader("Content-Length", str(3 << 30))
    connection.endheaders()  # and not one byte of it
    answer = connection.getresponse()
    assert (answer.status, b"uploads that wait must have at most 2048 MB" in answer.read()) == (507, True)
    connection.close()


def _state(server: AppProcess) -> list[Any]:
    library = open_library(settings_of(server.data), samples=False)
    with library.engines.read.connect() as connection:
        found = [
            list(connection.exec_driver_sql(f"SELECT * FROM {table}").all()) for table in ("mask", "skip", "image")
        ]
    library.close()
    return found
