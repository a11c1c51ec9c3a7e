"""Which masks a retraining learns from, and which it is measured on."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from random import Random
from typing import Final

from core.errors import InvalidInput
from storage.rows import LearnableRow

HOLDOUT_PARTS: Final = 5
"""One image in so many is kept for measuring, always the same ones."""
LEAST_MASKS: Final = 10
LEAST_HELD: Final = 4
MOST_MASKS: Final = 2_000
"""Learned from in one round: memory and minutes grow with it."""
MOST_HELD: Final = 60
REPLAY_SHARE: Final = 0.3
"""Of older masks, in new ones."""


@dataclass(frozen=True, slots=True)
class Material:
    """Masks to learn from and to measure on, none of one image on both sides; each in order of id.

    Attributes
    ----------
    new, older, held : tuple of LearnableRow
        Accepted since the last round, a share of those before, and those of the images kept for measuring.
    upto : int
        Id of the newest mask there was; the next round begins after it.
    """

    new: tuple[LearnableRow, ...]
    older: tuple[LearnableRow, ...]
    held: tuple[LearnableRow, ...]
    upto: int


@dataclass(slots=True)
class _Sample:
    """So many of all rows that come by, each with the same chance (Vitter's algorithm R, 1985)."""

    most: int
    chance: Random
    rows: list[LearnableRow] = field(default_factory=list)
    seen: int = 0

    def offer(self, row: LearnableRow) -> None:
        self.seen += 1
        if len(self.rows) < self.most:
            self.rows.append(row)
        elif (place := self.chance.randrange(self.seen)) < self.most:
            self.rows[place] = row

    def taken(self, most: int) -> tuple[LearnableRow, ...]:
        """Return so many at most of the sample, a sample again."""
        chosen = self.rows if len(self.rows) <= most else self.chance.sample(self.rows, most)
        return tuple(sorted(chosen, key=lambda row: row.mask_id))


def is_held(working_sha256: str) -> bool:
    """Return whether an image is kept for measuring: one in five, by its content, so that it stays so for good."""
    return int(working_sha256[:8], 16) % HOLDOUT_PARTS == 0


def choose_material(rows: Iterable[LearnableRow], *, after: int, seed: int) -> Material:
    """Return what a round learns from and is measured on. Memory holds what may be chosen, however many rows there are.

    Parameters
    ----------
    after : int
        Id of the newest mask that the model's last round knew; 0 if there was none.

    Raises
    ------
    InvalidInput
        If there are too few masks on either side.
    """
    chance = Random(seed)
    held, new = _Sample(MOST_HELD, chance), _Sample(MOST_MASKS, chance)
    older = _Sample(round(REPLAY_SHARE * MOST_MASKS), chance)
    upto = 0
    for row in rows:
        side = held if is_held(row.working_sha256) else new if row.mask_id > after else older
        side.offer(row)
        upto = max(upto, row.mask_id)
    if len(new.rows) < LEAST_MASKS:
        since = " since the last round" if after else ""
        raise InvalidInput(f"retraining must have at least {LEAST_MASKS} masks accepted{since}, got {len(new.rows)}")
    if len(held.rows) < LEAST_HELD:
        raise InvalidInput(
            f"at least {LEAST_HELD} masks must lie on the images kept for measuring (one in {HOLDOUT_PARTS}), "
            f"got {len(held.rows)}; annotate more images"
        )
    replayed = older.taken(round(REPLAY_SHARE * len(new.rows)))
    return Material(new.taken(MOST_MASKS), replayed, held.taken(MOST_HELD), upto)
