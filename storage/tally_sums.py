"""What counters hold: sums of whole numbers over masks, in an order that is kept in the database."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
NO_VERSION: Final = 0
CENTRES: Final = 12
"""Columns and rows of the map of centres."""
SECONDS: Final = 61
"""Bins of active time: a second each, the last for a minute and more."""
BANDS: Final = (0.01, 0.1)
"""Shares of the image at which a mask begins to be middling, and large."""

FLAGS: Final = (
    *("small", "islands", "holes", "duplicate", "covering", "bridge", "rough", "stairs"),
    *("border", "crumb", "gap", "astride", "unstable", "unsure", "reworked", "imported", "another"),
)
"""Names of flags; one that is not among them is counted as another."""
FIELDS: Final[dict[str, int]] = {
    "masks": 1,
    "by_hand": 1,
    "edited": 1,
    "unchanged": 1,
    "prompted": 1,
    "prompts": 1,
    "waiting_ms": 1,
    "thinking_ms": 1,
    "prompting_ms": 1,
    "painting_ms": 1,
    "by_hand_ms": 1,
    "by_hand_cs2": 1,
    "assisted_cs2": 1,
    "by_hand_seconds": SECONDS,
    "assisted_seconds": SECONDS,
    "shares": len(BANDS) + 1,
    "sizes": 40,
    "predicted": 20,
    "concavity": 20,
    "centres": CENTRES * CENTRES,
    "assigned_by_hand": 1,
    "assigned_by_hand_ms": 1,
    "assigned_by_hand_cs2": 1,
    "assigned_model": 1,
    "assigned_model_ms": 1,
    "assigned_model_cs2": 1,
    "assigned_otherwise": 1,
    "flags_open": len(FLAGS),
    "flags_fixed": len(FLAGS),
    "flags_kept": len(FLAGS),
}
"""What a row's sums hold, in this order, and how many numbers each.

unchanged: assisted, one prompt, the first candidate, not painted on; prompted: assisted; sizes: sqrt(area / image area)
in 40 bins; predicted: predicted IoU in 20; concavity: 1 - area / area of the convex hull in 20; centres: of boxes, by
row; the four times: of assisted masks; by_hand_ms: all of the others' active time; cs2: squares of active time in
hundredths of a second, for its spread; assigned_by_hand and assigned_model: made as chance said, assigned_otherwise: in
another way; flags: what checks said, by `FLAGS`, and what was answered.
"""
OFFSETS: Final = dict(zip(FIELDS, np.cumsum([0, *FIELDS.values()][:-1]).tolist(), strict=True))
LENGTH: Final = sum(FIELDS.values())


def summed(rows: Sequence[Any]) -> dict[tuple[Any, ...], Ints]:
    """Return the sums over masks, by what their row is of."""
    keys = [(row.project_id, row.created_at.date(), row.person_id, row.model_version_id or NO_VERSION) for row in rows]
    places = {key: place for place, key in enumerate(dict.fromkeys(keys))}
    table = np.zeros((len(places), LENGTH), np.int64)
    at = np.array([places[key] for key in keys], np.intp)
    if len(rows):
        _sum_up(table, at, rows)
    return {key: table[place] for key, place in places.items()}


def _sum_up(table: Ints, at: NDArray[np.intp], rows: Sequence[Any]) -> None:
    def column(name: str) -> Ints:
        return np.array([getattr(row, name) for row in rows], np.int64)

    def known(name: str) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
        values = np.array([np.nan if getattr(row, name) is None else getattr(row, name) for row in rows], float)
        return ~np.isnan(values), values

    def put(name: str, amounts: Ints | int, bins: Ints | int = 0, where: NDArray[np.bool_] | None = None) -> None:
        chosen = slice(None) if where is None else where
        amounts, bins = np.broadcast_to(amounts, at.shape), np.broadcast_to(bins, at.shape)
        np.add.at(table, (at[chosen], OFFSETS[name] + bins[chosen]), amounts[chosen])

    by_hand = np.array([row.origin == "by_hand" for row in rows])
    assisted = np.array([row.origin == "assisted" for row in rows])
    edited = np.array([bool(row.edited) for row in rows])
    first = np.array([row.candidate_rank == 0 for row in rows])
    times = [column(f"{kind}_ms") for kind in ("waiting", "thinking", "prompting", "painting")]
    active = np.sum(times, axis=0)
    seconds = np.minimum(active // 1000, SECONDS - 1)
    width, height = column("width"), column("height")
    share = column("area") / (width * height)
    put("masks", 1)
    put("by_hand", by_hand.astype(np.int64))
    put("edited", edited.astype(np.int64))
    put("unchanged", (assisted & ~edited & first & (column("prompts") == 1)).astype(np.int64))
    put("prompted", assisted.astype(np.int64))
    put("prompts", column("prompts"), where=assisted)
    for kind, spent in zip(("waiting", "thinking", "prompting", "painting"), times, strict=True):
        put(f"{kind}_ms", spent, where=assisted)
    put("by_hand_ms", active, where=by_hand)
    put("by_hand_cs2", (active // 10) ** 2, where=by_hand)
    put("assisted_cs2", (active // 10) ** 2, where=assisted)
    put("by_hand_seconds", 1, seconds, by_hand)
    put("assisted_seconds", 1, seconds, assisted)
    put("shares", 1, np.searchsorted(BANDS, share, side="right"))
    put("sizes", 1, _bins(np.sqrt(share), FIELDS["sizes"]))
    for field, name in (("predicted", "predicted_iou"), ("concavity", "concavity")):
        there, values = known(name)
        put(field, 1, _bins(np.where(there, values, 0), FIELDS[field]), there)
    across = _bins((column("bbox_x") + column("bbox_width") / 2) / width, CENTRES)
    down = _bins((column("bbox_y") + column("bbox_height") / 2) / height, CENTRES)
    put("centres", 1, down * CENTRES + across)
    for field, way, made in (("assigned_by_hand", "by_hand", by_hand), ("assigned_model", "assisted", assisted)):
        meant = np.array([row.assigned == way for row in rows])
        put(field, 1, where=meant & made)
        put(f"{field}_ms", active, where=meant & made)
        put(f"{field}_cs2", (active // 10) ** 2, where=meant & made)
        put("assigned_otherwise", 1, where=meant & ~made)
    for place, row in zip(at, rows, strict=True):
        for name, answer in said_of(row.said):
            table[place, OFFSETS[f"flags_{answer}"] + FLAGS.index(name)] += 1


def said_of(text: str | None) -> Iterator[tuple[str, str]]:
    """Yield name and answer ("open", "fixed" or "kept") of each flag, from "name:answer,name:,..." as queries give it.

    Examples
    --------
    >>> list(said_of("small:,odd:fixed"))
    [('small', 'open'), ('another', 'fixed')]
    """
    for part in filter(None, (text or "").split(",")):
        name, _, answer = part.rpartition(":")
        yield name if name in FLAGS else FLAGS[-1], answer if answer in ("fixed", "kept") else "open"


def _bins(values: NDArray[np.float64], count: int) -> Ints:
    """Return which of `count` equal bins of [0, 1] each value lies in; 1 lies in the last."""
    return np.clip((values * count).astype(np.int64), 0, count - 1)
