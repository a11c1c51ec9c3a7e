"""Chance says which objects are outlined by hand, so that the speed-up compares like with like."""

import re
from typing import Final, Literal

Way = Literal["by_hand", "assisted"]
_KEY: Final = re.compile(r"[0-9a-f]{8}")


def assigned(object_key: str, share: float) -> Way | None:
    """Return how chance says that an object is to be made; None where nothing is assigned.

    An object's key is a random UUID, so its first 32 bits are a fair draw, which browser and server make alike and
    nobody can make again.

    Parameters
    ----------
    share : float
        Of objects that are outlined by hand, 0 to 1; at 0 chance is not asked.

    Examples
    --------
    >>> assigned("1fffffff-0000-4000-8000-000000000000", 0.25), assigned("40000000-0000-4000-8000-000000000000", 0.25)
    ('by_hand', 'assisted')
    """
    found = _KEY.match(object_key)
    if share <= 0 or found is None:
        return None
    return "by_hand" if int(found[0], 16) / 2**32 < share else "assisted"
