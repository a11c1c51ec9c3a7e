"""A crew of one: this process itself, piece by piece."""

from collections.abc import Callable, Iterable, Iterator

from core.crew.protocol import Crew, Given, Item, Outcome, Payload, Result


class Alone(Crew):
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

    def close(self) -> None:
        """Do nothing: nobody else is at work."""
