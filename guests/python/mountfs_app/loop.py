"""asyncio in one thread, without signals. Its own event loop does, once it does not count on either."""

import selectors
from asyncio.selector_events import BaseSelectorEventLoop


class Selector(selectors.PollSelector):
    """Waits for sockets and timers, and notices when there is nothing to wait for."""

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        # A host refuses such a wait with a trap: the end of the program, without a word.
        if timeout is None and not self.get_map():
            raise RuntimeError("asyncio waits for ever: no timer, task or socket is left that could wake it")
        return super().select(timeout)


def adapt() -> None:
    """Makes `asyncio.run` and every new event loop work here."""
    selectors.DefaultSelector = Selector
    # The pair of sockets through which another thread or a signal wakes the loop. Most hosts give no sockets.
    for name in "_make_self_pipe", "_close_self_pipe", "_write_to_self":
        setattr(BaseSelectorEventLoop, name, lambda self: None)
