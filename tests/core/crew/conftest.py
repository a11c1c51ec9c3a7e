"""Each of the three crews, for tests that hold of all."""

from collections.abc import Iterator

import pytest

from core.crew.alone import Alone
from core.crew.local import Processes
from core.crew.protocol import Crew


@pytest.fixture(params=["alone", "processes", "ray"])
def crew(request: pytest.FixtureRequest) -> Iterator[Crew]:
    """One of the crews."""
    if request.param == "ray":
        yield request.getfixturevalue("cluster")
        return
    with Alone() if request.param == "alone" else Processes(2) as made:
        yield made
