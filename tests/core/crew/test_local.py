"""Processes on this machine: they give way, they are replaced once, and they end with whoever started them."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from core.crew.local import Processes
from core.errors import CrewLost
from tests.core.crew import tasks
from tests.core.crew.test_crews import itself


def test_workers_are_other_processes_that_give_way_with_one_thread() -> None:
    with Processes(2) as crew:
        found = [outcome.result() for _, outcome in crew.each(tasks.where, range(8), itself, None)]
        assert {one["pid"] for one in found} <= set(crew.pids)
        assert os.getpid() not in crew.pids
    assert all(one["nice"] >= 15 and one["threads"] == "1" for one in found)
    if hasattr(os, "SCHED_IDLE"):
        assert {one["policy"] for one in found} == {os.SCHED_IDLE}
    assert crew.pids == []


def test_what_computes_on_a_gpu_has_one_worker() -> None:
    with Processes(3) as crew:
        list(crew.each(tasks.times, range(6), itself, 2, gpu=True))
        assert len(crew.pids) == 1


def test_a_worker_that_is_killed_is_replaced_and_nothing_is_lost(tmp_path: Path) -> None:
    with Processes(2) as crew:
        found = crew.each(tasks.dies_once, range(9), itself, str(tmp_path))
        assert [outcome.result() for _, outcome in found] == list(range(9))
    assert (tmp_path / "died").exists()


def test_a_worker_that_is_killed_from_outside_is_replaced(tmp_path: Path) -> None:
    with Processes(1) as crew:
        (tmp_path / "0").touch()
        found = crew.each(tasks.waits, range(4), itself, str(tmp_path))
        assert next(found)[1].result() == 0
        (victim,) = crew.pids
        os.kill(victim, signal.SIGKILL)
        for number in range(1, 4):
            (tmp_path / str(number)).touch()
        assert [outcome.result() for _, outcome in found] == [1, 2, 3]
        assert victim not in crew.pids


def test_a_second_death_over_the_same_piece_ends_it_in_a_sentence() -> None:
    with Processes(2) as crew:
        found = crew.each(tasks.dies, range(9), itself, None)
        assert [next(found)[1].result() for _ in range(2)] == [0, 1]
        with pytest.raises(CrewLost, match="a worker must live until its work is done, but 2 died over the same piece"):
            next(found)


STARTS = """
import sys
from core.crew.local import Processes
from tests.core.crew import tasks

crew = Processes(2)
found = crew.each(tasks.waits, range(9), lambda number: number, sys.argv[1])
next(found)
print(*crew.pids, flush=True)
next(found)
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_workers_end_with_a_process_that_is_killed_in_the_middle_of_their_work(
    how: signal.Signals, tmp_path: Path
) -> None:
    (tmp_path / "0").touch()
    command = [sys.executable, "-c", STARTS, str(tmp_path)]
    with subprocess.Popen(command, cwd=Path(__file__).parents[3], stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout is not None
        workers = [psutil.Process(int(pid)) for pid in starter.stdout.readline().split()]
        starter.send_signal(how)
    assert len(workers) == 2
    _, alive = psutil.wait_procs(workers, timeout=30)
    assert not alive
