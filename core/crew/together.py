"""What all crews share: they are closed at the end of a `with`."""

from types import TracebackType
from typing import Self


class Together:
    """Closes a crew when the block that used it ends, however it ends."""

    def close(self) -> None:
        """Let the workers go."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
