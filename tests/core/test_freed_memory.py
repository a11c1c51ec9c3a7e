"""Freed memory goes back to the system."""

import platform
import subprocess
import sys

import pytest

SCATTERED = """
import psutil
from core.freed_memory import give_back

def mb():
    return psutil.Process().memory_info().rss / 1e6

begun = mb()
pieces = [bytearray(20_000) for _ in range(10_000)]
full = mb()
kept = pieces[::500]
del pieces
freed = mb()
print(begun, full, freed, give_back(), mb(), len(kept))
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only the GNU C library keeps freed memory and gives it")
def test_what_lies_between_pieces_in_use_is_given_back() -> None:
    said = subprocess.run([sys.executable, "-c", SCATTERED], capture_output=True, text=True, check=True).stdout.split()
    begun, full, freed, after = (float(said[place]) for place in (0, 1, 2, 4))
    assert said[3] == "True"
    assert full - begun > 150  # 200 MB were in use,
    assert freed - begun > 100  # most of which the library keeps though it is free,
    assert after - begun < 50  # until it is asked to give it back
