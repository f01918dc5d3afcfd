"""Where a text speaks of its own author: “I am …”, “我是由…开发的”, “développé par …”, in six languages and in records.

A name that is also an ordinary word (Gemma, Claude, Google) identifies the model only there. The phrases are matched on
folded text (`arena.rules.folded_text`); a *slot* is the place after a phrase, where the name begins.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass
from enum import Enum

from arena.rules.author_signs import REACH
from arena.rules.folded_text import SOFT, fold_word

SENTENCE = 160  # characters from “I am” to the slot
SPACE = rf"(?:[\s{SOFT}]{{1,3}})"
GAP = rf"[\s{SOFT}\"'(:,、-]{{0,8}}"
WORD = "(?<![a-z0-9])(?<![a-z0-9]')"
EDGE = "(?![a-z0-9])"


class Slot(Enum):
    """What a phrase says about the name after it."""

    FULL = "a model or its maker"
    MODEL = "a model"
    ARTICLE = "a model, if a word such as model follows: I am a llama"
    AS = "a model, if the author follows: as Claude, I"
    TOPIC = "a model or its maker, if a verb or particle follows that says so: 私はGoogleで"


def _phrases(text: str) -> str:
    """Alternatives, one a line, in folded letters; a space stands for any space or markup."""
    lines = [fold_phrase(line) for line in text.strip().splitlines()]
    return "|".join(lines)


def fold_phrase(line: str) -> str:
    """A phrase as an expression for folded text; it may use `|`, `?` and groups."""
    return re.sub(" +", lambda _: SPACE, fold_word(line.strip()))


ENGLISH = (
    "a|an|the|just|only|actually|really|simply|now|indeed|also|large|small|big|open|free|source|weights?|"
    "language|ai|artificial|"
    "intelligence|based|model|models|assistant|chatbot|chat|bot|llm|virtual|helpful|friendly|multimodal|multilingual|"
    "conversational|generative|digital|new|version|variant|member|instance|part|product|one|kind|type|family|series|"
    "fine-?tuned|tuned|text|computer|program|system|trained|developed|created|made|built|designed|powered|released|"
    "called|named|known|as|by|at|from|of|on|in|with|and|is|are|was|work|working|running|run|team|teams|researchers|"
    "parameters?|billion|million|[0-9.]+[bm]?|done|"
    "engineers|people|folks|scientists|company|firm|startup|lab|group|good|your|my|own|to|talking|speaking|chatting"
)
FRENCH = (
    "un|une|le|la|les|l'|d'|de|du|des|grand|grande|petit|gros|modele|modeles|langue|langage|linguistique|ia|"
    "intelligence|artificielle|"
    "assistant|assistante|virtuel|virtuelle|conversationnel|agent|ouvert|libre|open|source|nomme|nommee|"
    "appele|appelee|"
    "version|famille|base|basee|sur|issu|issue|developpee?|entraineee?|entrainee?|creee?|concue?|faite?|par|"
    "chez|a|et|est|sont|"
    "equipes?|chercheurs|ingenieurs|societe|entreprise|laboratoire|travaillent|avec|votre|ton|juste|simplement|bien"
)
CHINESE = (
    "一个|一個|一款|一种|是|就是|由|名为|名為|名叫|叫做|叫|被称为|来自|來自|基于|基於|的|大型|大|小|语言|"
    "語言|模型|开源|開源|"
    "人工智能|人工智慧|智能|智慧|助手|助理|ai|聊天|机器人|機器人|公司|团队|團隊|新|版|你|您|,|个|为"
)
JAPANESE = (
    "ai|大規模|言語|モテル|人工知能|アシスタント|チャットホット|オーフンソース|名前|は|の|、|,|実は|"
    "ただ|という|フランス|日本|米国"
)
KOREAN = (
    "ai|인공지능|어시스턴트|언어|모델|대규모|대형|거대|챗봇|오픈소스|비서|도우미|바로|사실|그냥|의|이름은|는|,"
)
ARABIC = (
    "نموذج|لغوي|لغه|لغة|كبير|ذكاء|ذكي|اصطناعي|الذكاء|الاصطناعي|مساعد|افتراضي|يسمى|اسمه|يدعى|من|تطوير|انتاج|"
    "صنع|تم|تطويره|تدريبه|"
    "انشاوه|قبل|بواسطة|شركة|فريق|باحثي|مهندسي|مفتوح|المصدر|هو|مجرد|روبوت|محادثة|طورته|دربته|صنعته|انشاته|"
    "على|يد|في|مبني|يعتمد|و|هي"
)

ENGLISH_FULL = """
i am
i'm
im
i was
i've been
i have been
i come
i go
i belong
i identify
i run
i work
my (?:full |own |model )?name(?: is|'s)?
my training
(?:made|built|created|trained|developed|designed) me(?: is| was)
the name(?: is|'s)
my (?:creators?|developers?|makers?|parents?|trainers?|company|team|provider|base model|model|family|owners?)
i represent
i go by
"""
ENGLISH_MODEL = """
(?:you can |please |just |people |users |they )?(?:call|calls|called|named) me
you(?:'re| are)(?: now| currently)? (?:talking|chatting|speaking)
yours(?: truly| sincerely| faithfully)?,?
sincerely,?
your (?:ai |friendly |humble |faithful )?(?:friend|assistant|helper|servant),
i,
it is i,?
(?:kind |best |warm )?regards,?
signed,?
this is
in the name of
ich bin
ich heisse
mein name ist
soy
me llamo
mi nombre es
mi chiamo
eu sou
меня зовут
"""
FRENCH_FULL = """
je suis
j'ai ete
je m'appelle
je me nomme
mon nom est
mon nom,? c'est
je viens
mes? (?:createurs?|creatrices?|developpeurs?|concepteurs?|equipes?)
mon (?:createur|developpeur|concepteur|equipe)
"""
FRENCH_MODEL = """
(?:appelez|appelle|nommez)-moi
on m'appelle
m'appeler
moi,? c'est
vous (?:parlez|discutez)
tu (?:parles|discutes)
en tant que
ici
"""
CHINESE_FULL = """
我(?:就|只|也|其实|其實|确实|確實|当然|當然|真的|仅仅)?(?:是|叫|名叫|来自|來自|属于|屬於|由|基于|基於|被)
我的(?:名字|名称|名稱|全名|开发者|開發者|创造者|創造者|开发商|母公司|制造商)(?:是|叫|为|為)?
我背后的(?:公司|团队|机构)是
(?:开发|训练|创造|制造|研发|打造|開發|訓練|創造)我的(?:公司|团队|團隊|人|机构|组织)?是
本(?:模型|助手|人)(?:是|叫|由|来自)
作为由
"""
CHINESE_MODEL = """
(?:叫|称呼|称|稱呼)我(?:为|為|作)?
这里是
這裡是
作为
作為
你正在(?:和|与|跟)
(?:アシスタント|ai|モテル|ホット)の
"""
MAKERS = (
    rf"(?:{SPACE}(?:and|or){SPACE}[a-z-]+)?"
    rf"(?:(?:{SPACE}[a-z0-9-]+){{0,5}}?{SPACE}by|(?:{SPACE}[a-z0-9-]+){{0,2}}?{SPACE}(?:at|from|on|in|with))"
)
ENGLISH_MAKER = (
    "(?:made|built|created|trained|developed|designed|produced|powered|released|provided|fine-?tuned|engineered|"
    f"programmed|published|launched|introduced|operated|owned|maintained|pretrained|written){MAKERS}"
    f"|(?:called|named|known as|based on|built on|top of|versions? of|variants? of|member of|product of|derived from|"
    f"distilled from|creation of|property of|(?:models?|assistant|ai|chatbot|llm|system) (?:from|by|of))".replace(
        " ", SPACE
    )
)
FRENCH_MAKER = (
    "(?:developpe|entraine|cree|concu|fait|fabrique|construit|propose|propulse|publie)e?s?"
    f"(?:{SPACE}et{SPACE}[a-z]+)?{SPACE}(?:par|chez)"
)
JAPANESE_TOPIC = (
    "(?:(?:私|僕|わたし)(?:を(?:開発|訓練|作成|学習|トレーニンク)した(?:の|会社|企業)|"
    "の(?:開発元|提供元|開発会社))は|(?:私|わたし|わたくし|僕|ほく|俺|自分|当方)(?:の(?:名前|開発者|作成者|"
    "製作者|生みの親))?(?:は|、|か|も|,))"
)
KOREAN_TOPIC = (
    "(?:(?:저를|나를) (?:만든|개발한|훈련한|학습시킨) (?:회사는|곳은|팀은|것은|기업은)|저는|나는|"
    "난|전|제가|내가|저희는|(?:제|내|저의|나의) ?(?:이름은|이름이|개발사는|개발자는|제작사는))"
)
ARABIC_FULL = """
(?:و)?انا
(?:و)?اسمي
ادعى
يدعونني
يسمونني
(?:لقد )?(?:طورتني|دربتني|انشاتني|انشاني|صنعتني|ابتكرتني|صممتني|بنتني|طورني|دربني|صنعني)
تم (?:تدريبي|تطويري|انشايي|تصميمي|بنايي|صنعي|ابتكاري)
مطوري
شركتي
"""
ARABIC_MODEL = """
(?:ان )?تناديني
نادني
مناداتي
انت تتحدث (?:مع|الى)
معك
بصفتي
"""
RECORD = (
    r"(?:\"|')(?:model|model_name|model_id|llm|ai_model|assistant_name|created_by|developed_by|"
    r"trained_by)(?:\"|')\s*:\s*(?:\"|')"
    rf"|(?:(?<=\n)|\A)[-+#>|\s{SOFT}]{{0,6}}(?:ai{SPACE}model|language{SPACE}model|model(?:[\s_-]name)?|"
    rf"モテル名?|(?:语言|語言)?模型(?:名称|名稱|名)?|"
    rf"모델명?|모델{SPACE}이름|nom{SPACE}du{SPACE}modele|modele|النموذج|اسم{SPACE}النموذج){SOFT}?\s?[:|]"
)


def _run(words: str) -> str:
    return rf"(?:(?:{SPACE}|(?<=')|(?<=,))(?:{words})(?:{EDGE}|(?<='))){{0,16}}"


def _close(words: str) -> str:
    """A run of words in a script without spaces."""
    return rf"(?:[\s{SOFT}]?(?:{words})){{0,12}}"


SLOTS = re.compile(
    rf"(?P<full>{WORD}(?:{_phrases(ENGLISH_FULL)}){EDGE}{_run(ENGLISH)}"
    rf"|{WORD}(?:{_phrases(FRENCH_FULL)}){EDGE}{_run(FRENCH)}"
    rf"|{WORD}as{SPACE}an?{EDGE}{_run(ENGLISH)}"
    rf"|(?:{_phrases(CHINESE_FULL)}){_close(CHINESE)}"
    rf"|(?:{_phrases(ARABIC_FULL)})(?![ء-ي])(?:{SPACE}(?:{fold_word(ARABIC)})(?![ء-ي])){{0,12}}"
    rf"|{RECORD}){GAP}"
    rf"|(?P<topic>{JAPANESE_TOPIC}{_close(JAPANESE)}|{_phrases(KOREAN_TOPIC)}{_close(KOREAN)}){GAP}"
    rf"|(?P<model>{WORD}(?:{_phrases(ENGLISH_MODEL)}){EDGE}{_run(ENGLISH)}"
    rf"|{WORD}(?:{_phrases(FRENCH_MODEL)}){EDGE}{_run(FRENCH)}"
    rf"|(?:{_phrases(CHINESE_MODEL)}){_close(CHINESE)}"
    rf"|(?:{_phrases(ARABIC_MODEL)})(?![ء-ي])(?:{SPACE}(?:{fold_word(ARABIC)})(?![ء-ي])){{0,12}}(?:{SPACE}[بـ])?"
    rf"|{WORD}as){GAP}"
    rf"|(?P<plural>{WORD}(?:we{SPACE}are|we're|we)){GAP}"
)
MAKER_SLOTS = re.compile(
    rf"{WORD}(?:{ENGLISH_MAKER}){EDGE}{_run(ENGLISH)}{GAP}|{WORD}{FRENCH_MAKER}{EDGE}{_run(FRENCH)}{GAP}"
    rf"|(?:名为|名為|名叫|由|来自|來自|基于){_close(CHINESE)}{GAP}"
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
AUTHORLESS = re.compile(_run(ENGLISH))  # A language model trained by …
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


@dataclass
class SelfIdentification:
    """The slots and sentences of one folded text; the first `lead` characters stand before the block."""

    text: str
    lead: int = 0

    def __post_init__(self) -> None:
        self._slots = [(match.start(), match.end(), self._kind(match)) for match in SLOTS.finditer(self.text)]
        self._makers = [(match.start(), match.end()) for match in MAKER_SLOTS.finditer(self.text)]
        self._authors = [match.start() for match in AUTHOR.finditer(self.text)]
        self._ends = [match.start() for match in SENTENCE_END.finditer(self.text)]

    def before(self, start: int, organisation: bool, named: int) -> bool:
        """Whether the text before `start` says that a name there is the author's.

        `named` is where the last name of a model ends that is masked.
        """
        slot = self._slot(start)
        if slot in (Slot.FULL, Slot.MODEL):
            return not organisation or (slot is Slot.FULL and not self._is_a_place(start))
        index = bisect_left(self._makers, (start,)) - 1
        if index < 0 or start > self._makers[index][1] or ARTICLE.search(self.text, max(0, start - 8), start):
            return False
        return self._is_about_author(self._makers[index][0], named)

    def after(self, start: int, end: int, organisation: bool) -> bool:
        """Whether the text after a name, with the slot before it, says that it is the author's."""
        reach, slot = end + REACH, self._slot(start)
        if slot is Slot.TOPIC and TOPICAL.match(self.text, end, reach):
            return True
        if AFTER_MAKER.match(self.text, end, reach):
            return True
        if organisation:
            return False
        if slot is Slot.ARTICLE and (self.text[end - 1] == "s" or A_NOUN.match(self.text, end, reach)):
            return True
        if slot is Slot.AS and AS_AUTHOR.match(self.text, end, reach):
            return True
        return bool(AFTER_MODEL.match(self.text, end, reach)) or self._is_here(start, end)

    def is_same_sentence(self, start: int, end: int) -> bool:
        """Whether no sentence ends between the two places."""
        index = bisect_left(self._ends, start)
        return index == len(self._ends) or self._ends[index] >= end

    def begins_with_author(self, start: int) -> bool:
        """Whether “I am” stands before `start` in its sentence."""
        return self._is_about_author(start, -1)

    def is_alone(self, start: int, end: int) -> bool:
        """Whether the name is the whole text."""
        return bool(ONLY_PUNCTUATION.match(self.text, end)) and not self.text[self.lead : start].strip(
            f"{SOFT}\"'( \n"
        )

    def is_header(self, start: int, end: int) -> bool:
        """X: Hello, at the start of the text."""
        return bool(HEADER.match(self.text, end, end + REACH)) and not self.text[self.lead : start].strip(
            f"{SOFT}\"'(# \n"
        )

    def _is_here(self, start: int, end: int) -> bool:
        """X here, at the start of a sentence."""
        follows = SPEAKING.match(self.text, end, end + REACH)
        return bool(follows and SENTENCE_START.search(self.text, max(0, start - 40), start))

    def _slot(self, start: int) -> Slot | None:
        """The slot that a name at `start` is in; a name may be made of words that a phrase may have, too."""
        index = bisect_left(self._slots, (start,)) - 1
        if index < 0 or start > self._slots[index][1]:
            return None
        kind = self._slots[index][2]
        is_article = kind is not Slot.TOPIC and ARTICLE.search(self.text, max(0, start - 8), start)
        return Slot.ARTICLE if is_article else kind

    def _is_a_place(self, start: int) -> bool:
        """Whether the phrase says where the author is, not whose: I am at Google."""
        phrase = self.text[self._slots[bisect_left(self._slots, (start,)) - 1][0] : start]
        return bool(PLACE.search(phrase)) and not MAKER_WORD.search(phrase)

    def _kind(self, match: re.Match[str]) -> Slot:
        if match["topic"]:
            return Slot.TOPIC
        if match["plural"]:
            return Slot.ARTICLE
        if match[0].strip(f"{SOFT} \"'(") == "as":
            return Slot.AS
        return Slot.FULL if match["full"] else Slot.MODEL

    def _is_about_author(self, phrase: int, named: int) -> bool:
        """Whether “I am” or a masked name stands before the phrase in its sentence, or the phrase begins the text."""
        index = bisect_left(self._ends, phrase) - 1
        sentence = max(self._ends[index] if index >= 0 else -1, phrase - SENTENCE)
        author = bisect_left(self._authors, phrase) - 1
        if named > sentence or (author >= 0 and self._authors[author] > sentence):
            return True
        begins_block = sentence < self.lead and not self.text[sentence + 1 : self.lead].strip()
        before = self.text[self.lead : phrase].strip(f"{SOFT} \"'\n") if begins_block else "."
        return not before or bool(AUTHORLESS.fullmatch(f" {before}"))
