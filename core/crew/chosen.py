"""Which crew does the batch work: that of a cluster if there is one, else processes here, or this one alone."""

from core.crew.alone import Alone
from core.crew.local import Processes
from core.crew.on_ray import RayCrew
from core.crew.protocol import Crew
from core.settings import Settings


def crew_of(settings: Settings) -> Crew:
    """Return the crew that the settings ask for, to be closed by whoever asked.

    Raises
    ------
    CrewUnavailable
        If a cluster is asked for that cannot be had.
    """
    if settings.ray is not None:
        return RayCrew(settings.ray)
    return Alone() if settings.workers == 1 else Processes(settings.workers)
