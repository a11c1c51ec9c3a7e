"""The bench from a seat in a round: the same routes, below it, and nobody else's images."""

import httpx
import pytest

from core import rounds
from core.rounds import Asked
from core.workshop import Workshop
from storage import people
from tests.api.conftest import body, save

pytestmark = pytest.mark.both_databases


def test_a_seat_has_its_own_images_and_the_library_none_of_them(client: httpx.Client, shop: Workshop) -> None:
    with shop.engines.writing() as session:
        rita = people.get_or_create("rita", session=session).id
    round_id = rounds.begin(shop, Asked("blind", (shop.person_id, rita), images=2), seed=1)
    save(client)
    assert client.get("/api/project").json()["rounds"] == [{"id": round_id, "name": "blind", "left": 2}]
    base = f"/api/rounds/{round_id}"
    project = client.get(f"{base}/project").json()
    assert (project["round"], project["rounds"], project["progress"]["masks"]) == ("blind", [], 0)
    mine = [image["id"] for image in client.get(f"{base}/images").json()["images"]]
    assert len(mine) == 2
    assert not set(mine) & {1, 2, 3}
    sent = body(object_key="seat")
    headers = {"Idempotency-Key": "seat-1"}
    assert client.post(f"/api/images/{mine[0]}/masks", json=sent, headers=headers).status_code == 404
    assert client.post(f"{base}/images/{mine[0]}/masks", json=sent, headers=headers).status_code == 201
    assert client.get(f"{base}/images/{mine[0]}/pixels").status_code == 200
    assert client.get(f"{base}/images/1").status_code == 404
    with shop.engines.reading() as session:
        hers = rounds.enter(shop.at(shop.project_id), round_id)  # the owner's own seat
        assert hers.project_id != shop.project_id
        theirs = [image for image in range(1, 20) if image not in {1, 2, 3, *mine}]
        assert session.is_active
    assert all(client.get(f"{base}/images/{image_id}").status_code == 404 for image_id in theirs[:4])


def test_a_round_without_a_seat_for_one_is_not_found(client: httpx.Client) -> None:
    answer = client.get("/api/rounds/7/images")
    assert answer.status_code == 404
    assert answer.json()["detail"] == "round 7 must have a seat for you, but has none"
    assert client.get("/api/rounds/x/images").status_code == 422
