"""Versions and retrainings through the routes: listed, begun, refused, ended."""

import httpx

from core import jobs
from core.segmentation.catalogue import STARTER
from core.training.recipe import Recipe
from core.workshop import Workshop, choose_model
from storage import jobs as job_queries


def test_the_version_that_answers_is_listed(client: httpx.Client, shop: Workshop) -> None:
    listed = client.get("/api/models").json()
    (version,) = listed["versions"]
    assert listed["answering"] == version["id"]
    assert version["content_hash"] == shop.desk.segmenter.content_hash
    assert (version["name"], version["parent"], version["verdict"]) == ("grabcut", None, None)


def test_what_is_not_there_is_told(client: httpx.Client) -> None:
    assert client.get("/api/retrainings/newest").status_code == 404
    missing = client.post("/api/models/99/promote")
    assert missing.status_code == 404
    assert missing.json()["detail"] == "model version 99 must exist, but does not"
    back = client.post("/api/models/roll-back")
    assert back.status_code == 409
    assert "must have been made of another one" in back.json()["detail"]
    assert client.post("/api/models/x/promote").status_code == 422
    assert client.delete("/api/retrainings/5").json()["detail"] == "job 5 must exist, but does not"


def test_grabcut_cannot_be_retrained(client: httpx.Client) -> None:
    refused = client.post("/api/retrainings")
    assert refused.status_code == 409
    assert refused.json()["detail"] == "a model must have weights to be retrained, but grabcut has none"
    assert client.get("/api/retrainings/newest").status_code == 404


def test_a_retraining_is_told_of_and_cancelled(client: httpx.Client, shop: Workshop) -> None:
    choose_model(shop, STARTER, None)
    job_id = jobs.begin(shop, Recipe(epochs=1), start=False)
    told = client.get("/api/retrainings/newest").json()
    assert (told["id"], told["state"], told["ended_at"]) == (job_id, "queued", None)
    busy = client.post("/api/retrainings")
    assert busy.status_code == 409
    assert f"but job {job_id} is at work" in busy.json()["detail"]
    with shop.engines.writing() as session:
        holder = job_queries.claim(job_id, session=session)
    assert holder is not None
    assert client.delete(f"/api/retrainings/{job_id}").status_code == 204
    with shop.engines.writing() as session:
        assert job_queries.renew(job_id, holder, {"stage": "Learning", "share": 0.5, "history": []}, session=session)
        job_queries.end(job_id, holder, "cancelled", None, {}, session=session)
    assert client.get("/api/retrainings/newest").json()["state"] == "cancelled"
