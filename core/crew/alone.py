"""A crew of one: this process itself, piece by piece."""

from collections.abc import Callable, Iterable, Iterator

from core.crew.protocol import Given, Item, Outcome, Payload, Result
from core.crew.together import Together


class Alone(Together):
    """Does each piece here and now, when it is asked for."""

    def each(
        self,
        task: Callable[[Given, Payload], Result],
        items: Iterable[Item],
        load: Callable[[Item], Payload],
        given: Given,
        *,
        gpu: bool = False,
    ) -> Iterator[tuple[Item, Outcome[Result]]]:
        """Yield each item with what the task came to; see `Crew`."""
        for item in items:
            outcome: Outcome[Result]
            try:
                outcome = Outcome(task(given, load(item)))
            except Exception as error:
                outcome = Outcome(error=error)
            yield item, outcome
