"""What an annotator is told of reviews of their masks."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from core import feedback, reviewing
from core.feedback import monday_of
from core.reviewing import Verdict
from core.workshop import Library
from tests.conftest import square
from tests.core.conftest import accept
from tests.core.test_reviewing import somebody_else

TODAY = datetime(2026, 3, 12, 15, tzinfo=UTC)  # a Thursday


def test_weeks_begin_on_monday() -> None:
    assert monday_of(TODAY) == datetime(2026, 3, 9, tzinfo=UTC)
    assert monday_of(datetime(2026, 3, 9, tzinfo=UTC)) == datetime(2026, 3, 9, tzinfo=UTC)
    assert monday_of(datetime(2026, 3, 8, 23, 59, tzinfo=UTC)) == datetime(2026, 3, 2, tzinfo=UTC)


def test_feedback_tells_a_persons_weeks_and_commonest_errors(stocked: Library) -> None:
    rita = somebody_else(stocked)
    said = [
        (timedelta(days=0), Verdict(0, "approve", rating=9)),
        (timedelta(days=1), Verdict(0, "reject", rating=3, codes=("edge", "holes"))),
        (timedelta(days=8), Verdict(0, "send_back", codes=("edge",))),
        (timedelta(days=9), Verdict(0, "fix")),
        (timedelta(days=90), Verdict(0, "reject", codes=("specks",))),
    ]
    for number, (ago, verdict) in enumerate(said):
        mask_id = accept(stocked, f"m{number}", square(5 + number), image_id=1).mask_id
        values = {name: getattr(verdict, name) for name in ("outcome", "rating", "codes")}
        review_id = reviewing.give(rita, f"r{number}", Verdict(mask_id, **values))
        with stocked.engines.writing() as session:
            session.execute(
                text("UPDATE review SET created_at = :at WHERE id = :id"),
                {"at": f"{TODAY - ago:%Y-%m-%d %H:%M:%S.%f}", "id": review_id},
            )
    other = accept(rita, "hers", square(60, 50)).mask_id
    reviewing.give(stocked, "of hers", Verdict(other, "reject", codes=("arbitrary",)))

    found = feedback.feedback(stocked, stocked.person_id, today=TODAY)
    assert [(week.monday.day, week.reviewed, week.good.mean, week.rating) for week in found.weeks] == [
        (2, 2, 0.0, None),  # the fix has no correction yet and counts nowhere but among the verdicts
        (9, 2, 0.5, 6.0),
    ]
    assert [(mistake.code, mistake.count, len(mistake.examples)) for mistake in found.mistakes] == [
        ("edge", 2, 2),
        ("holes", 1, 1),
    ]
    assert found.weeks[1].good.low == pytest.approx(0.0945, abs=1e-3)  # one of two, Wilson's
    assert feedback.everybody(stocked) == {stocked.person_id: "owner", rita.person_id: "rita"}


def test_nobody_reviewed_tells_nothing(stocked: Library) -> None:
    accept(stocked, "m", square())
    assert feedback.feedback(stocked, stocked.person_id, today=TODAY) == feedback.Feedback((), ())
