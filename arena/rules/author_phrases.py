"""Phrases in which a text speaks of its own author, as expressions for folded text, in six languages and in records.

`X_FULL` may be followed by a model or its maker, `X_MODEL` only by a model, `X_MAKER` by the maker; `ENGLISH` and its like
are the words that may stand between a phrase and the name: I am *a large language model made by* …
"""

from __future__ import annotations

import re

from arena.rules.folded_text import SOFT, fold_word

SPACE = rf"(?:[\s{SOFT}]{{1,3}})"
GAP = rf"[\s{SOFT}\"'(:,、-]{{0,8}}"
WORD = "(?<![a-z0-9])(?<![a-z0-9]')"
EDGE = "(?![a-z0-9])"


def phrases(text: str) -> str:
    """Alternatives, one a line, in folded letters; a space stands for any space or markup."""
    return "|".join(re.sub(" +", lambda _: SPACE, fold_word(line.strip())) for line in text.strip().splitlines())


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
