"""The words of the crew: who works, and what a piece of work comes to."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Generic, Protocol, Self, TypeVar, cast

Given = TypeVar("Given")
Item = TypeVar("Item")
Payload = TypeVar("Payload")
Result = TypeVar("Result")
Value = TypeVar("Value", covariant=True)


@dataclass(frozen=True, slots=True)
class Outcome(Generic[Value]):
    """What a piece of work came to: a value, or the error that ended it."""

    value: Value | None = None
    error: Exception | None = None

    def result(self) -> Value:
        """Return the value, or raise the error."""
        if self.error is not None:
            raise self.error
        return cast(Value, self.value)


class Crew(Protocol):
    """Does one task on many items, several at a time. To be used by one thread, for one task at a time."""

    def each(
        self,
        task: Callable[[Given, Payload], Result],
        items: Iterable[Item],
        load: Callable[[Item], Payload],
        given: Given,
        *,
        gpu: bool = False,
    ) -> Iterator[tuple[Item, Outcome[Result]]]:
        """Yield each item, in order, with what `task(given, load(item))` came to; an error of one ends no other.

        Items are taken and loaded in this process, a few ahead of what was yielded, never all. Who stops asking
        cancels the rest.

        Parameters
        ----------
        task : callable
            A function of a module, without memory of its own: another process calls it, perhaps on another machine.
        load : callable
            Makes of an item what travels to the worker: bytes, arrays, frozen values. What it raises is the outcome.
        given : value
            What all items have in common; each worker gets it once. It can be pickled.
        gpu : bool
            Whether `given` computes on a GPU: then a worker needs one.

        Raises
        ------
        CrewLost
            If workers died twice over one piece.
        """

    def close(self) -> None:
        """End all work, at once, and let the workers go."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
