"""Flags: what may be removed, and what became of those that were said."""

from storage import flags, masks
from storage.engine import Engines
from storage.rows import AnswersRow, NewFlag
from tests.storage.test_masks import new_mask, save


def flag(name: str) -> NewFlag:
    return NewFlag(name, "info", "It is so.", {})


def ids_of(engines: Engines, mask_id: int) -> list[int]:
    with engines.reading() as session:
        return [row.id for row in flags.of_masks([mask_id], session=session).get(mask_id, [])]


def test_only_what_nobody_answered_is_removed(engines: Engines) -> None:
    mask_id, _ = save(engines, new_mask("k", flags=(flag("a"), flag("b"), flag("c"), flag("d"))))
    open_flag, answered, reopened, other = ids_of(engines, mask_id)
    with engines.writing() as session:
        flags.resolve(answered, "kept", session=session)
        flags.resolve(reopened, "kept", session=session)
        flags.resolve(reopened, None, session=session)
    with engines.writing() as session:
        assert flags.remove_unanswered([open_flag, answered, reopened], session=session) == 2
        assert flags.remove_unanswered([], session=session) == 0
    assert ids_of(engines, mask_id) == [answered, other]


def test_answers_are_counted_by_name_within_a_project(engines: Engines) -> None:
    for key in "xyz":
        save(engines, new_mask(key, flags=(flag("a"),)))
    save(engines, new_mask("w", flags=(flag("b"),)))
    with engines.writing() as session:
        flags.resolve(1, "fixed", session=session)
        flags.resolve(2, "kept", session=session)
        masks.delete("y", session=session)
        masks.delete("z", session=session)
    with engines.reading() as session:
        assert flags.answers(1, session=session) == [
            AnswersRow("a", 3, 1, 1, 1, 0, 0),
            AnswersRow("b", 1, 0, 0, 0, 0, 0),
        ]
        assert flags.answers(2, session=session) == []
