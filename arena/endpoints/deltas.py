"""Text deltas of tokens: whole characters only, and never part of a stop string."""

from __future__ import annotations

from collections.abc import Callable, Sequence

HALF = "\ufffd"  # what a decoder writes for bytes that do not make a character yet


class Deltas:
    """Turns the tokens of one completion into text deltas, one token at a time.

    `decode` turns token ids into text. Two short windows of tokens are decoded and compared, because a
    token's text depends on its neighbours (spaces, bytes of one character). The tokenizers library has a
    `DecodeStream` for this, but it serves only its own tokenizers and gives up with "invalid prefix" where a
    decoder rewrites what it wrote.
    """

    def __init__(self, decode: Callable[[list[int]], str], stop: Sequence[str] = ()) -> None:
        self._decode = decode
        self._stop = tuple(stop)
        self._tokens: list[int] = []
        self._start = 0  # the window begins here, a few tokens before what is shown
        self._shown = 0  # tokens before this one are in the text
        self._held = ""  # could still become a stop string
        self.stopped = False  # a stop string was met: nothing may follow

    def push(self, token: int) -> str:
        """The text released by `token`; often empty."""
        self._tokens.append(token)
        text = self._new_text()
        if not text or text.endswith(HALF):
            return ""
        self._start, self._shown = self._shown, len(self._tokens)
        return self._release(text)

    def rest(self) -> str:
        """The text still held when the completion ends, without incomplete characters."""
        text = self._release(self._new_text().rstrip(HALF))
        held, self._held = self._held, ""
        return text + held

    def _new_text(self) -> str:
        shown = self._decode(self._tokens[self._start : self._shown])
        return self._decode(self._tokens[self._start :])[len(shown) :]

    def _release(self, text: str) -> str:
        if self.stopped:
            return ""
        self._held += text
        cut = min((at for stop in self._stop if (at := self._held.find(stop)) >= 0), default=None)
        if cut is not None:
            self.stopped = True
        else:
            cut = len(self._held) - self._possible_stop()
        out, self._held = self._held[:cut], "" if self.stopped else self._held[cut:]
        return out

    def _possible_stop(self) -> int:
        """How many characters at the end of the held text begin a stop string."""
        longest = max(map(len, self._stop), default=1) - 1
        for size in range(min(longest, len(self._held)), 0, -1):
            if any(stop.startswith(self._held[-size:]) for stop in self._stop):
                return size
        return 0
