"""Two servers with one PostgreSQL database and one bucket: what is saved through one is there in the other, once."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from benchmarks.app_process import AppProcess
from core.segmentation.catalogue import GRABCUT
from tests.e2e.conftest import kept
from tests.e2e.test_kill import accept
from tests.postgresql import Server
from tests.s3 import S3

KEYS = 25


@pytest.fixture
def apps(server: Server, s3: S3, tmp_path: Path) -> Iterator[list[AppProcess]]:
    """Both are started for the first time, at once."""
    environment = {
        **s3.environment,
        "DATABASE_URL": server.make(),
        "MASKSMITH_FILES": s3.make_bucket("shared"),
        "MASKSMITH_MODEL": GRABCUT,
    }
    made = [AppProcess(tmp_path / name, environment) for name in ("one", "two")]
    try:
        at_once([one.start for one in made])
        yield made
    finally:
        for one in made:
            one.stop()


def at_once(actions: list[Callable[[], object]]) -> None:
    with ThreadPoolExecutor(len(actions)) as pool:
        for done in [pool.submit(action) for action in actions]:
            done.result()


def test_two_servers_share_one_library(apps: list[AppProcess], s3: S3) -> None:
    lists = [httpx.get(f"{app.url}/api/images").json()["images"] for app in apps]
    assert lists[0] == lists[1]
    names = [image["name"] for image in lists[0]]
    assert len(names) == len(set(names)) > 3
    image = lists[0][0]

    def work(app: AppProcess) -> None:
        with httpx.Client(base_url=app.url, timeout=60.0) as client:
            for number in range(KEYS):
                accept(client, image, f"shared-{number}", number)
                accept(client, image, f"{app.port}-{number}", number)

    at_once([lambda app=app: work(app) for app in apps])  # type: ignore[misc]
    wanted = {f"{name}-{number}" for name in ("shared", *(app.port for app in apps)) for number in range(KEYS)}
    for app in apps:
        keys = [mask["key"] for mask in kept(app, image["id"])["mask_list"]]
        assert len(keys) == len(wanted)
        assert set(keys) == wanted
    pixels = [httpx.get(f"{app.url}/api/images/{image['id']}/pixels").content for app in apps]
    assert pixels[0] == pixels[1] != b""
    assert not [path for app in apps for path in app.data.glob("files/*")]
    assert s3.names("shared")


def test_a_prompt_is_answered_by_both(apps: list[AppProcess]) -> None:
    for app in apps:
        image = httpx.get(f"{app.url}/api/images").json()["images"][0]
        point = {"points": [[image["width"] / 2, image["height"] / 2, 1]]}
        answer = httpx.post(f"{app.url}/api/images/{image['id']}/prompt", json=point, timeout=60.0)
        assert answer.json()["candidates"][0]["rle"]["size"] == [image["height"], image["width"]]
