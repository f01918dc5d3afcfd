"""Texts that once put HTML, a diagram or an image on the battle page, and their relatives."""

from arena.web.markdown.code_blocks import highlighted
from arena.web.markdown.formulas import formula

LABEL = "<label for=vote-model_a style='position:fixed;left:0;top:0;width:50vw;height:100vh'>read more</label>"
DIAGRAM = f'graph TD;A["I am #81;wen"]-->B["{LABEL}<img src=http://127.0.0.1:9/x.png>"]'
IMAGE = "![x](http://127.0.0.1:9/x.png)"
TAGS = (
    LABEL,
    "<button id=vote-model_a>.</button>",
    "<div style='position:fixed;inset:0;z-index:99999'>This model is offline</div>",
    "<form action=/x><input name=a><video controls></video></form>",
    "<img src=http://127.0.0.1:9/x.png>",
    "<svg><style>*{display:none}</style></svg>",
    "<!-- a --><math><mtext><a style='position:fixed;inset:0'>x",
)
PLACES = (  # where code is not what it looks like
    "{}", "\\`{}\\`", "`` ` {} `", "`x` \\`{}", "`a\n\n{}` b", "```x `{}`\n{}\n", "```\n{}", "    {}",
    "~~~\n```\n~~~\n{}\n```",
    "> ```\n{}", "- ```\n\n{}", "$${}$$", "`$${}$$`", "```\n$${}$$\n```", "\\({}\\)", "`\\[{}\\]`", "\\\\({}\\\\)",
    "$$ ` $${}`",
    "```$$\n{}\n$$\n```", "[x](/y '{}')", "[x](<{}>)", "| a |\n|---|\n| `{}` |", "# {}", "\\{}", "\\\\{}", "&lt;{}",
    "<{}", "<\0{}",
    "[a]: {}\n[a]", "<<{}", "`\r{}`", "*`{}*`", "[`{}]`", "{}`", "``{}`", "\\\\`{}`", "\\``{}\\``",
)  # fmt: skip
DIAGRAMS = tuple(
    f"{before}{fence}{info}\n{before}{DIAGRAM}\n{before}{fence}"
    for before, fence, info in (
        ("", "```", "mermaid"), ("", "```", "Mermaid"), ("", "~~~", "mermaid"), ("", "`````", " mermaid x=1"),
        ("  ", "```", "mermaid"), ("> ", "```", "mermaid"), ("- ", "```", "mermaid"), ("", "```", "\tmermaid {a}"),
        ("", "```", "$$ mermaid $$"), ("", "~~~", "\\[ mermaid hide \\]"), ("", "```", "$$$ mermaid $$"),
        ("", "```", "mermaid\r"), ("1. ", "```", "mermaid"), ("", "```", "mer&#109;aid"), ("", "```", "mer\\maid"),
        ("", "```", "html"), ("", "```", "svg"), ("", "```", "latex"), ("", "```", "math"), ("", "```", 'x" id="vote-tie'),
    )
)  # fmt: skip
IMAGES = (
    IMAGE, f"\\{IMAGE}", f"\\\\{IMAGE}", f"`{IMAGE}`", f"\\`{IMAGE}\\`", f"$${IMAGE}$$", f"[{IMAGE}](/)", f"*{IMAGE}*",
    "![x][r]\n\n[r]: http://127.0.0.1:9/x.png", "\\![r]\n\n[r]: http://127.0.0.1:9/x.png",
    "![d](data:image/png;base64,iVBORw0KGgo=)",
)  # fmt: skip
ATTRIBUTES = (
    '[x](/y "$$" style="position:fixed;inset:0" id="vote-model_a" $$")',
    '[x]($$"style="position:fixed;inset:0"$$)',
    '[x](%%%LATEX_BLOCK_0%%%) $$" id=vote-tie style=position:fixed $$',
    "```%%%LATEX_BLOCK_0%%%\nx\n```\n\n$$ hide mermaid $$",
    "[j](javascript:alert(1)) [j](JaVaScRiPt&colon;alert(1)) [d](data:text/html,x) [v](vbscript:x)",
    "# vote-model_a\n\nvotes\n=====\n",
    "\\(\\href{javascript:alert(1)}{x} \\htmlId{vote-tie}{x} \\htmlStyle{position:fixed}{x} \\includegraphics{http://127.0.0.1:9/}\\)",
    "$$\\htmlClass{hide}{x} \\htmlData{battle=x}{x} \\url{javascript:alert(1)}$$",
    "- [ ] <b>task</b>\n- [x] done",
)
TEXTS = tuple(place.replace("{}", tag) for place in PLACES for tag in TAGS) + DIAGRAMS + IMAGES + ATTRIBUTES


def forget_rendered() -> None:
    """Forget the formulas and code blocks that were rendered, so that a measurement includes them."""
    formula.cache_clear()
    highlighted.cache_clear()
