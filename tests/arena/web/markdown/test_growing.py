"""A growing text: its pieces make the whole, each piece is sent once, and the cost is linear."""

from __future__ import annotations

import random

import pytest

from arena.web.markdown import GrowingHtml
from arena.web.markdown.pieces import HTML
from tests.arena.web.hostile_markdown import forget_rendered
from tests.support.timing import cpu_seconds

UNITS = (
    "a word ", "more, text. ", "\n", "\n\n", "\n\n", "- ", "  ", "1. ", "# ", "```\n", "```python\n", "~~~\n", "$$", "$x$",
    "$$\n", "\\[\n", "\n\\]\n", "\\(a\\)", "| a | b |\n", "|---|---|\n", "> ", "**", "*", "_", "`", "---\n", "===\n", "[a]",
    "[a]: http://x.org\n", "[b](http://y.org)", "![i](http://z.org)", "    ", "[ ] ", "[x] ", "\\begin{align}",
    "\\end{align}\n", "https://e.org/a_b ", "\\", "<b>", "&amp;", "\r\n", "\t", "مرحبا ", "写。", "***\n", '"t\n', "'", "+ ",
    "|", "\0", "\x85", "\x0c", "\u2028",
)  # fmt: skip
ANSWER = r"""## Solving it

To find $x$ we use the *quadratic formula*, which costs $5 and up to $10:

\[
x = \frac{-b \pm \sqrt{b^2 - 4ac}}{2a}
\]

1. **First**, see [the docs][d].
2. Then

   ```python
   def f(x):
       return x ** 2
   ```

- [x] done
- [ ] open

| a | b |
|---|--:|
| 1 | 2 |

> quoted

```mermaid
graph TD; A-->B
```

See https://x.org/a_b. مرحبا

[d]: https://docs.example.org
"""


class Client:
    """What a page does with the operations of a stream."""

    def __init__(self) -> None:
        self.done = self.tail = ""

    def apply(self, operations: list[tuple[str, str]]) -> None:
        for name, value in operations:
            if name == "set":
                self.done, self.tail = value, ""
            elif name == "done":
                self.done, self.tail = self.done + value, ""
            elif name == "tail":
                self.tail = value


def grown(text: str, sizes: list[int]) -> Client:
    growing, client, at = GrowingHtml(), Client(), 0
    for size in sizes:
        at += size
        client.apply(growing.operations(text[:at]))
    client.apply(growing.operations(text, whole=True))
    return client


@pytest.mark.parametrize("seed", range(400))
def test_the_pieces_of_any_text_make_the_whole(seed):
    dice = random.Random(seed)
    text = "".join(dice.choice(UNITS) for _ in range(dice.randint(1, 40)))
    client = grown(text, [dice.choice((1, 2, 3, 5, 20)) for _ in text])
    assert client.done == HTML.render(text)
    assert client.tail == ""


@pytest.mark.parametrize("step", [1, 3, 17, 100])
def test_the_pieces_of_an_answer_make_the_whole(step):
    client = grown(ANSWER, [step] * (len(ANSWER) // step))
    assert client.done == HTML.render(ANSWER)


@pytest.mark.parametrize("step", [1, 5, 40])
def test_appended_text_is_what_rendering_would_give(step):
    """The tail with the words and lines that were appended is the tail of a fresh rendering, its colours apart."""
    for text in (
        "Some *words* here and then more words, and more. ",
        "```text\na < b\n``\nand `c`\n",
        "- an item - of a list",
    ):
        growing = GrowingHtml()
        for end in range(step, len(text) + 1, step):
            shown = growing.show(text[:end])
            fresh = GrowingHtml().show(text[:end])
            assert shown.tail.replace("\n", "") == fresh.tail.replace("\n", "")


def test_words_and_lines_of_code_are_appended_as_text():
    growing = GrowingHtml()
    growing.show("Some *words* ")
    growing.show("Some *words* here")
    assert growing.operations("Some *words* here and there") == [("text", " and there")]
    growing.show("```\nx")
    assert growing.operations("```\nx = a < b\ny") == [("text", " = a < b\ny")]
    assert growing.operations("```\nx = a < b\ny\n``") == [("text", "\n")]  # ` may close the fence
    assert growing.operations("```\nx = a < b\ny\n```\n")[0][0] == "done"


def test_nothing_new_is_nothing():
    growing = GrowingHtml()
    assert growing.operations("a *b*")
    assert growing.operations("a *b*") == []


def test_a_text_that_changed_earlier_is_set_anew():
    growing = GrowingHtml()
    growing.operations("one\n\ntwo\n\nthree")
    (name, html), tail = growing.operations("ONE\n\ntwo\n\nthree")
    assert name == "set"
    assert html.startswith('<p dir="auto">ONE</p>')
    assert "three" in tail[1]


def test_a_text_that_changed_in_its_last_block_is_not_set_anew():
    growing = GrowingHtml()
    growing.operations("one\n\ntwo\nthree")
    assert growing.operations("one\n\nTWO") == [("tail", '<p dir="auto">TWO</p>')]


def test_another_text_after_the_whole_one_begins_anew():
    growing = GrowingHtml()
    growing.operations("one", whole=True)
    assert growing.operations("one", whole=True) == []
    client = Client()
    client.apply(growing.operations("two\n\nthree"))
    assert (client.done + client.tail).count("<p") == 2
    assert "one" not in client.done


def test_links_are_resolved_at_the_latest_at_the_end():
    text = "See [the docs].\n\nMore.\n\n[the docs]: https://x.org\n\nEnd.\n"
    growing, client = GrowingHtml(), Client()
    for end in (20, 30, len(text)):
        client.apply(growing.operations(text[:end]))
    assert "<a " not in client.done
    client.apply(growing.operations(text, whole=True))
    assert client.done == HTML.render(text)
    assert '<a href="https://x.org"' in client.done


KINDS = {
    "prose": "The fox jumps over the dog, and *it* sleeps.\n\n", "list": "- an item with `code` and **bold** text\n",
    "paragraph": "word word *em* word, `c` ", "formulas": "so $x_1 = \\frac{a}{b}$ holds and\n", "fence": "x = f(x)\n",
    "brackets": "![", "displays": "\\[\n", "tasks": "- [ ] a\n", "table": "| a | b |\n",
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_the_cost_of_growing_is_linear(kind):
    """The last block is rendered again when it has grown by a fiftieth: 50 renderings of the whole at most."""

    def seconds(size: int, enough: float) -> float:
        head = {"fence": "```\n", "table": "|a|b|\n|-|-|\n"}.get(kind, "")
        text = (head + KINDS[kind] * size)[:size]

        def run() -> None:
            forget_rendered()
            grown(text, [10] * (size // 10))

        return cpu_seconds(run, enough)

    most = max(0.5, 8 * seconds(3_000, enough=0))  # a quadratic cost is sixteen times as long
    assert seconds(12_000, most) < most
