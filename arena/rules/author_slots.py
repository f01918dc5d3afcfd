"""Expressions for what stands before and after a name that is the author's own: the *slot*, and what follows it.

A slot is the place after a phrase (`arena.rules.author_phrases`), where the name begins. All are matched on folded text.
"""

from __future__ import annotations

import re

from arena.rules.author_phrases import (
    ARABIC,
    ARABIC_FULL,
    ARABIC_MODEL,
    CHINESE,
    CHINESE_FULL,
    CHINESE_MODEL,
    EDGE,
    ENGLISH,
    ENGLISH_FULL,
    ENGLISH_MAKER,
    ENGLISH_MODEL,
    FRENCH,
    FRENCH_FULL,
    FRENCH_MAKER,
    FRENCH_MODEL,
    GAP,
    JAPANESE,
    JAPANESE_TOPIC,
    KOREAN,
    KOREAN_TOPIC,
    RECORD,
    SPACE,
    WORD,
    phrases,
)
from arena.rules.folded_text import SOFT, fold_word


def run(words: str) -> str:
    """Up to 16 of these words, with space or markup between them."""
    return rf"(?:(?:{SPACE}|(?<=')|(?<=,))(?:{words})(?:{EDGE}|(?<='))){{0,16}}"


def close(words: str) -> str:
    """A run of words in a script without spaces."""
    return rf"(?:[\s{SOFT}]?(?:{words})){{0,12}}"


SLOTS = re.compile(
    rf"(?P<full>{WORD}(?:{phrases(ENGLISH_FULL)}){EDGE}{run(ENGLISH)}"
    rf"|{WORD}(?:{phrases(FRENCH_FULL)}){EDGE}{run(FRENCH)}"
    rf"|{WORD}as{SPACE}an?{EDGE}{run(ENGLISH)}"
    rf"|(?:{phrases(CHINESE_FULL)}){close(CHINESE)}"
    rf"|(?:{phrases(ARABIC_FULL)})(?![ء-ي])(?:{SPACE}(?:{fold_word(ARABIC)})(?![ء-ي])){{0,12}}"
    rf"|{RECORD}){GAP}"
    rf"|(?P<topic>{JAPANESE_TOPIC}{close(JAPANESE)}|{phrases(KOREAN_TOPIC)}{close(KOREAN)}){GAP}"
    rf"|(?P<model>{WORD}(?:{phrases(ENGLISH_MODEL)}){EDGE}{run(ENGLISH)}"
    rf"|{WORD}(?:{phrases(FRENCH_MODEL)}){EDGE}{run(FRENCH)}"
    rf"|(?:{phrases(CHINESE_MODEL)}){close(CHINESE)}"
    rf"|(?:{phrases(ARABIC_MODEL)})(?![ء-ي])(?:{SPACE}(?:{fold_word(ARABIC)})(?![ء-ي])){{0,12}}(?:{SPACE}[بـ])?"
    rf"|{WORD}as){GAP}"
    rf"|(?P<plural>{WORD}(?:we{SPACE}are|we're|we)){GAP}"
)
MAKER_SLOTS = re.compile(
    rf"{WORD}(?:{ENGLISH_MAKER}){EDGE}{run(ENGLISH)}{GAP}|{WORD}{FRENCH_MAKER}{EDGE}{run(FRENCH)}{GAP}"
    rf"|(?:名为|名為|名叫|由|来自|來自|基于){close(CHINESE)}{GAP}"
    rf"|(?:من{SPACE}(?:قبل|تطوير|انتاج|صنع)|بواسطة|على{SPACE}يد|يسمى|"
    rf"اسمه)(?:{SPACE}(?:{fold_word(ARABIC)})(?![ء-ي])){{0,4}}{GAP}"
)
ARTICLE = re.compile(rf"(?:^|[\s{SOFT}'])(?:an?|the|une?|la|les?|l')[\s{SOFT}\"'(]*\Z")
PLACE = re.compile(rf"(?:{WORD}(?:at|on|in|with|to))[\s{SOFT}\"'(]*\Z")
MAKER_WORD = re.compile(
    rf"{WORD}(?:team|engineers|researchers|scientists|people|folks|work(?={SPACE}(?:at|for))|trained|"
    rf"developed|created|made|built|designed|"
    rf"models?|assistant|running|run|based|creators?|developers?|makers?){EDGE}"
)
AUTHOR = re.compile(
    rf"{WORD}(?:i{SPACE}(?:am|was|have|had|come)|i'm|im|i've|as{SPACE}an?|this{SPACE}(?:model|assistant|ai)"
    rf"|je{SPACE}suis|j'ai|m'a|moi|en{SPACE}tant){EDGE}|我|(?<![ء-ي])(?:انا|بصفتي)(?![ء-ي])"
)
AUTHORLESS = re.compile(run(ENGLISH))  # A language model trained by …
SENTENCE_END = re.compile(r"[.!?؟](?=[\s\"')])|[。\n]")
SENTENCE_START = re.compile(
    rf"(?:\A|(?<=\n)|(?<=[.!?,。]))[\s{SOFT}\"'(#>-]*(?:(?:hi|hello|hey|yes|no|sure|well|bonjour|oui|non|"
    rf"こんにちは|안녕하세요)[\s,.!、]*)?\Z"
)

A_MODEL = (
    r"(?:(?:large|small|open|open-source|free|new|powerful|multilingual|lightweight|text|helpful|"
    r"friendly|based)[\s\x01]+){0,4}"
)
MODEL_NOUN = (
    rf"(?:{A_MODEL}(?:language[\s\x01]+models?|llms?|ai[\s\x01]+(?:model|assistant|chatbot|system|"
    rf"language)|chatbot|chat[\s\x01]+model)){EDGE}"
)
LEAD = rf"[\s{SOFT}\"')\]]{{0,3}}"
AFTER_MODEL = re.compile(
    rf"{LEAD}(?:"
    rf"(?:is|was){SPACE}(?:my{SPACE}(?:\w+{SPACE})?name|what{SPACE}(?:i|they)|who{SPACE}i|the{SPACE}name){EDGE}"
    rf"|(?:,{SPACE})?(?:that's|that{SPACE}is|c'est|it's|it{SPACE}is)[\s{SOFT}]+(?:me|moi){EDGE}|"
    rf",?{SPACE}?at{SPACE}your{SPACE}(?:service|disposal)"
    rf"|,?{SPACE}?a{SPACE}votre{SPACE}service|est{SPACE}mon{SPACE}nom|est{SPACE}le{SPACE}nom{SPACE}qu"
    rf"|(?:'s{SPACE}|is{SPACE}|was{SPACE}|est{SPACE}|,[\s{SOFT}]*)?(?:an?{SPACE}|the{SPACE}|"
    rf"une?{SPACE})?(?:family{SPACE}of{SPACE})?{MODEL_NOUN}"
    r"|(?:,|就|也)?(?:是|就是)我(?:的名字)?|为您服务|為您服務|大(?:语言)?模型|语言模型|か私の名前|"
    r"と申します|といいます|と言います|と呼んて|とお呼ひ|という(?:ai|言語モテル|モテル|名前)|"
    r",[\s\x01]*your[\s\x01]+(?:\w+[\s\x01]+)?(?:assistant|helper|guide|ai)"
    rf"|(?:이)?라고{SPACE}(?:합니다|해요|불러|부르|불리|해)|(?:이|가){SPACE}(?:제|내){SPACE}이름|"
    rf"هو{SPACE}اسمي|في{SPACE}خدمت|هنا{SPACE}لمساعدت"
    r")"
)
SPEAKING = re.compile(rf"{LEAD}(?:here|speaking|ici|a{SPACE}l'appareil){EDGE}")
HEADER = re.compile(rf"{SOFT}?[:>]{SOFT}?[\s\"]")
ONLY_PUNCTUATION = re.compile(rf"[\s{SOFT}\"').!。,]*\Z")
A_NOUN = re.compile(
    rf"[\s{SOFT}-]{{0,2}}(?:\d|-?based|models?|modele|modeles|assistant|language|llm|ai|chatbot|variant|"
    rf"instance|family|series|style|architecture|weights|engine){EDGE}"
)
AS_AUTHOR = re.compile(rf"{LEAD},?{LEAD}(?:i|je|j'|my|我)(?:{EDGE}|(?<=[我']))")
MADE = "(?:made|built|created|trained|developed|designed|released|wrote|engineered|programmed)"
AFTER_MAKER = re.compile(
    rf"{LEAD}(?:(?:has{SPACE}|have{SPACE}|also{SPACE}|had{SPACE})?{MADE}(?:{SPACE}and{SPACE}{MADE})?{SPACE}me{EDGE}"
    rf"|(?:is|are){SPACE}(?:my{SPACE}(?:\w+{SPACE})?(?:creators?|developers?|makers?|owner|home|parent|"
    rf"company|provider)|the{SPACE}(?:company|team|lab|one){SPACE}(?:that|who|which|behind))"
    rf"|(?:qui{SPACE})?m'(?:a|ont){EDGE}|est{SPACE}mon{SPACE}(?:createur|developpeur|concepteur|entreprise)"
    r"|(?:公司|团队|集团|的团队)?(?:开发|開發|训练|訓練|研发|研發|创造|創造|创建|推出|打造|设计)了?我|"
    r"是我的(?:开发者|開發者|创造者|母公司|开发商)"
    r"|(?:社|さん)?か(?:私|わたし|僕)を(?:開発|作|訓練|学習|生)"
    rf"|(?:사|팀)?(?:이|가|에서|은|는){SPACE}(?:저를|나를|절|날){SPACE}(?:만들|개발|훈련|학습)"
    rf"|هي{SPACE}(?:التي{SPACE}|من{SPACE})(?:طورتني|دربتني|انشاتني|صنعتني)|(?:طورتني|دربتني|انشاتني|صنعتني))"
)
TOPICAL = re.compile(
    rf"{LEAD}(?:(?:モテル|{SPACE}?모델|社)?(?:てす|てした|たよ|た(?=[。!\n])|てあり|と申し|といい|という|"
    rf"と呼|と言い|と名付|(?:の|による|製)(?:{JAPANESE}|開発|オーフン|最新)*"
    r"(?:モテル|アシスタント|ai|チャット)|によ(?:って|り|る)|に(?:開発|訓練|作|学習|よ)|か(?:開発|作|訓練|"
    r"学習|トレーニンク|提供|お答え|お手伝い|生ん|公開)|製|モテル|[、,])"
    rf"|(?:{SPACE}?(?:언어{SPACE})?모델)?{SPACE}?(?:입니다|이에요|예요|에요|이예요|야(?![가-힣])|이야|"
    rf"(?:이)?라고|(?:이)?라는|(?:에서|이|가|에{SPACE}의해|사가){SPACE}(?:개발|만든|만들|훈련|학습|제공|출시|공개)"
    rf"|의[^.\n]{{0,16}}(?:모델|ai|인공지능|어시스턴트|비서|챗봇)|로서|{SPACE}?모델))"
)
