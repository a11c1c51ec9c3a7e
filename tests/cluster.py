"""A Ray cluster of the tests' own, on this machine."""

import importlib.util
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from core.crew.on_ray import RayCrew


@contextmanager
def running_cluster() -> Iterator[RayCrew]:
    """Run a cluster; skip the test where ray is missing, or fail it where CI is set."""
    if importlib.util.find_spec("ray") is None:
        reason = "tests on Ray need ray (pip install 'masksmith[ray]'), which is not installed here"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its own and its dependencies', while it is imported and started
        crew = RayCrew("local")
    with crew:
        yield crew
