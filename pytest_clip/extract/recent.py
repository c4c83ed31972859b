"""What a run keeps at hand of answers that lie on the disk, too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

Value = TypeVar("Value")
Key = tuple[str | None, ...]


class Recent(Generic[Value]):
    """Values by key, of which the oldest leave when all together are larger than `room`; the last one always stays."""

    def __init__(self, room: int, size: Callable[[Value], int]) -> None:
        self.room, self._size = room, size
        self._values: dict[Key, Value] = {}

    def __len__(self) -> int:
        return len(self._values)

    def __contains__(self, key: Key) -> bool:
        return key in self._values

    def __getitem__(self, key: Key) -> Value:
        return self._values[key]

    def __setitem__(self, key: Key, value: Value) -> None:
        self._values[key] = value
        while len(self._values) > 1 and sum(map(self._size, self._values.values())) > self.room:
            del self._values[next(iter(self._values))]

    def forget(self, fingerprint: str) -> None:
        """Drop what belongs to one model, whose fingerprint is the first part of a key."""
        self._values = {key: value for key, value in self._values.items() if key[0] != fingerprint}
