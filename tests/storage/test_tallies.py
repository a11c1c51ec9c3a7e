"""Counters kept as masks are saved equal a recount, whatever happens to masks and images."""

from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage import bulk, flags, images, masks, people, proposals, saving, tallies
from storage.engine import Engines, Session
from storage.rows import NewFlag, NewPrompt, Times
from storage.tally_sums import LENGTH
from storage.types import now
from tests.storage.conftest import new_image
from tests.storage.test_masks import new_mask

MOVES = st.tuples(
    st.sampled_from(
        [
            "accept",
            "correct",
            "delete",
            "undo",
            "restore",
            "image gone",
            "image back",
            "many",
            "import",
            "answer",
            "check",
        ]
    ),
    st.integers(0, 9),
)


def everything(session: Session) -> tuple[dict[Any, list[int]], dict[int, int]]:
    """Return all counters as they stand: rows that count nothing are as good as none."""
    found = tallies.read(1, session=session)
    keys = zip(found.days, found.people.tolist(), found.versions.tolist(), strict=True)
    rows = {key: sums for key, sums in zip(keys, found.sums.tolist(), strict=True) if any(sums)}
    return rows, tallies.per_image(1, session=session)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(MOVES, min_size=1, max_size=25))
def test_whatever_happens_the_counters_equal_a_recount(engines: Engines, moves: list[tuple[str, int]]) -> None:
    with engines.writing() as session:
        there = session.connection().exec_driver_sql("SELECT coalesce(max(id), 0) FROM mask").scalar_one()
        second, _ = images.insert(new_image("b.jpg", 1), session=session)
        rita = people.get_or_create("rita", session=session).id
    for step, (move, number) in enumerate(moves):
        key = f"{there}-{step}"
        with engines.writing() as session:
            ids = [row[0] for row in session.connection().exec_driver_sql("SELECT id FROM mask ORDER BY id").all()]
            one = ids[number % len(ids)] if ids else None
            fields: dict[str, Any] = {
                "image_id": (1, second)[number % 2],
                "area": 1 + 4 * number,
                "edited": number % 3 == 0,
                "predicted_iou": None if number == 5 else number / 9,
                "concavity": number / 10,
                "origin": "by_hand" if number == 7 else "assisted",
                "candidate_rank": number % 3,
                "times": Times(number, 10 * number, 1000 * number, 20_000 * number),
                "prompts": (NewPrompt("point", 1, 1, label=1),) * (number % 4),
                "assigned": (None, "by_hand", "assisted")[number % 3],
                "flags": (NewFlag(("small", "odd")[number % 2], "warning", "Said.", {}),) * (number % 3),
            }
            if move == "accept":
                saving.insert(new_mask(key, **fields), session=session)
            elif move == "many":
                plain = {name: value for name, value in fields.items() if name not in ("prompts", "flags")}
                bulk.add_masks([new_mask(f"{key}-{n}", **plain) for n in range(3)], session=session)
            elif move.startswith("image"):
                if move == "image gone":
                    images.soft_delete([second], session=session)
                else:
                    images.insert(new_image("b.jpg", 1), session=session)
            elif move == "import":
                plain = {**fields, "origin": "imported", "prompts": (), "flags": ()}
                ids = bulk.add_masks([new_mask(f"{key}-{n}", **plain) for n in range(2)], session=session)
                asked = NewFlag("imported", "warning", "From elsewhere.", {})
                proposals.add_flags([(mask_id, asked) for mask_id in ids], session=session)
            elif one is not None:
                if move == "answer":
                    flag = proposals.open_flag(one, session=session)
                    if flag is not None:
                        flags.resolve(flag.id, "kept", session=session)
                        proposals.hand_over(one, rita, session=session)
                    elif number % 2:
                        for kept in flags.of_masks([one], session=session).get(one, []):
                            flags.resolve(kept.id, None, session=session)
                elif move == "check":
                    open_ones = [kept.id for kept in flags.of_masks([one], session=session).get(one, [])]
                    if number % 2:
                        flags.remove_unanswered(open_ones, session=session)
                    else:
                        flags.add({one: [NewFlag("gap", "info", "Said.", {})]}, session=session)
                elif move == "correct":
                    image_id = masks.find(one, session=session).image_id
                    saving.insert(new_mask(key, **{**fields, "image_id": image_id}, supersedes_id=one), session=session)
                elif move == "restore":
                    masks.restore(one, session=session)
                else:
                    masks.delete(one, session=session, revive=move == "undo")
    with engines.writing() as session:
        kept = everything(session)
        tallies.recount(session=session)
        assert kept == everything(session)


def test_a_masks_figures_are_where_they_belong(engines: Engines) -> None:
    with engines.writing() as session:
        new = new_mask(
            "k",
            area=3,
            bbox=(6, 0, 2, 2),
            predicted_iou=1.0,
            concavity=0.26,
            candidate_rank=0,
            times=Times(500, 1000, 2000, 61_000),
            prompts=(NewPrompt("point", 1, 1, label=1),),
        )
        saving.insert(new, session=session)
        saving.insert(new_mask("h", area=1, origin="by_hand", times=Times(painting_ms=9999)), session=session)
        saving.insert(new_mask("e", image_id=1, edited=True, candidate_rank=0), session=session)
    with engines.reading() as session:
        found = tallies.read(1, session=session)
        assert tallies.per_image(1, session=session) == {3: 1}
        assert tallies.masks_of(1, session=session) == 3
    sums = {name: found.sum(name) for name in ("masks", "by_hand", "edited", "unchanged", "prompted", "prompts")}
    assert sums == {"masks": 3, "by_hand": 1, "edited": 1, "unchanged": 1, "prompted": 2, "prompts": 1}
    assert (found.sum("painting_ms"), found.sum("by_hand_ms")) == (61_000, 9999)
    assert (found.sum("assisted_cs2"), found.sum("by_hand_cs2")) == (6450**2, 999**2)

    def bins(name: str) -> dict[int, int]:
        counts = found.of(name).sum(axis=0)
        return {int(place): int(counts[place]) for place in np.flatnonzero(counts)}

    assert bins("assisted_seconds") == {60: 1, 0: 1}
    assert bins("by_hand_seconds") == {9: 1}
    # Images are 8 x 6: areas of 3, 1 and 4 pixels are 6.25, 2.1 and 8.3 %.
    assert bins("shares") == {1: 3}
    assert bins("sizes") == {10: 1, 5: 1, 11: 1}
    assert bins("predicted") == {19: 1}
    assert bins("concavity") == {5: 1}
    assert bins("centres") == {2 * 12 + 10: 1, (4 * 12 // 6) * 12 + int(2.5 * 12 / 8): 2}


def test_rows_are_chosen_by_day_person_and_version(engines: Engines) -> None:
    with engines.writing() as session:
        rita = people.get_or_create("rita", session=session).id
        saving.insert(new_mask("a"), session=session)
        saving.insert(new_mask("b", person_id=rita), session=session)
    today = now().date()
    with engines.reading() as session:
        assert tallies.read(1, session=session, people=[rita]).sum("masks") == 1
        assert tallies.read(1, session=session, since=today, until=today).sum("masks") == 2
        assert tallies.read(1, session=session, since=date(2100, 1, 1)).sum("masks") == 0
        assert tallies.read(1, session=session, versions=[99]).sum("masks") == 0
        assert tallies.read(2, session=session).sums.shape == (0, LENGTH)


def test_a_mask_that_is_not_kept_is_not_counted(engines: Engines) -> None:
    def break_off() -> None:
        with engines.writing() as session:
            saving.insert(new_mask("a"), session=session)
            raise RuntimeError("the transaction breaks")

    with pytest.raises(RuntimeError):
        break_off()
    with engines.reading() as session:
        assert tallies.masks_of(1, session=session) == 0
