"""A crew on Ray: workers that die, clusters that are not there, and what Ray must leave alone."""

import signal
import socket
import sys
from pathlib import Path

import pytest

from core.crew.alone import Alone
from core.crew.chosen import crew_of
from core.crew.local import Processes
from core.crew.on_ray import RayCrew
from core.errors import CrewLost, CrewUnavailable, InvalidInput
from core.settings import Settings, from_environment
from tests.core.crew import tasks
from tests.core.crew.test_crews import itself


def test_workers_are_processes_of_the_cluster_and_a_signal_is_ours_as_before(cluster: RayCrew) -> None:
    before = signal.getsignal(signal.SIGTERM)
    with RayCrew("local") as another:  # the same cluster, which is here already and stays
        found = [outcome.result() for _, outcome in another.each(tasks.where, range(4), itself, None)]
    assert all(one["threads"] == "1" for one in found)
    assert signal.getsignal(signal.SIGTERM) == before
    assert next(iter(cluster.each(tasks.times, [1], itself, 2)))[1].result() == 2


def test_a_worker_that_is_killed_is_replaced_and_nothing_is_lost(cluster: RayCrew, tmp_path: Path) -> None:
    found = cluster.each(tasks.dies_once, range(5), itself, str(tmp_path))
    assert [outcome.result() for _, outcome in found] == list(range(5))
    assert (tmp_path / "died").exists()


def test_a_second_death_over_the_same_piece_ends_it_in_a_sentence(cluster: RayCrew) -> None:
    with pytest.raises(CrewLost, match="a worker must live until its work is done, but 2 died over the same piece"):
        list(cluster.each(tasks.dies, range(5), itself, None))


def test_without_ray_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(CrewUnavailable, match=r"MASKSMITH_RAY needs ray, .* pip install 'masksmith\[ray\]'"):
        RayCrew("auto")


def test_where_nobody_answers_a_sentence_says_so() -> None:
    with socket.socket() as taken:  # bound, but nobody listens
        taken.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(CrewUnavailable, match=f"must answer at MASKSMITH_RAY={address}, but none does"):
            RayCrew(address)
    with pytest.raises(CrewUnavailable, match="MASKSMITH_RAY must be auto, local or HOST:PORT, got 'somewhere'"):
        RayCrew("somewhere")


def test_the_settings_choose_the_crew(tmp_path: Path, cluster: RayCrew) -> None:
    def chosen(**changes: object) -> type:
        settings = Settings(data=tmp_path, database_url="sqlite://", **changes)  # type: ignore[arg-type]
        with crew_of(settings) as crew:
            return type(crew)

    assert chosen() is Alone
    assert chosen(workers=2) is Processes
    assert chosen(workers=2, ray="local") is RayCrew
    assert from_environment({"MASKSMITH_WORKERS": "3", "MASKSMITH_RAY": "auto"}).workers == 3
    assert from_environment({"MASKSMITH_RAY": "auto"}).ray == "auto"
    assert from_environment({}).workers >= 1
    with pytest.raises(InvalidInput, match="MASKSMITH_WORKERS must be a whole number of at least 1, got '0'"):
        from_environment({"MASKSMITH_WORKERS": "0"})
