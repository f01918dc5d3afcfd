"""Patterns about letters of choices in a `plain_text`, for `benchmarks.letters`. All are bounded: linear time."""

from __future__ import annotations

import re

# What may stand between "the answer is" and the letter.
FILLER = (
    r"(?:\s|:|,|(?i:therefore|thus|then|clearly|definitely|most likely|likely|probably|indeed|simply|still|actually"
    r"|obviously|hence|either|both|the|letter|option|choice|statement|alternative|answer)\b:?|选项|選項|选择|选|是|项){0,8}"
)
# A small letter could be the article: it counts in brackets and at the end of a line.
LETTER = re.compile(
    rf"\A{FILLER}[(\[<]{{0,2}}\s?"
    r"(?:(?P<upper>[A-Z])(?![A-Za-z'\d+]|\s?[+=^×<]|\s?[-*/]\s?(?:[A-Z\d]\b))"
    r"|(?P<lower>[a-z])(?=\s?[)\].]{0,2}\s{0,3}(?:\n|$))|\((?P<bracketed>[a-z])\))"
)
NEGATION = re.compile(
    rf"\A{FILLER}(?i:not\b|n't|neither|nor\b|none\b|no longer|wrong|incorrect|unclear|不|并非|非)"
)
ABSENT = re.compile(  # "4 kW, but this is not among the choices"
    r"\A(?:(?!\.\s)[^\n。]){0,160}?(?i:\bbut (?:this|that|it|which) is(?: not|n't) (?:among|one of|in|listed|an? )|不在选项)"
)
ARTICLE = re.compile(r"\A (?!(?:because|since|as|for|which|and|or|not|but|with|due|based|is|was)\b)[a-z]")
OTHER_LETTER = re.compile(
    r"\A\s?[)\].]?\s?(?:(?:/|&|(?i:\b(?:or|nor)\b)|或者?|还是)\s?(?i:option )?\(?[A-Z](?![A-Za-z'])"
    r"|(?:[,、;和与及]|\band\b)\s?(?i:(?:and |or )?(?:option )?)\(?[A-Z]\)?(?=\s{0,2}(?:[.,;:!?。、)]|$|\n|are\b|both\b)))"
)
QUESTIONED = re.compile(r"\A[)\].]?[^.!\n。]{0,80}\?")
QUESTION_AFTER = re.compile(r"\n\s{0,4}(?:Question|Q|Problem|问题|题目)(?:\s?\d{1,3})?\s?:")

AFTER_WORDS = re.compile(
    r"\s?(?:[.,;:!)(\n。、-]|$|(?:is|are|because|since|as)\b)(?!\d)"
)  # after the words of a choice

ITEM = re.compile(r"(?m)^[ \t]{0,6}\|?[ \t]?(?:✅|✔|❌)?[ \t]?\(?([A-Z])(?:[).:、,|]|\s-|\s\|)[ \t]?([^\n]*)$")
ANOTHER_ITEM = re.compile(r"(?:^|\s)\(?[B-Z](?:[).]|\s?\()")
FIRST = re.compile(
    r"\A[\s✅✔☑]{0,4}(?:[Oo]ption |[Cc]hoice )?[(\[]?([A-Z]|[a-z](?=[)\].]|\s{0,3}$))"
    r"(?P<mark>[)\]]|\s?[.:,、。]|\s-\s|\s?\n|\s?(?=\()|\s{0,3}$)\s?(?P<rest>.*)",
    re.DOTALL,
)
GOES_ON = re.compile(r"\A(?:is|are|was|were|has|have|can|could|would|may|might|and|or|nor)\b")
DENIED = re.compile(
    r"(?i)\A(?:[\s\w'-]{0,40}\b(?:is|are|was|seems?|looks?)(?:n't| not| clearly| also| definitely)? ?"
    r"(?:not|wrong|incorrect|false|invalid|the wrong)\b|\s?(?:is\s)?(?:wrong|incorrect|false)\b"
    r"|[^。\n]{0,12}(?:错误|錯誤|不正确|不对|不對))"
)

VERDICT = re.compile(
    r"(?<![A-Za-z0-9])\(?([A-Z])\)?(?:\s?(?:选项|選項|项|项))?"
    r"(?:\s(?:is|must be|would be|should be) (?:also |indeed |clearly |therefore |thus )?"
    r"(?:the |your |my )?(?:only |most |best |better )?(?:correct|right|best|answer)\b"
    r"|\s?[是为為]?最?正[确確](?!性)|项?符合题意)"
    r"(?P<noun> (?:answer|option|choice|one)\b|答案|选项)?"
)
STRONG = re.compile(r"\banswer\b|\bbest\b|答案|选项$")
DOUBTED = re.compile(
    r"(?i)\b(?:if|whether|unless|why|not|nor|neither)\b[^,]*$|如果|若|是否|[和、]$|(?<!and )\b[A-Z]\)?,\s?$|\b(?:and|or) $"
)
CONCLUSION = re.compile(
    r"(?i:\b(?:so|clearly|definitely|certainly|obviously|hence|thus|therefore|it'?s|it is|it must be|must be"
    r"|it has to be|by elimination|confirmed|in fact)\b[,:]?"
    r"(?: (?:it must be|must be|it is|it's|actually|clearly|definitely|probably|likely|option|choice|the letter)){0,4}) "
    r"\(?([A-Z])\)?(?=\s{0,3}(?:[.!,;:(。]|$|\n|(?:because|since|-)\s))"
)
RIGHT_MARK = re.compile(r"[✅✔☑]|(?i:\b(?:correct|right)\b)|正[确確]")
WRONG_MARK = re.compile(r"[❌✗✘]|(?i:\b(?:incorrect|wrong|not)\b)|错误|錯誤|不正[确確]|不对")

BOLD = re.compile(r"\*\*([^*\n]{1,200})\*\*")
NEGATIVE = re.compile(r"(?i)\b(?:not|no|never|neither|nor|cannot|wrong|incorrect)\b|n't\b|[不没非]")
BEFORE_NAME = re.compile(
    r"(?i)(?:\b(?:is|are|was|were|be|called|named|by|at|a|an|the|it'?s)|[=:是为為在于於]|^)\s?$"
)
AFTER_NAME = re.compile(r"(?i)\s?(?:[.!。]{0,2}\s{0,3}$|(?:is|are|was|were)\b|是)")
