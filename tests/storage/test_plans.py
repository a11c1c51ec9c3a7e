"""Every query that is asked on each click, accept or page finds its rows by an index, as SQLite plans it."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import event

from storage import (
    audits,
    discarded,
    exports,
    flags,
    images,
    leases,
    masks,
    model_versions,
    overlaps,
    people,
    projects,
    proposals,
    queue,
    regions,
    reviews,
    rounds,
    saving,
    sign_ins,
    skips,
    surveys,
    team,
    work,
)
from storage.engine import Engines, Session
from storage.rows import AuditRow, NewFlag, NewPrompt, Times
from storage.types import now
from tests.storage.test_masks import new_mask
from tests.storage.test_surveys import new_survey


def save(session: Session) -> object:
    flag, prompt = NewFlag("small", "warning", "Small.", {}), NewPrompt("point", 1, 1, label=1)
    return saving.insert(new_mask("new", supersedes_id=1, flags=(flag,), prompts=(prompt,)), session=session)


def skip(session: Session) -> object:
    common: dict[str, Any] = {"image_id": 1, "person_id": 1, "object_key": "o", "reason": "hard", "state": {}}
    return skips.insert("s", times=Times(), session=session, **common)


ASKED: dict[str, Callable[[Session], object]] = {
    "a page of the queue": lambda session: images.page(1, session=session, limit=50, after=10),
    "a page in one state": lambda session: images.page(1, session=session, limit=50, state="new", after=10),
    "a page of the queue by rank": lambda session: images.queue(1, session=session, limit=50),
    "a page of the queue after a rank": lambda session: images.queue(1, session=session, limit=50, after=1),
    "a page after the ranks": lambda session: images.queue(1, session=session, limit=50, after=10, state="new"),
    "a page with most left first": lambda session: images.most_left(1, session=session, limit=24, offset=24),
    "surveys of a page": lambda session: surveys.some([1, 2], session=session),
    "what is left on an image": lambda session: surveys.detail(1, session=session),
    "keeping a survey": lambda session: surveys.put(new_survey(1), session=session),
    "images to check": lambda session: images.ids(1, session=session, after=0, limit=500),
    "images to survey": lambda session: surveys.to_do(1, "m", session=session, after=0, limit=50),
    "samples of a cluster": lambda session: surveys.of_cluster(1, 0, session=session, limit=4),
    "what comes next": lambda session: queue.candidates(1, 1, at=now(), passed={2}, session=session, limit=5),
    "what came back from review": lambda session: queue.returned(1, 1, at=now(), passed={2}, session=session),
    "taking an image": lambda session: leases.take(1, 1, "tab", at=now(), session=session),
    "keeping an image": lambda session: [leases.take(1, 1, "tab", at=now(), session=session) for _ in range(2)],
    "letting an image go": lambda session: leases.release(1, 1, client="tab", session=session),
    "letting all images go": lambda session: leases.release_all(1, session=session),
    "who is on an image": lambda session: leases.of_image(1, at=now(), session=session),
    "leases that last too long": lambda session: leases.shorten(at=now(), session=session),
    "an image for a second annotator": lambda session: overlaps.take(1, 1, session=session),
    "saying how far an image is": lambda session: images.say_state(1, "done", person_id=1, seen=1, session=session),
    "who corrected a mask": lambda session: masks.replaced_by(1, session=session),
    "places": lambda session: images.set_places(1, [1], session=session),
    "one image": lambda session: images.get(1, session=session),
    "images to prefetch": lambda session: images.some([1, 2], session=session),
    "whether a photo is known": lambda session: images.known_sha256(1, "0" * 64, session=session),
    "the state of an image": lambda session: images.set_state(1, "in_work", session=session, only_from="new"),
    "an export": lambda session: [*exports.stream(1, session=session), exports.count_proposals(1, session=session)],
    "clicks of an image": lambda session: exports.clicks(1, session=session),
    "images of an export that are read back": lambda session: list(exports.some([1], session=session)),
    "masks of an image": lambda session: masks.of_image(1, session=session),
    "what checks compare with": lambda session: masks.rles_of_image(1, session=session),
    "a mask by its key": lambda session: masks.find("k", session=session),
    "a mask by its id": lambda session: masks.get(1, session=session),
    "saving a mask": save,
    "deleting a mask": lambda session: masks.delete("k", session=session),
    "restoring a mask": lambda session: masks.restore("k", session=session),
    "whether a retry is the same": lambda session: saving.same(1, 1, "0000", session=session),
    "flags of masks": lambda session: flags.of_masks([1, 2], session=session),
    "an answer to a flag": lambda session: flags.resolve(1, "kept", session=session),
    "whether a mask is a proposal": lambda session: proposals.open_flag(1, session=session),
    "accepting a proposal": lambda session: proposals.hand_over(1, 1, session=session),
    "the image of a name": lambda session: proposals.named(1, ["a.jpg"], session=session),
    "the image of an original": lambda session: proposals.with_original(1, "0" * 64, session=session),
    "which masks an import knows": lambda session: proposals.known(["a", "b"], session=session),
    "skipping": skip,
    "the hard queue of an image": lambda session: skips.open_of_image(1, session=session),
    "a skip by its key": lambda session: skips.find("skip", session=session),
    "the object in work": lambda session: work.get(1, 1, session=session),
    "keeping work": lambda session: work.put(1, 1, "o", {}, session=session),
    "dropping work": lambda session: work.drop(1, 1, session=session, object_key="o"),
    "the model of a mask": lambda session: model_versions.register(
        "m", content_hash="c", encoder_hash="e", detail={}, session=session
    ),
    "the mask saved last": lambda session: masks.newest_id(session=session),
    "the person": lambda session: people.get_or_create("owner", session=session),
    "whether people must sign in": lambda session: people.any_password(session=session),
    "whose token it is": lambda session: sign_ins.find("0" * 64, at=now(), session=session),
    "that a sign-in was used": lambda session: sign_ins.seen(1, at=now(), expires_at=now(), session=session),
    "what somebody did": lambda session: team.happened(limit=25, before=100, person_id=1, session=session),
    "the project": lambda session: projects.get(1, session=session),
    "the seat in a round": lambda session: rounds.seat(1, 1, session=session),
    "rounds that wait for a person": lambda session: rounds.seats_of(1, 1, session=session),
    "the round of a project": lambda session: rounds.of_seat(1, session=session),
    "the project of an image": lambda session: images.project_of(1, session=session),
    "verdicts on masks": lambda session: reviews.of_masks([1, 2], session=session),
    "verdicts of an audit": lambda session: reviews.of_audit(1, session=session),
    "what a correction corrects": lambda session: reviews.to_fix(masks.lineage(1, session=session), session=session),
    "what stands in a mask's place": lambda session: masks.heir(1, session=session),
    "what is blurred on an image": lambda session: regions.of_image(1, session=session, removed=True),
    "removing a box": lambda session: regions.remove(1, person_id=1, session=session),
    "whether an image was searched": lambda session: regions.search_of(1, session=session),
    "images to search": lambda session: regions.to_search(1, "d", session=session, after=0, limit=50),
    "images whose boxes wait": lambda session: regions.page(1, seen=False, session=session, offset=0, limit=1),
    "how many boxes wait": lambda session: regions.count(1, seen=False, session=session),
    "whether a file is in use": lambda session: discarded.in_use("0" * 64, session=session),
    "copies of an image": lambda session: images.copies(1, session=session),
    "other files for an image": lambda session: images.set_files(
        [1], working_sha256="3" * 64, thumb_sha256="4" * 64, session=session
    ),
    "the next mask of an audit": lambda session: audits.next_mask(
        AuditRow(1, 1, "simple", 9, 1, {}, now(), 3), 1, but_own=True, session=session
    ),
}


@pytest.mark.parametrize("name", ASKED)
def test_what_is_asked_often_is_found_by_an_index(sqlite: Engines, name: str) -> None:
    with sqlite.writing() as session:
        flag = NewFlag("small", "warning", "Small.", {})
        surveys.put(new_survey(1), session=session)
        images.set_places(1, [1], session=session)
        saving.insert(new_mask("first"), session=session)
        saving.insert(new_mask("k", supersedes_id=1, flags=(flag,)), session=session)
        skips.insert(
            "skip", image_id=1, person_id=1, object_key="o", reason="r", state={}, times=Times(), session=session
        )
    asked: list[tuple[str, Any]] = []

    def note(_connection: object, _cursor: object, statement: str, parameters: object, *_: object) -> None:
        asked.append((statement, parameters))

    event.listen(sqlite.write, "before_cursor_execute", note)
    with sqlite.writing() as session:
        ASKED[name](session)
    event.remove(sqlite.write, "before_cursor_execute", note)
    assert asked
    for statement, parameters in asked:
        if statement.lstrip().startswith(("SELECT", "UPDATE", "DELETE")):
            plan = planned(sqlite, statement, parameters)
            assert not [step for step in plan if step.startswith("SCAN") or "TEMP B-TREE" in step], (statement, plan)


def planned(engines: Engines, statement: str, parameters: Any) -> list[str]:
    """Return the steps of SQLite's plan, such as "SEARCH mask USING INDEX ix_mask_live (image_id=?)"."""
    with engines.read.connect() as connection:
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
    return [str(row[3]) for row in rows]


def test_a_query_without_an_index_is_seen(sqlite: Engines) -> None:
    assert [step for step in planned(sqlite, "SELECT id FROM mask WHERE area > ?", (5,)) if step.startswith("SCAN")]
    assert "TEMP B-TREE" in " ".join(planned(sqlite, "SELECT id FROM image ORDER BY height", ()))


@pytest.mark.parametrize(
    ("query", "index"),
    [
        (
            "SELECT id FROM image WHERE project_id=1 AND state='new' AND deleted_at IS NULL ORDER BY id",
            "ix_image_queue",
        ),
        (
            "SELECT count(*) FROM mask WHERE image_id=1 AND deleted_at IS NULL AND superseded_at IS NULL",
            "ix_mask_live",
        ),
        (
            "SELECT count(*) FROM mask WHERE mask.origin = 'imported' AND image_id=1 AND deleted_at IS NULL "
            "AND superseded_at IS NULL",
            "ix_mask_imported",
        ),
        ("SELECT count(*) FROM skip WHERE image_id=1 AND taken_back_at IS NULL", "ix_skip_open"),
        ("SELECT * FROM flag WHERE mask_id IN (1, 2)", "ix_flag_mask_id"),
        ("SELECT * FROM event ORDER BY at DESC LIMIT 10", "ix_event_at"),
        ("SELECT id FROM mask WHERE key='k'", "sqlite_autoindex_mask_1"),
    ],
)
def test_frequent_queries_use_their_index(sqlite: Engines, query: str, index: str) -> None:
    assert index in " ".join(planned(sqlite, query, ()))
