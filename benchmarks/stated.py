r"""Where a reply states its answer: "the answer is", "Answer:", "答案是"; of a choice also "I choose" and "故选".

All functions take a `plain_text`, except `stated_formula`. The patterns are bounded, so that they take linear time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

IS = r"(?:is|was|are|would be|should be|must be|will be|has to be|seems to be|appears to be)"
NOUN = r"(?:answer|option|choice|one|statement|response|letter|match|explanation|description|fit)"
CAPITAL = r"(?=(?i:option |choice )?\(?(?-i:[A-Z])\b)"
LABELLED = (
    r"\b{noun}\b(?:[^.:=?!;\n]{{0,60}}?\s"
    rf"{IS.replace('{', '{{').replace('}', '}}')}"
    r"\b\s?[:=]?|\s?[:=]|\s-\s|[^.:=?!;\n]{{0,40}}:)"
)
BEST = (
    rf"\b(?:best|correct|right|final|closest|better) {NOUN}(?: {NOUN})?\s?(?:\s{IS}\b\s?:?|[:=])"
    rf"|\bthe (?:best|correct|right|closest|nearest)(?: {NOUN})? {IS}\b\s?:?"
)
ABBREVIATED = r"\bans\b\s?[.:=-]"
HEADING = r"(?<![^\n])(?:(?:final|correct|my) )?answer[ \t]{0,4}(?=\n|(?-i:[A-Z])\b)"
MINE = (
    r"\b(?:my|the|your) (?:choice|pick|option|letter)(?: \w{1,10}){0,4}? "
    + IS
    + r"\b\s?:?|(?<![^\n])(?:selected |chosen |final )?(?:option|choice|letter|selection)\s?[:=]"
)
CHOSEN = (
    r"\b(?:I|we|I'?d|I'?ll)(?: (?:would|will|shall|can|must))?(?: (?:therefore|thus|then|also|finally))?"
    r" (?:choose|chose|select|pick|picked|opt for|go with|settle on|vote for|say|lean towards?)"
    rf"|\b(?:going with|go with|corresponds to|matches|leaves|leaving)(?: us with)? {CAPITAL}"
)
CONTRAST = (
    rf"\b(?:not|neither|no longer)\b[^.\n]{{1,60}}\bbut(?: rather)?\b|\b(?:actually|rather|instead),? {CAPITAL}"
)
CHINESE_ANSWER = (
    r"答案?(?:[^。.,\n:是为為选選不非没]{0,8}?)(?:应该是|應該是|应为|應為|应是|應是|就是|是|为|為|选择|選擇|选|選)\s?:?"
    r"|答案?\s?:|答案[^。.,\n:不非没]{0,6}:|答案\s?(?=\(?[A-Z])|(?<![^\n])答案\s{0,4}\n"
)
CHINESE_CHOICE = (
    r"正[确確](?:的)?(?:选项|選項|选择|選擇|答案)?(?:应该是|应为|是|为|為|:)\s?:?"
    r"|(?:应该|應該|认为|認為)是(?=\s?\(?[A-Z])|(?:选择|選擇|选|選)(?![项項题題])\s?:?|选项\s?:|而是|(?:综上|綜上|因此|所以),?(?=\s?\(?[A-Z](?:[。.,]|$))"
)
# What every statement begins with, so that other places cost one comparison.
BEGINNING = r"(?=[aAsSbBcCrRfFtTmMlLoOyYiIwWgGnN答正应應认認选選而综綜因所])"
OF_VALUES = re.compile(
    rf"{BEGINNING}(?:(?i:{LABELLED.format(noun='answer')}|{BEST}|{ABBREVIATED}|{HEADING})|{CHINESE_ANSWER})"
)
OF_CHOICES = re.compile(
    rf"{BEGINNING}(?:(?i:{LABELLED.format(noun='(?:answer|solution)')}|{BEST}|{MINE}|{ABBREVIATED}|{CHOSEN}|{CONTRAST}|{HEADING})"
    rf"|{CHINESE_ANSWER}|{CHINESE_CHOICE})"
)
SENTENCE_START = re.compile(r"[.!?](?=\s|$)|[\n。；]")
LOOKED_BACK = 200  # characters before a statement that are searched for the start of its sentence
# Clauses whose answer is supposed, somebody else's, or an earlier thought of the model.
SUPPOSED = re.compile(
    r"(?i)\b(?:if|whether|suppose|assuming|unless)\b[^.\n]{0,120}\b(?:would|had)\b"
    r"|\b(?:if|whether|assume|suppose|unless)(?: that)?(?: the)?(?: \w{1,10})?\s?$|\b(?:wrong|incorrect)\s?$"
    r"|\b(?:people|some|many|others|you|one|students|most|somebody|someone)\b(?:(?!\bI\b)[^.\n]){0,40}"
    r"\b(?:think|believe|say|assume|guess|claim|expect|argue|thought|said)\b[^.\n]{0,30}$"
    r"|\b(?:at first|initially|my first (?:thought|guess))\b[^.\n]{0,60}$"
    r"|(?:如果|假如|若|是否|假设)[^。,\n]{0,12}$|(?:如果|假如|若|假设)(?:题目?|问题?|題目?|問題?|改|换)[^。\n]{0,40}$"
    r"|(?:很多人|有人|有些人|一开始|起初|最初)[^。\n]{0,20}$"
)
CLAUSE_START = re.compile(r"\b(?:but|however|yet|although|though)\b|;|[但却]")
NEGATED = re.compile(
    r"(?i)(?:\bnot|n't|\bnever|\bcannot)\b(?![^.\n]{0,200}\b(?:so|hence|thus|therefore|and|because|since|only|sure)\b)[^.,;:\n]{0,40}$"
    r"|(?:不|非|没)(?:认为|覺得|觉得|能说|一定|意味着|是说)?[^。,\n]{0,3}$"
)
RETRACTED = re.compile(
    r"(?i)\b(?:wait|sorry|hold on|oops|actually)\b[^\n]{0,60}\b(?:wrong|incorrect|mistake|not right|error)\b"
    r"|不对|不對|错了|錯了"
)
FULL_WIDTH = str.maketrans("：，．", ":,.")
FORMULA = re.compile(
    r"^[^$\\\n]{0,40}?(?:\$+([^$\n]{1,400})\$+|\\\((.{1,400}?)\\\)|\\\[(.{1,400}?)\\\])[^$\\\n]{0,40}(?:\n|$)",
    re.DOTALL,
)
WORD = re.compile(r"\A(?!not\b)(?:[^\s]*\d.{0,60}|\S+(?: \S+){0,2})$")  # 16 square units; Evelyn
SENTENCE_END = re.compile(r"[.。．](?=\s|$)|\n")


def statements(text: str, cues: re.Pattern[str] = OF_VALUES) -> Iterator[int]:
    """The places after the words that announce an answer, without suppositions ("if B were …") and negations."""
    for cue in cues.finditer(text):
        if not is_supposed(sentence_before(text, cue.start()), cue.group()):
            yield cue.end()


def is_supposed(before: str, said: str = "") -> bool:
    """Whether the clause before a statement negates it, supposes it, or gives it to somebody else."""
    starts = [match.end() for match in CLAUSE_START.finditer(before)]
    clause = before[starts[-1] :] if starts else before
    return any(map(SUPPOSED.search, (clause, clause + said))) or NEGATED.search(clause) is not None


def sentence_before(text: str, place: int) -> str:
    """What stands before `place` in its sentence."""
    before = text[max(0, place - LOOKED_BACK) : place]
    ends = [match.end() for match in SENTENCE_START.finditer(before)]
    return before[ends[-1] :] if ends else before


def stated_line(text: str) -> str | None:
    """The line after the last statement; None without one."""
    line = None
    for place in statements(text):
        line = text[place:].lstrip(" \n:").partition("\n")[0].strip() or line
    return line


def stated_formula(text: str) -> str | None:
    r"""What the last statement of a reply with formulas has between `$` or `\(`, else the rest of its sentence."""
    text = text.replace("**", "").translate(FULL_WIDTH)
    formula = None
    for place in statements(text):
        rest = text[place : place + 500].lstrip(" \n:：")
        match = FORMULA.match(rest)
        if match:
            formula = next(filter(None, match.groups())).strip()
        elif "$" not in rest and WORD.match(said := SENTENCE_END.split(rest, maxsplit=1)[0]):
            formula = said.strip()
    return formula
