"""Categories of a battle, by rules over its prompts: no model call, no network, under a millisecond.

A battle has any number of categories. A rule is a weighted sum of signs, each a pattern that counts once; the
category holds if the sum is at least one. The rules have a version, which changes with each rule and is shown on
boards.

Every pattern takes time in proportion to the text, whatever the text: a visitor writes it. No two parts of a pattern
that repeat without bound can match the same characters, and nothing that repeats starts at each of them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from arena.rules.languages import language

VERSION = "rules-2"

LONG = 500  # tokens from which a prompt is long, as the public arena counts (blog of 2024-05-17)
CHARACTERS_A_TOKEN = 4  # of English under the usual tokenizers
IDEOGRAPHS_A_TOKEN = 1.5
HARD = 4  # signs of difficulty, of seven, that make a prompt hard: patterns detect fewer than the tagger, which needs six


@dataclass(frozen=True)
class Rule:
    """A category holds when the weights of the matching signs add up to one or more."""

    category: str
    signs: tuple[tuple[float, re.Pattern[str]], ...]

    def holds(self, text: str) -> bool:
        total = 0.0
        for weight, pattern in self.signs:
            if pattern.search(text):
                total += weight
            if total >= 1:
                return True
        return False


def _sign(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE | re.MULTILINE)


_LANGUAGES = (
    r"\b(python|javascript|typescript|java|rust|golang|kotlin|c\+\+|c#|php|ruby|sql|bash|html|css|haskell|pandas"
    r"|numpy|pytorch|react|regex(es)?|regular expression|docker|git|powershell|matlab|verilog)(?!\w)"
)
_COUNTED = (
    r"(words?|sentences?|paragraphs?|lines?|bullets?|bullet points?|characters?|items?|points?|steps?|syllables?"
    r"|letters?|sections?|times|placeholders?|options?|keywords?)"
)
_INDENT = r"[^\S\n]*+"  # after ^, instead of \s*, which would cross all blank lines from each of them
_NUMBER = r"(\d+|one|two|three|four|five|six|seven|eight|nine|ten|twelve|a single)"

# An operation such as "3 + 4" or "2x - 1". The second pattern looks ahead for a line break in it.
_SUM = r"\d\s*+[-+*/×÷^]\s*+\d"
_SUM_CROSSES = rf"(?=\d{_INDENT}[-+*/×÷^]?{_INDENT}\n)"
_TERMS = r"\b\d*+[xyn]\s*+\^?\d?\s*+[-+]\s*+\w"
_TERMS_CROSS = rf"\b(?=\d*+[xyn]{_INDENT}\^?\d?{_INDENT}[-+]?{_INDENT}\n)"


def _before_equals(operation: str, crosses: str) -> str:
    """An operation with an equals sign further on in the line where it ends.

    A line is searched once for the sign, after its first operation (atomic group), and once after each operation that
    crosses line breaks, of which few end in one line.
    """
    return rf"^(?>.*?(?!{crosses}){operation}).*=|{crosses}{operation}.*="


CODE = Rule(
    "code",
    (
        (1.0, _sign(rf"```|^{_INDENT}(def \w+\(|class \w+[:(]|import \w+$|from \w+ import|#include\s*<|public static"
                    r"|SELECT\b.+\bFROM\b|function \w+\(|const \w+ =|fn \w+\()|</\w+>|\bstack ?trace\b"
                    r"|\bTraceback\b|\wError:|\bcompil(e|er|ation) error|代码|函数|编程")),
        (1.0, _sign(r"\b(write|implement|fix|debug|refactor|complete|optimi[sz]e|review|develop|create)\b.{0,60}\b"
                    r"(functions?|code|scripts?|programs?|class|methods?|quer(y|ies)|algorithm|unit tests?|api"
                    r"|website|web page|app)\b")),
        (0.5, _sign(_LANGUAGES)),
        (0.5, _sign(r"\b(functions?|code|scripts?|programs?|algorithms?|bugs?|compiles?|variables?|arrays?|loops?|api"
                    r"|endpoint|databases?|library|software|recursion|data structures?|time complexity|queue|thread)\b")),
        (0.5, _sign(r"\b(returns?|null|boolean|strings?|dictionary|stdout|stdin|json|yaml|column|table \w+\()\b")),
    ),
)  # fmt: skip
MATHEMATICS = Rule(
    "math",
    (
        (1.0, _sign(r"\\(frac|sum|int|sqrt|begin|mathbb|mathbf|cdot|leq?|geq?|log|sin|cos|tan|angle|triangle|pi)\b"
                    r"|\$[^$\n=^_+<>\\]*+[=^_+<>\\][^$\n]*+\$"
                    r"|\b(integral|derivative|eigenvalues?|determinant|polynomial|theorem|lemma|trigonometr\w+"
                    r"|logarithm|modulo)\b|\bsolve (for|the equation)|\bprove that\b|方程|积分|导数|定理|概率")),
        (1.0, _sign(rf"=\s*\?|\b[xyn]\s*[=<>]\s*-?\d|{_before_equals(_SUM, _SUM_CROSSES)}"
                    rf"|{_before_equals(_TERMS, _TERMS_CROSS)}")),
        (0.5, _sign(r"\b(how (many|much|far|fast|old|long)|what (is|was|are|were|will be) (the|his|her|their|its) (\w+ )"
                    r"{0,2}(sum|product|area|volume|probability|value|remainder|average|number|total|cost|distance"
                    r"|speed|price|profit|percentage|length|perimeter)|calculate|compute|percent(age)?|find the"
                    r"|equation|evaluate|least|greatest|多少|计算)\b")),
        (0.5, _sign(r"\d(?=\D)[^\d\n]*+\n?\d|\$\d|\d ?%|\b(twice|half|thrice|double|a (third|quarter)|dozen"
                    r"|three times)\b")),
        (0.5, _sign(r"\b(triangles?|circles?|rectangles?|angles?|radius|matri(x|ces)|vectors?|primes?|integers?"
                    r"|divisible|fractions?|ratio|variance|geometry|algebra|calculus|per (hour|minute|day|item)"
                    r"|positive number|real numbers?|digits?|probability|coordinates?)\b|\bf\(x\)|\$\w")),
    ),
)  # fmt: skip
CREATIVE = Rule(
    "creative writing",
    (
        (1.0, _sign(r"\b(write|compose|create|tell|draft|continue|craft|imagine|generate|give me|make)\b.{0,70}\b"
                    r"(stor(y|ies)|poems?|haikus?|sonnets?|limericks?|songs?|lyrics|novel|tale|fable|screenplay|scene"
                    r"|monologue|dialogue|fan ?fic(tion)?|raps?|ode|plot|parody|opening paragraph|chapter|jokes?"
                    r"|eulogy|slogans?|riddles?|blog post|advert\w*|speech|descriptive paragraph)\b"
                    r"|写.{0,12}(故事|诗|小说|歌词)")),
        (1.0, _sign(r"\b(role-?play\w*|pretend (to be|you|yourself)|act as|acting as|imagine (you|yourself)"
                    r"|(embrace|assume|take on) the (role|persona)|in the (voice|style|role|character) of"
                    r"|from the (perspective|point of view) of|you are (now )?(a|an|the) \w+ (who|in))\b")),
        (0.5, _sign(r"\b(stor(y|ies)|poem|fiction|characters?|protagonist|narrator|rhym\w+|metaphor|fantasy|sci-fi"
                    r"|detective|fairy|dragon|verses?|letter|persona)\b")),
        (0.5, _sign(r"\b(creative\w*|imaginative|whimsical|humorous|witty|funny|vivid\w*|original|evocative"
                    r"|engaging|captivat\w+|compelling|persuasive)\b")),
    ),
)  # fmt: skip
INSTRUCTIONS = Rule(
    "instruction following",
    (
        (1.0, _sign(rf"\b(at (most|least)|no (more|less|fewer) than|(fewer|less|more) than|exactly|under|within|between"
                    rf" \d+ and|in|using|only|over)\s+(about |only |just )?{_NUMBER}(\+| or more| to \w+)?[- ]\w* ?"
                    rf"{_COUNTED}\b|\b\d+\+?( or more)?[- ]words?\b|不要(使用|出现)|(不超过|至少|恰好)\d+")),
        (1.0, _sign(r"\b(do not|don't|never|avoid|without|refrain from|cannot|no)\b.{0,30}\b(us(e|ing)|includ\w+"
                    r"|mention\w*|words?|commas?|keywords?|contain\w*|say\w*)\b")),
        (1.0, _sign(r"\b(respond|reply|answer|format|output|return|write|give|put|wrap|present)\b.{0,60}\b(only|in json"
                    r"|as json|json format|as a table|in a table|bullet (points|list)|numbered list|in markdown"
                    r"|(double )?quotation marks|(in )?(all )?(upper|lower) ?case|(all )?(capital|capitalized)|xml|csv)")),
        (1.0, _sign(r"\b(your|the|entire|whole) (entire |whole |final )?(response|answer|reply|output|letter|essay)"
                    r"\b.{0,30}\b(should|must|needs? to|has to|contain\w*|in|with|be)\b"
                    r"|\b(lower ?case|upper ?case|all caps|capital letters|title.{0,30}angular brackets|postscript"
                    r"|square brackets|highlight\w* (at least )?\w+ )\b|<<|P\.S|\*\w++( \w*+)?\*")),
        (0.5, _sign(r"\b(must|each|every|make sure|ensure|only|include|exclude|start(s|ing)? with|end(s|ing)? with"
                    r"|begin with|finish\w* with|(following|these) (format|rules|constraints|requirements)"
                    r"|step by step|first.{1,80}then)\b")),
        (0.5, _sign(rf"^{_INDENT}(\d+[.)]|[-*•])\s++\S.*+\n\s*+(\d+[.)]|[-*•])\s++\S"
                    r"|\b(keywords?|exact|format|limit)\b")),
    ),
)  # fmt: skip
RULES = (CODE, MATHEMATICS, CREATIVE, INSTRUCTIONS)

# One sign for each criterion by which the public arena's tagger calls a prompt hard (blog of 2024-05-17).
HARDNESS = {
    "specificity": _sign(r"\b(exactly|specific(ally)?|must|should|given|following|such that|where|at least|at most"
                         r"|no more than|constraints?|requirements?|without|format|output)\b|\d"),
    "domain knowledge": _sign(r"\b(algorithm|theorem|protein|enzyme|molecul\w+|quantum|statut\w+|liabilit\w+"
                              r"|contract|diagnos\w+|clinical|regression|bayesian|neural|kernel|thread|compiler"
                              r"|database|protocol|thermodynam\w+|voltage|circuit|macroeconom\w+|derivative|encrypt\w+"
                              r"|matri(x|ces)|api|tcp|gpu|genom\w+|philosoph\w+|tax|function|array|index|econom\w+)\b"),
    "complexity": _sign(r"\b(and (also|then)|as well as|both|multiple|several|compare|trade-?offs?|pros and cons"
                        r"|step by step|first.{1,200}then|versus|vs\.?|each|relationship)\b|(\?.*){2}"
                        rf"|\n{_INDENT}(\d+[.)]|[-*•])\s"),
    "problem solving": _sign(r"\b(solve|prove|find|fix|debug|optimi[sz]e|design|implement|derive|determine|analy[sz]e"
                             r"|calculate|compute|why|how (can|would|do|should|does)|figure out|plan|troubleshoot"
                             r"|strategy|develop|what went wrong|how many|how much)\b"),
    "creativity": _sign(r"\b(design|create|invent|write|compose|propose|come up with|imagine|novel|original|story"
                        r"|brainstorm|suggest|build|craft|develop|draft)\b"),
    "technical accuracy": _sign(r"```|\b(code|function|equation|formula|proof|implement|query|regex|config\w*|command"
                                r"|error|complexity|units?|precise|accurate|correct|calculate|citation|version|python"
                                r"|sql|java\w*|c\+\+|rust|program|json|evidence)\b|\\\w+\{"),
    "real world": _sign(r"\b(my|our|we|customers?|users?|compan(y|ies)|team|project|production|business|client"
                        r"|patients?|students?|budget|employees?|server|website|app|report|email|deploy\w*|market"
                        r"|data ?set|real[- ]world|work|day)\b"),
}  # fmt: skip
HARD_LENGTH = 100  # characters below which no prompt is hard: "write a sql query" states no problem


def categories(prompts: Sequence[str], images: bool = False) -> tuple[str, ...]:
    """The categories of a battle with these prompts, one a turn, in alphabetical order. `images`: one of them has some.

    The language is that of all prompts together; the other rules hold when they hold for any one prompt.
    """
    names = {rule.category for rule in RULES if any(rule.holds(prompt) for prompt in prompts)}
    spoken_language = language("\n".join(prompts))
    if spoken_language:
        names.add(spoken_language)
    if images:
        names.add("images")
    if len(prompts) > 1:
        names.add("multi-turn")
    if any(tokens(prompt) >= LONG for prompt in prompts):
        names.add("long")
    if any(hardness(prompt) >= HARD for prompt in prompts):
        names.add("hard")
    return tuple(sorted(names))


def hardness(prompt: str) -> int:
    """Number of the seven signs of difficulty in a prompt; 0 for a prompt of one or two lines."""
    if len(prompt) < HARD_LENGTH:
        return 0
    return sum(sign.search(prompt) is not None for sign in HARDNESS.values())


def tokens(prompt: str) -> float:
    """Approximate number of tokens of a prompt."""
    wide = sum(letter > "⺀" for letter in prompt)
    return (len(prompt) - wide) / CHARACTERS_A_TOKEN + wide / IDEOGRAPHS_A_TOKEN
