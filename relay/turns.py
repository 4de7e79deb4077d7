"""Who is served next: circuits in turn, none with more than its share.

Requests that are complete wait here for a thread. Whoever opens a hundred connections
through one circuit waits in one line; somebody else's single request goes next.
"""

from collections import OrderedDict, deque
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Turns(Generic[Item]):
    """A bounded number of places and the lines that wait for them.

    Args:
        places: how many are served at once.
        per_circuit: how many of them one circuit may hold.
    """

    def __init__(self, *, places: int, per_circuit: int) -> None:
        self._free = places
        self._per_circuit = per_circuit
        self._lines: OrderedDict[str, deque[Item]] = OrderedDict()
        self._held: dict[str, int] = {}
        self.waiting = 0

    def offer(self, circuit: str, item: Item) -> None:
        """Put an item at the end of its circuit's line."""
        self._lines.setdefault(circuit, deque()).append(item)
        self.waiting += 1

    def take(self, *, unbounded: str = "") -> Item | None:
        """Take the item whose turn it is and give it a place, or None if there is none.

        Args:
            unbounded: the one circuit that may hold every place (visitors without Tor).
        """
        if not self._free:
            return None
        for circuit, line in self._lines.items():
            if circuit == unbounded or self._held.get(circuit, 0) < self._per_circuit:
                item = line.popleft()
                self._lines.move_to_end(circuit)
                if not line:
                    del self._lines[circuit]
                self._held[circuit] = self._held.get(circuit, 0) + 1
                self._free -= 1
                self.waiting -= 1
                return item
        return None

    def give_back(self, circuit: str) -> None:
        """Return the place that an item of this circuit held."""
        self._free += 1
        self._held[circuit] -= 1
        if not self._held[circuit]:
            del self._held[circuit]
