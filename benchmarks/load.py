"""A team at work at once: people who prompt and accept through HTTP, signed in, against a real server process.

Each opens an image, prompts at a random place, refines some answers, accepts most of them, and goes on to another
image, with pauses of random length between. Some accepts are sent twice at the same time, some are cut off and sent
again, as a bad line does. In the end the database is asked whether what was acknowledged is there, once.
Where there are browsers, real tabs of Chromium do the same by pointer and keys.
"""

import argparse
import asyncio
import contextlib
import json
import random
import sqlite3
import sys
import tempfile
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx
import numpy as np
import psutil
from playwright.sync_api import Page, sync_playwright

from benchmarks import chromium
from benchmarks.app_process import AppProcess
from benchmarks.photos import fill_library
from core import people
from core.passwords import hashed
from core.settings import Settings
from core.sign_in import COOKIE
from core.workshop import open_library
from storage import people as people_queries

PHOTOS: Final = 24
OBJECTS: Final = 6
"""So many on an image, then the next."""
REFINED, TWICE, CUT_OFF, SKIPPED = 0.5, 0.1, 0.05, 0.1
"""Shares: of answers refined, of accepts sent twice at once and cut off, of objects skipped."""
MINUTE_S: Final = 60.0
PASSWORD: Final = "a password for the load test"


@dataclass(slots=True)
class Person:
    """What one of the team did."""

    name: str
    prompts_ms: list[float] = field(default_factory=list)
    accepts_ms: list[float] = field(default_factory=list)
    opens_ms: list[float] = field(default_factory=list)
    acknowledged: set[str] = field(default_factory=set)
    unsure: set[str] = field(default_factory=set)
    refused: Counter[int] = field(default_factory=Counter)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print the JSON object only")
    parser.add_argument("--people", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--browsers", type=int, default=0, help="tabs of Chromium beside them")
    parser.add_argument("--think", type=float, default=1.0, help="mean pause between a person's requests, seconds")
    parser.add_argument("--photos", type=int, default=PHOTOS, help="images that they take turns with")
    arguments = parser.parse_args()
    report = measure(arguments.people, arguments.seconds, arguments.browsers, arguments.think, photos=arguments.photos)
    if not arguments.json:
        for name, value in report.items():
            sys.stdout.write(f"{name}: {value}\n")
    sys.stdout.write(json.dumps(report) + "\n")


def measure(count: int, seconds: float, browsers: int, think_s: float, *, photos: int = PHOTOS) -> dict[str, Any]:
    """Return the figures of so many people at work for so long."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        fill_library(data, photos)
        names = _hire(data, count + browsers)
        with AppProcess(data) as app:
            server = psutil.Process(app.pid)
            team = [Person(name) for name in names[:count]]
            memory_mb: list[float] = []
            tabs: dict[str, Any] = {}
            watching = threading.Thread(target=_tabs, args=(app.url, names[count:], seconds, tabs))
            if browsers:
                watching.start()
            asyncio.run(_work(app.url, team, seconds, think_s, lambda: memory_mb.append(_mb(server))))
            spent = server.cpu_times()
            if browsers:
                watching.join()
        lost, doubled, strange = _counted(data / "masksmith.db", team)
    prompts = [took for person in team for took in person.prompts_ms]
    accepts = [took for person in team for took in person.accepts_ms]
    opens = [took for person in team for took in person.opens_ms]
    report = {
        "people": count,
        "photos": photos,
        "seconds": seconds,
        "think_s": think_s,
        "prompts_per_s": round(len(prompts) / seconds, 2),
        **_percentiles(prompts),
        "accept_p95_ms": _percentiles(accepts)["p95_ms"],
        "open_p95_ms": _percentiles(opens)["p95_ms"],
        "masks": len({key for person in team for key in person.acknowledged}),
        "lost": lost,
        "doubled": doubled,
        "of_nobody": strange,
        "refused": dict(sum((person.refused for person in team), Counter[int]())),
        "fairness": round(jain([len(person.prompts_ms) for person in team]), 4),
        "server_cpu_s": round(spent.user + spent.system, 1),
        "memory_mb": memory_mb,
    }
    return report | ({"browsers": tabs} if browsers else {})


def jain(values: Sequence[float]) -> float:
    """Return Jain's index of fairness: 1 where all got the same, 1/n where one got everything.

    References
    ----------
    Jain, Chiu, Hawe: A quantitative measure of fairness and discrimination, DEC-TR-301, 1984.

    Examples
    --------
    >>> jain([3, 3, 3]), jain([9, 0, 0])
    (1.0, 0.3333333333333333)
    """
    squares = sum(value * value for value in values)
    return sum(values) ** 2 / (len(values) * squares) if squares else 1.0


def _hire(data: Path, count: int) -> list[str]:
    """Put so many annotators on the team, all with the same password: hashing takes long by design."""
    library = open_library(Settings(data, f"sqlite:///{data / 'masksmith.db'}"), samples=False)
    secret = hashed(PASSWORD)
    names = [f"annotator {number + 1}" for number in range(count)]
    for name in names:
        people.add(library, name, "annotator", PASSWORD if name == names[0] else None)
    with library.engines.writing() as session:
        for name in names:
            person = people_queries.by_name(name, session=session)
            if person is not None:
                people_queries.set_password(person.id, secret, must_change=False, session=session)
    library.close()
    return names


async def _work(url: str, team: list[Person], seconds: float, think_s: float, weigh: Callable[[], None]) -> None:
    """Let everybody work until the time is over; weigh the server once all had opened an image, and each minute."""
    ready, begin = asyncio.Semaphore(0), asyncio.Event()
    tasks = [asyncio.create_task(_annotate(url, person, seconds, think_s, ready, begin)) for person in team]
    waiting = asyncio.gather(*tasks)
    for _ in team:
        await asyncio.wait_for(ready.acquire(), 300)
    begin.set()
    while not waiting.done():
        weigh()
        await asyncio.wait([waiting], timeout=MINUTE_S)
    weigh()
    await waiting


async def _annotate(
    url: str, person: Person, seconds: float, think_s: float, ready: asyncio.Semaphore, begin: asyncio.Event
) -> None:
    chance = random.Random(person.name)
    # The server closes connections that rest for 5 s; one must not be used just then, which browsers see to themselves.
    limits = httpx.Limits(keepalive_expiry=2.0)
    async with httpx.AsyncClient(base_url=url, timeout=60.0, limits=limits) as client:
        signed_in = await client.post("/api/session", json={"name": person.name, "password": PASSWORD})
        signed_in.raise_for_status()
        images = (await client.get("/api/images", params={"limit": 500})).raise_for_status().json()["images"]
        chance.shuffle(images)
        await _open(client, images[0]["id"], images[1]["id"], person)
        person.opens_ms.clear()
        ready.release()
        await begin.wait()
        until = time.perf_counter() + seconds
        for number in range(10**6):
            image, following = images[number % len(images)], images[(number + 1) % len(images)]
            if number:
                await _open(client, image["id"], following["id"], person)
            for _ in range(OBJECTS):
                await asyncio.sleep(chance.expovariate(1 / think_s))
                if time.perf_counter() > until:
                    return
                await _object(client, image, person, chance, think_s)


async def _open(client: httpx.AsyncClient, image_id: int, following: int, person: Person) -> None:
    await client.get(f"/api/images/{image_id}")
    await client.get(f"/api/images/{image_id}/pixels")
    sent = {"client": person.name, "next": [following]}
    answer = await _timed(person.opens_ms, client.post(f"/api/images/{image_id}/open", json=sent))
    if answer.status_code != 200:
        person.refused[answer.status_code] += 1


async def _object(
    client: httpx.AsyncClient, image: dict[str, Any], person: Person, chance: random.Random, think_s: float
) -> None:
    """Prompt, perhaps once more, and accept or skip."""
    points = [[chance.uniform(0, image["width"] - 1), chance.uniform(0, image["height"] - 1), 1]]
    found = await _prompt(client, image["id"], {"points": points, "client": person.name, "lazy": True}, person)
    if found and chance.random() < REFINED:
        await asyncio.sleep(chance.expovariate(1 / think_s))
        points.append([chance.uniform(0, image["width"] - 1), chance.uniform(0, image["height"] - 1), 0])
        more = {"points": points, "client": person.name, "lazy": True, "refine": found["token"]}
        found = await _prompt(client, image["id"], more, person) or found
    key = str(uuid.uuid4())
    if found is None:
        return
    if chance.random() < SKIPPED:
        sent = {"object_key": key, "state": {"points": points}}
        await client.post(f"/api/images/{image['id']}/skips", json=sent, headers={"Idempotency-Key": key})
        return
    sent = {"rle": found["rle"], "object_key": key, "times": {"thinking_ms": 900}}
    await _accept(client, image["id"], key, sent, person, chance)


async def _prompt(
    client: httpx.AsyncClient, image_id: int, sent: dict[str, Any], person: Person
) -> dict[str, Any] | None:
    answer = await _timed(person.prompts_ms, client.post(f"/api/images/{image_id}/prompt", json=sent))
    if answer.status_code != 200:
        person.refused[answer.status_code] += 1
        return None
    candidates = answer.json()["candidates"]
    return candidates[0] if candidates else None


async def _accept(
    client: httpx.AsyncClient,
    image_id: int,
    key: str,
    sent: dict[str, Any],
    person: Person,
    chance: random.Random,
) -> None:
    """Send an accepted mask until it is acknowledged, as the canvas does; on a bad line twice, or cut off before."""

    async def once(timeout_s: float) -> httpx.Response:
        place, headers = f"/api/images/{image_id}/masks", {"Idempotency-Key": key}
        return await client.post(place, json=sent, headers=headers, timeout=timeout_s)

    person.unsure.add(key)
    luck = chance.random()
    if luck < CUT_OFF:
        with contextlib.suppress(httpx.TransportError):
            await once(0.02)
    answer = await _timed(person.accepts_ms, once(60.0))
    answers = [answer]
    if CUT_OFF <= luck < CUT_OFF + TWICE:
        answers += await asyncio.gather(once(60.0), once(60.0))
    ids = {one.json()["mask_id"] for one in answers if one.status_code in (200, 201)}
    if len(ids) == 1 and all(one.status_code in (200, 201) for one in answers):
        person.acknowledged.add(key)
        person.unsure.discard(key)
    else:
        person.refused[answer.status_code] += 1


async def _timed(times: list[float], asking: Any) -> httpx.Response:
    begun = time.perf_counter()
    answer: httpx.Response = await asking
    times.append((time.perf_counter() - begun) * 1e3)
    return answer


def _counted(database: Path, team: list[Person]) -> tuple[int, int, int]:
    """Return how many acknowledged masks are not there, how many are there twice, and how many nobody sent."""
    connection = sqlite3.connect(database)
    objects = Counter(row[0] for row in connection.execute("SELECT object_key FROM mask"))
    keys = {row[0] for row in connection.execute("SELECT key FROM mask JOIN mask_rle ON mask_id = mask.id")}
    by_robots = "SELECT key FROM mask JOIN person ON person.id = person_id WHERE person.name IN "
    marks = ",".join("?" * len(team))
    theirs = {row[0] for row in connection.execute(f"{by_robots} ({marks})", [person.name for person in team])}
    connection.close()
    acknowledged = {key for person in team for key in person.acknowledged}
    unsure = {key for person in team for key in person.unsure}
    doubled = sum(count - 1 for count in objects.values())
    return len(acknowledged - keys), doubled, len(theirs - acknowledged - unsure)


def _tabs(url: str, names: list[str], seconds: float, told: dict[str, Any]) -> None:
    """Click and accept in one tab after the other until the time is over."""
    chance = random.Random(0)
    with sync_playwright() as playwright:
        browser = chromium.launch(playwright)
        pages: list[Page] = []
        for name in names:
            sent = {"name": name, "password": PASSWORD}
            answer = httpx.post(f"{url}/api/session", json=sent, timeout=60.0).raise_for_status()
            context = browser.new_context(viewport={"width": 1280, "height": 720})
            context.add_cookies([{"name": COOKIE, "value": answer.cookies[COOKIE], "url": url}])
            page = context.new_page()
            chromium.open_workbench(page, url)
            pages.append(page)
        until, accepted, failures = time.perf_counter() + seconds, 0, 0
        while time.perf_counter() < until:
            for page in pages:
                try:
                    accepted += _click_and_accept(page, chance)
                except Exception as error:  # counted, so that the run goes on
                    sys.stderr.write(f"a tab: {error}\n")
                    failures += 1
        for page in pages:
            page.wait_for_function("window.__masksmith.state().unsaved === 0", timeout=60_000)
        times = [took for page in pages for took in page.evaluate("window.__masksmith.timings().clicks")]
        kept = [page.evaluate("window.__masksmith.state().masks.length") for page in pages]
        browser.close()
    told.update({"tabs": len(names), "accepted": accepted, "failures": failures, "kept": kept, **_percentiles(times)})


def _click_and_accept(page: Page, chance: random.Random) -> int:
    place = page.evaluate(f"window.__masksmith.toClient({chance.uniform(150, 1350)}, {chance.uniform(100, 900)})")
    page.mouse.click(place["x"], place["y"])
    page.wait_for_function(
        "(() => { const s = window.__masksmith.state(); return s.current && s.has_mask; })()", polling=50
    )
    page.keyboard.press("Enter")
    page.wait_for_function("!window.__masksmith.state().has_mask", polling=50)
    return 1


def _percentiles(times: Sequence[float]) -> dict[str, float | None]:
    if not times:
        return {"p50_ms": None, "p95_ms": None}
    return {"p50_ms": round(float(np.percentile(times, 50)), 1), "p95_ms": round(float(np.percentile(times, 95)), 1)}


def _mb(process: psutil.Process) -> float:
    return round(process.memory_info().rss / 1e6, 1)


if __name__ == "__main__":
    main()
