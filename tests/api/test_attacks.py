"""What somebody signed in could try: other people's and projects' things by id, absurd bodies, SQL, code in files."""

import io
import json
import os
import pickle
import tracemalloc
from pathlib import Path
from typing import Any
from urllib.parse import quote

import anyio.from_thread
import httpx
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.routing import Mount, Route

from api.bodies import MAX_BODY_BYTES
from api.routes import routes
from core import annotating, library, masks, reviewing, rounds, skipping
from core.errors import ModelUnavailable
from core.hashes import file_sha256
from core.importing import import_bytes
from core.rounds import Asked
from core.segmentation.cache import EmbeddingCache
from core.segmentation.catalogue import CHECKPOINTS, STARTER, SegmenterSpec, check_checkpoint, load_segmenter
from core.segmentation.heads import read_head
from core.segmentation.protocol import Embedding
from core.workshop import Workshop
from pages.canvas.assets import FOLDER
from storage import images, people
from storage.errors import MissingRow
from tests.api import people as team
from tests.api.conftest import body, client_of, refused, save
from tests.api.test_hostile import BODIES, HOSTILE, attacked, attacker, texts
from tests.conftest import HEIGHT, WIDTH, photo, square

__all__ = ["attacked", "attacker"]

NOTED = ("mask", "flag", "skip", "work", "image", "event", "review", "agreement_round", "tally")


def rows(shop: Workshop) -> dict[str, list[Any]]:
    """Return all that anybody could have changed."""
    with shop.engines.read.connect() as connection:
        return {table: list(connection.exec_driver_sql(f"SELECT * FROM {table}").all()) for table in NOTED}


class Seats:
    """A round with a seat for the owner and one for Rita, each with a mask, a flag and a skip; so has the library."""

    def __init__(self, shop: Workshop, client: httpx.Client) -> None:
        with shop.engines.writing() as session:
            rita = people.get_or_create("rita", role="annotator", session=session).id
        self.round = rounds.begin(shop, Asked("blind", (shop.person_id, rita), images=2), seed=1)
        self.ours = _stocked(client, "/api", 1, "ours")
        mine = [image["id"] for image in client.get(f"/api/rounds/{self.round}/images").json()["images"]]
        self.mine = _stocked(client, f"/api/rounds/{self.round}", mine[0], "mine")
        hers = shop.for_person(rita, "annotator")
        seat = rounds.enter(hers, self.round)
        with shop.engines.reading() as session:
            there = images.page(seat.project_id, session=session, limit=1)[0].id
        small = annotating.Accepted(masks.encode(square(side=3)), "hers")
        saved = annotating.accept(seat, there, "hers", small)
        skipping.skip(seat, there, "hers-skip", object_key="o", reason="hard", state={}, times={})
        self.hers = {
            "image": there,
            "mask": saved.mask_id,
            "key": "hers",
            "flag": saved.flags[0].id,
            "skip": "hers-skip",
        }


def _stocked(client: httpx.Client, base: str, image: int, key: str) -> dict[str, Any]:
    """Save a mask with a flag and a skip, and return their ids."""
    headers = {"Idempotency-Key": key}
    sent = body(square(side=3), object_key=key)
    saved = client.post(f"{base}/images/{image}/masks", json=sent, headers=headers).json()
    headers = {"Idempotency-Key": f"{key}-skip"}
    answer = client.post(f"{base}/images/{image}/skips", json={"object_key": key, "state": {}}, headers=headers)
    assert answer.status_code == 201
    flag = saved["flags"][0]["flag_id"]
    return {"image": image, "mask": saved["mask_id"], "key": key, "flag": flag, "skip": f"{key}-skip"}


@pytest.fixture
def seats(shop: Workshop, client: httpx.Client) -> Seats:
    return Seats(shop, client)


@pytest.mark.parametrize(("place", "whose"), [("main", "mine"), ("main", "hers"), ("seat", "ours"), ("seat", "hers")])
def test_what_belongs_to_another_project_is_as_good_as_none(
    client: httpx.Client, shop: Workshop, seats: Seats, place: str, whose: str
) -> None:
    """Even for the owner, whose role reaches everywhere: from a seat, and into one, nothing is seen or changed."""
    base = "/api" if place == "main" else f"/api/rounds/{seats.round}"
    theirs: dict[str, Any] = getattr(seats, whose)
    here: dict[str, Any] = seats.ours if place == "main" else seats.mine
    image, mask, key, flag, skip = (theirs[name] for name in ("image", "mask", "key", "flag", "skip"))
    before = rows(shop)
    for method, path, sent in (
        ("GET", f"/images/{image}", None),
        ("GET", f"/images/{image}/pixels", None),
        ("GET", f"/images/{image}/thumbnail", None),
        ("POST", f"/images/{image}/open", {}),
        ("POST", f"/images/{image}/state", {"state": "done"}),
        ("POST", f"/images/{image}/prompt", {"points": [[60, 45, 1]]}),
        ("POST", f"/images/{image}/masks", body(square())),
        ("POST", f"/images/{image}/skips", {"object_key": "o", "state": {}}),
        ("PUT", f"/images/{image}/work", {"object_key": "o", "state": {}}),
        ("DELETE", f"/images/{image}/work", None),
        ("DELETE", f"/masks/{mask}", None),
        ("DELETE", f"/masks/{key}?revive=1", None),
        ("POST", f"/masks/{key}/restore", None),
        ("PATCH", f"/masks/{mask}", {"label": "cup"}),
        ("POST", f"/flags/{flag}", {"resolution": "kept"}),
        ("DELETE", f"/skips/{skip}", None),
        ("POST", f"/skips/{skip}/restore", None),
    ):
        answer = client.request(method, f"{base}{path}", json=sent, headers={"Idempotency-Key": "new"})
        assert "must" in refused(answer, 404), (method, path)
    headers = {"Idempotency-Key": "new"}
    correction = body(square(40), supersedes=key)
    refused(client.post(f"{base}/images/{here['image']}/masks", json=correction, headers=headers), 422)
    # A key of theirs is no way to their mask either.
    headers = {"Idempotency-Key": key}
    refused(client.post(f"{base}/images/{here['image']}/masks", json=body(square(40)), headers=headers), 409)
    opened = client.post(f"{base}/images/{here['image']}/open", json={"next": [image]})
    assert opened.status_code == 200
    listed = client.get(f"{base}/images").json()["images"]
    assert image not in [one["id"] for one in listed]
    assert rows(shop) == before


def test_pages_too_touch_their_own_project_only(shop: Workshop, seats: Seats) -> None:
    before = rows(shop)
    assert library.delete(shop, [seats.hers["image"], seats.mine["image"], 999]) == 0
    with pytest.raises(MissingRow):
        reviewing.give(shop, "r", reviewing.Verdict(seats.hers["mask"], "approve"))
    seat = rounds.enter(shop, seats.round)
    with pytest.raises(MissingRow):
        rounds.close(seat, seats.round)
    assert rows(shop) == before


def test_nobody_sits_in_somebody_elses_seat(
    shop: Workshop, seats: Seats, portal: anyio.from_thread.BlockingPortal
) -> None:
    team.put_in(shop)
    for role in ("annotator", "reviewer", "manager"):
        with client_of(lambda: shop, portal) as other:
            team.sign_in(other, role)
            answer = other.get(f"/api/rounds/{seats.round}/images")
            assert "must have a seat for you" in refused(answer, 404)
            refused(other.get(f"/api/images/{seats.hers['image']}"), 404)


def test_candidates_jobs_versions_and_exports_are_found_by_who_may_only(client: httpx.Client) -> None:
    first = client.post("/api/images/1/prompt", json={"points": [[60, 45, 1]]}).json()["candidates"][0]
    refused(client.get(f"/api/images/2/candidates/{first['token']}"), 404)
    refused(client.delete("/api/retrainings/1"), 404)
    refused(client.post("/api/models/99/promote"), 404)
    for name in ("..", "%2e%2e", "..%2f..", "%2e%2e%2fmasksmith.db", "a%00", "a/../..", "~", "-", "A"):
        assert client.get(f"/api/exports/{name}").status_code in (307, 404, 405), name


FREE = [place for place, valid in BODIES.items() if valid is not None]


@pytest.mark.parametrize(("method", "path"), FREE)
@pytest.mark.parametrize("depth", [90, 180, 250, 900, 100_000])
def test_no_depth_of_a_body_breaks_the_server(client: httpx.Client, method: str, path: str, depth: int) -> None:
    """What is kept must be read again, so what is too deep to be read is not kept."""
    deep = '{"a":' * depth + "1" + "}" * depth
    fields = {
        **BODIES[method, path],
        "state": "DEEP",
        "edits": [{"kind": "brush", "detail": "DEEP"}],
        "opacity": "DEEP",
    }
    for text in (deep, "[" * depth + "]" * depth, json.dumps(fields).replace('"DEEP"', deep)):
        place = path.replace("{id}", "1").replace("{ref}", "nothing").replace("{flag}", "1")
        headers = {"Content-Type": "application/json", "Idempotency-Key": f"deep-{depth}"}
        answer = client.request(method, f"/api{place}", content=text, headers=headers)
        assert answer.status_code < 500, answer.text
        for seen in ("/api/project", "/api/images/1"):
            assert client.get(seen).status_code == 200


@pytest.mark.parametrize(("method", "path"), FREE)
def test_no_route_reads_a_body_to_its_end_that_is_too_long(client: httpx.Client, method: str, path: str) -> None:
    place = path.replace("{id}", "1").replace("{ref}", "nothing").replace("{flag}", "1")
    headers = {"Content-Type": "application/json", "Idempotency-Key": "k"}
    answer = client.request(method, f"/api{place}", content=b'{"a": "' + b"x" * MAX_BODY_BYTES, headers=headers)
    assert "must be at most 16777216 bytes" in refused(answer, 413)


@pytest.mark.parametrize(
    "counts",
    [
        "",
        "0",
        "o" * 14,
        "P" * 1_000_000,
        "0" * 1_000_000,
        "oooooooooooooo0",
        "PPPPPPPPPPPPPPPPPPPPPPPPPPPPPPPPPPP0",
        "__________________",
        "\x7f\x00",
        "é",
        "[1,2,3]",
    ],
)
@pytest.mark.parametrize("size", [[HEIGHT, WIDTH], [100_000, 100_000], [1, 1], [WIDTH, HEIGHT]])
def test_runs_that_are_no_mask_of_the_image_are_refused(client: httpx.Client, size: list[int], counts: str) -> None:
    tracemalloc.start()
    sent = body(rle={"size": size, "counts": counts})
    answer = client.post("/api/images/1/masks", json=sent, headers={"Idempotency-Key": "k"})
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    refused(answer, 422)
    assert most < 60e6, "10 billion pixels are not made room for"
    assert client.get("/api/images/1").json()["mask_list"] == []


segments = st.lists(
    st.one_of(texts, st.sampled_from(["1", "2", "..", "images", "masks", "%2e%2e", "%00", "rounds", "v", "canvas.js"])),
    min_size=1,
    max_size=5,
)


@settings(max_examples=150, **HOSTILE)
@given(
    base=st.sampled_from(["/api/", "/api/rounds/", "/api/rounds/1/", "/canvas/", "/healthz", "/healthz/", "/"]),
    path=segments,
    method=st.sampled_from(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "MADE"]),
    query=st.dictionaries(st.sampled_from(["limit", "after", "state", "revive", "object"]), texts, max_size=3),
    header=st.sampled_from(["Cookie", "If-None-Match", "X-Forwarded-Proto", "masksmith-person", "Range", "Accept"]),
    value=st.text(st.characters(min_codepoint=33, max_codepoint=255), max_size=200),
)
def test_no_address_breaks_the_server(
    attacker: httpx.Client, base: str, path: list[str], method: str, query: dict[str, str], header: str, value: str
) -> None:
    address = base + "/".join(quote(part.encode("utf-8", "replace"), safe="%") for part in path)
    sent = {name: text.encode("utf-8", "replace") for name, text in query.items()}
    answer = attacker.request(method, address, params=sent, headers={header: value.encode("latin-1")})
    assert answer.status_code < 500, answer.text
    assert attacker.get("/api/images/1").status_code == 200


@settings(max_examples=4, **HOSTILE)
@given(
    here=st.sampled_from(["0", "9" * 30, "%00", "x", "'; DROP TABLE mask; --"]), seat=st.sampled_from(["1", "0", "x"])
)
@pytest.mark.parametrize(("method", "path"), BODIES)
def test_no_seat_breaks_the_server(attacker: httpx.Client, method: str, path: str, here: str, seat: str) -> None:
    for name in ("{id}", "{token}", "{ref}", "{flag}", "{name}"):
        path = path.replace(name, here)
    answer = attacker.request(method, f"/api/rounds/{seat}{path}", json=BODIES.get((method, path)))
    assert 400 <= answer.status_code < 500, answer.text


def test_every_route_is_one_of_those_that_are_attacked() -> None:
    """Whatever is mounted beside /api is in `test_no_address_breaks_the_server`."""
    mounted = routes(lambda: None, canvas=FOLDER)  # type: ignore[arg-type,return-value]
    assert {route.path for route in mounted if isinstance(route, Mount | Route)} == {"/healthz", "/api", "/canvas"}


SQL = [
    "' OR '1'='1",
    "'; DROP TABLE image; --",
    '"; DELETE FROM mask; --',
    "%' OR 1=1 --",
    "\\' OR 1=1 --",
    "%",
    "_",
    "\\",
    "1) UNION SELECT password_hash FROM person --",
]


@pytest.mark.parametrize("text", SQL)
def test_text_is_never_sql(client: httpx.Client, shop: Workshop, text: str) -> None:
    upload = [(f"a{text}.png", photo(4)), ("plain.png", photo(5))]
    import_bytes(upload, engines=shop.engines, files=shop.files, project_id=shop.project_id)
    found = library.find(shop, search=text, state=None, limit=10, offset=0)
    # A backslash is where a folder ends, and is in no name.
    expected = [] if "\\" in text else [4]
    assert [image.id for image in found.images] == expected, "a search is for these very characters"
    assert library.find(shop, search=None, state=text, limit=10, offset=0).images == []
    refused(client.get("/api/images", params={"state": text}), 422)
    refused(client.get("/api/images", params={"after": text}), 422)
    save(client, "k", label=text)
    assert client.get("/api/images/1").json()["mask_list"][0]["label"] == text
    with shop.engines.writing() as session:
        person = people.get_or_create(text, session=session)
        assert people.by_name(text, session=session) == people.by_name(person.name, session=session)
    assert len(rows(shop)["image"]) == 5


class Opens:
    """Pickled, it makes a file when it is read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.open, (str(self.path), os.O_CREAT | os.O_WRONLY)


@pytest.mark.parametrize("form", ["torch", "torch before zip", "bare pickle"])
def test_code_in_a_file_of_weights_does_not_run(tmp_path: Path, form: str) -> None:
    proof, evil = tmp_path / "ran", tmp_path / "evil.pth"
    weights = {"mask_decoder.iou_token.weight": torch.zeros(1, 256), "evil": Opens(proof)}
    if form == "bare pickle":
        evil.write_bytes(pickle.dumps(weights, protocol=2))
    else:
        torch.save(weights, evil, _use_new_zipfile_serialization=form == "torch")
    named = tmp_path / file_sha256(evil)
    named.write_bytes(evil.read_bytes())
    for load in (
        lambda: load_segmenter(SegmenterSpec("vit_b", str(evil), "cpu")),
        lambda: load_segmenter(SegmenterSpec(STARTER, str(evil), "cpu")),
        lambda: load_segmenter(SegmenterSpec(STARTER, None, "cpu", str(named))),
        lambda: check_checkpoint(next(iter(CHECKPOINTS)), evil),
        lambda: read_head(named),
    ):
        with pytest.raises(ModelUnavailable, match=r"must (be whole and hold weights only|hold the starter)"):
            load()
    assert not proof.exists()


def test_code_in_a_cached_embedding_does_not_run_and_it_is_made_again(shop: Workshop, tmp_path: Path) -> None:
    proof, key = tmp_path / "ran", "a" * 64
    buffer = io.BytesIO()
    np.savez(buffer, evil=np.array([Opens(proof)], object))
    for data in (buffer.getvalue(), pickle.dumps(Opens(proof))):
        shop.files.put_named("embeddings", key, data)
        made = Embedding((HEIGHT, WIDTH), "e", {"features": np.zeros(3, np.float32)})
        assert EmbeddingCache(shop.files, memory_bytes=10**6).get_or_build(key, lambda made=made: made) is not None
    assert not proof.exists()
