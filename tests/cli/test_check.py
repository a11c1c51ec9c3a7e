"""`masksmith check`: what it prints for people and for programs."""

from core import annotating
from core.workshop import Library
from tests.cli.conftest import Run, told
from tests.conftest import square
from tests.core.conftest import accept


def test_flags_are_counted_by_name_and_severity(run: Run, stocked: Library) -> None:
    accept(stocked, "a", square(0, 20, 30))
    accept(stocked, "b", square(60, 40, 5), image_id=2)
    lines = run("check").stdout.splitlines()
    assert [line.split() for line in lines[:3]] == [
        ["Flag", "Severity", "Count"],
        ["border", "info", "1"],
        ["small", "warning", "1"],
    ]
    assert lines[3:] == ["2 of 2 masks on 2 of 3 images are flagged. Flags that are new: 1; that no longer hold: 0."]


def test_programs_get_the_same_and_a_second_run_adds_nothing(run: Run, stocked: Library) -> None:
    accept(stocked, "a", square(0, 20, 30))
    first, second = told(run("check", "--json")), told(run("check", "--json"))
    assert first == {
        "images": 3,
        "masks": 1,
        "flagged_images": 1,
        "flagged_masks": 1,
        "added": 1,
        "removed": 0,
        "tallies": [{"name": "border", "severity": "info", "count": 1}],
    }
    assert second == {**first, "added": 0}


def test_answered_flags_count_with_all(run: Run, stocked: Library) -> None:
    saved = accept(stocked, "a", square(side=5))
    annotating.resolve_flag(stocked, saved.flags[0].id, "kept")
    assert told(run("check", "--json"))["flagged_masks"] == 0
    assert told(run("check", "--all", "--json"))["flagged_masks"] == 1


def test_precision_is_told_without_checking(run: Run, stocked: Library) -> None:
    assert run("check", "--precision").stdout == "No flag has been said yet.\n"
    accept(stocked, "edge", square(0, 20, 30))
    saved = accept(stocked, "a", square(60, 40, 5))
    annotating.resolve_flag(stocked, saved.flags[0].id, "fixed")
    assert told(run("check", "--precision", "--json")) == {
        "precision": [
            {"name": "small", "said": 1, "upheld": 1, "refused": 0, "deleted": 0, "reviewed": 0, "faulted": 0}
        ]
    }
    heading, row = run("check", "--precision").stdout.splitlines()
    assert heading.split() == ["Flag", "Said", "Mended", "Kept", "Mask", "deleted", "Reviewed", "Not", "approved"]
    assert row.split() == ["small", "1", "1", "0", "0", "0", "0"]
