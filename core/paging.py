"""Ids that are asked for a page at a time, so that nobody holds a transaction while each is worked on."""

from collections.abc import Callable, Iterator, Sequence

from core.errors import InvalidInput


def by_page(ask: Callable[[int, int], Sequence[int]], total: int, *, size: int) -> Iterator[int]:
    """Yield up to `total` ids, fewer if there are not so many.

    Parameters
    ----------
    ask : callable
        Returns up to so many ids (second argument) that come after one (first), lowest first.
    size : int
        How many to ask for at once.

    Examples
    --------
    >>> list(by_page(lambda after, limit: list(range(after + 1, 8))[:limit], 5, size=2))
    [1, 2, 3, 4, 5]
    """
    after = 0
    while total > 0:
        page = ask(after, min(size, total))
        if not page:
            return
        yield from page
        total -= len(page)
        after = page[-1]


def check_limit(limit: int | None) -> None:
    """Refuse a run over images that is told to do less than one; None, for all, is fine.

    Raises
    ------
    InvalidInput
        If the limit is not at least 1.
    """
    if limit is not None and limit < 1:
        raise InvalidInput(f"the number of images must be at least 1, got {limit}")
