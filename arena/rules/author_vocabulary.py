"""What models say of themselves and of their makers, one alternative a line, as parts of patterns in folded letters.

A space stands for any space or markup; see `arena.rules.author_signs`. Lists for scripts without spaces match inside words.
"""

from __future__ import annotations

MADE = (
    "(?:made|powered|built|created|trained|developed|designed|programmed|fine-?tuned|engineered|released|produced)"
)

# Signs that a model speaks of itself.
SPOKEN = f"""
(?:large |small )?language models?
llms?
ai (?:language )?(?:model|assistant|chatbot|system|agent|helper|bot|companion)s?
chatbots?
virtual assistant
(?:i'm|i am|as) an? (?:large |small |helpful |virtual |friendly )?(?:ai|assistant|model|bot)
an ai
my (?:creators?|developers?|makers?|training|trainers?|knowledge|identity|parent|parent company|guidelines)
my (?:architecture|weights|parameters|provider|vendor|origins?|roots|creation|development|existence)
{MADE} me
i was {MADE}
i am {MADE}
i'm {MADE}
(?:who|what) am i
who i am
(?:who|what) are you
(?:which|what) (?:ai |language )?model
your name
who {MADE} you
about me
that's me
(?:it's|it is|c'est) (?:me|moi)
behind me
where i was
modeles? de lang(?:ue|age)
(?:assistante?|agent) (?:virtuele?|virtuelle|conversationnele?|ia)
en tant qu'(?:ia|assistante?)
(?:mes|mon) (?:createurs?|developpeurs?|concepteurs?)
m'(?:a|ont) (?:cree|entraine|developpe|concu)
(?:modelos?|asistentes?|assistentes?) (?:de (?:lenguaje|linguagem|ia)|virtual|virtuale)
(?:mi|mis|meu|meus) (?:creador|desarrollador|criador|desenvolvedor)(?:es)?
(?:mio|miei) (?:creatore|creatori|sviluppatore|sviluppatori)
me (?:creo|desarrollo|entreno|diseno|criou|desenvolveu|treinou)
(?:fui|sido|stato|stata) (?:cread|entrenad|desarrollad|disenad|criad|treinad|desenvolvid|creat|addestrat|sviluppat)(?:o|a)
modelo (?:creado|entrenado|desarrollado|treinado|criado|desenvolvido)
modello (?:linguistico|di linguaggio|creato|addestrato|sviluppato)
mi ha(?:nno)? (?:creato|addestrato|sviluppato)
(?:grosses |ki-)?sprachmodells?
ki-(?:assistent|assistentin|modell)
meine? (?:entwickler|hersteller|schopfer)
(?:hat|haben) mich
taalmodel
model jezykowy
model bahasa
mo hinh ngon ngu
dil modeli
tarafindan
huan luyen
saya (?:dilatih|dibuat|dikembangkan)
языков\\w+ модел\\w+
искусственн\\w+ интеллект(?:\\w+)?
меня (?:созда|разработа|обучи)\\w+
я был(?:\\w+)? (?:создан|разработан|обучен)(?:\\w+)?
भाषा मॉडल
मुझे
"""
SPOKEN_WITHOUT_SPACES = """
(?:语言|語言|大)模型
人工(?:智能|智慧|知能)
(?:ai|智能|智慧)助(?:手|理)
我的(?:开发|開發|训练|訓練|创造|創造)
(?:开发|開發|训练|訓練|创造|創造)了?我
言語モデル
ai(?:アシスタント|モデル|です)
チャットボット
(?:私|僕)を(?:開発|訓練|作)
언어 ?모델
인공지능
ai ?(?:어시스턴트|비서|모델|챗봇)
챗봇
(?:제|내|저의) ?이름(?:은|이)
(?:저를|나를) ?(?:만|개발|훈련)
نموذج لغوي
مساعد (?:ذكي|افتراضي)
(?:ذكاء|الذكاء) (?:اصطناعي|الاصطناعي)
(?:تطويري|تدريبي|انشائي|طورتني|دربتني|انشاتني|صنعتني)
"""

# Phrases after which a name follows, with words that may stand between.
ANNOUNCED = """
it's
it is
being
(?:i am|i'm) not
it's me
it is me
(?:the )?(?:one and )?only
(?:knows?|known|refers?|refer to|referred to) me (?:as|by)
(?:refers?|referred) to me as
(?:may|might) know me as
known (?:\\w+ )?(?:to the world )?as
called
named
under the name
interacting with
(?:talking|speaking|chatting|conversing|working|dealing) (?:to|with)
(?:have )?reached
(?:respond|answer|react) to(?: the name)?(?: of)?
name of
(?:generated|written|authored|answered|produced|composed|brought to you|signed) (?:by|from)
(?:reply|response|answer|message|text) (?:by|from)
(?:proudly|lovingly) (?:made|built|created|developed|trained|powered|provided) by
(?:we|us|here|over|folks|team|people|engineers|researchers|scientists) at
(?:hail|originate|stem|descend|derive) from
(?:roots|origins?) (?:are|is|lie) (?:at|in|with|from)
existence to
me is
me was
(?:love|best|best wishes|cheers|thanks|thank you|thanks for asking|warmly|take care|kind regards|your friend),?
(?:yo |eu |io )?(?:soy|sou|sono|fui)
ich bin
ich heisse
mein name ist
ich wurde
(?:eu )?me (?:llamo|chamo)
(?:mi|meu|il mio) (?:nombre|nome) (?:es|e)
mi chiamo
(?:he|ho) sido
me (?:creo|desarrollo|entreno|criou|desenvolveu|treinou)
ik ben
mijn naam is
jestem
nazywam sie
saya(?: adalah)?
nama saya(?: adalah)?
toi la
ten toi la
toi duoc
ben
benim adim
adim
(?:entwickler|hersteller|creador|desarrollador|criador|desenvolvedor|creatore|sviluppatore) (?:es|e|ist|sind|son|sao)
(?:desarrollad|cread|entrenad|desenvolvid|treinad|criad|sviluppat|addestrat|creat)(?:o|a) (?:por|pelo|pela|da|dal|dalla)
stworzon(?:y|a) przez
(?:gemaakt|ontwikkeld|getraind) door
(?:dibuat|dilatih|dikembangkan) oleh
я
это
меня зовут
мо(?:е|ё) имя
меня (?:созда|разработа|обучи)\\w+
(?:создан|разработан|обучен)(?:\\w+)?
मेरा नाम
मैं
(?:moi|c'est moi)
"""
FILLERS = (
    "a|an|the|un|una|uno|um|uma|el|la|lo|le|il|o|as|ein|eine|der|die|das|een|von|por|pelo|pela|da|di|de|del|dal|"
    "dalla|modelo|modell|modello|model|lenguaje|linguagem|linguistico|grande|llamado|chamado|chiamato|creado|"
    "creada|entrenado|desarrollado|stato|stata|creato|sviluppato|addestrato|wurde|entwickelt|trainiert|equipo|equipe|"
    "team|ia|ai|asistente|assistente|assistent|en|empresa|compania|azienda|firma|door|przez|oleh|your|own|company|"
    "языковая|большая|модель|от|компания|компании|компанией|созданная|разработанная|обученная|являюсь"
)
ANNOUNCED_WITHOUT_SPACES = """
(?:名字|名称|名稱)(?:叫做|叫作|叫|是|为|為)
(?:都|也)?(?:叫|称呼|称|稱)我(?:为|做|作)?
"""

# Keys of records whose value is the name of a model or of its maker.
KEYS = """
(?:ai |language |base )?model(?: name| id| family)?
llm
(?:full |model |assistant |my )?name
identity
(?:my )?(?:developer|creator|maker|manufacturer|vendor|provider|publisher|owner|trainer)s?
(?:parent )?(?:company|organi(?:s|z)ation)
(?:made|created|developed|built|trained|produced|powered|provided) by
who (?:am i|made me|created me|built me|trained me|developed me)
architecture
(?:nom|modele)(?: du modele)?
(?:developpeur|developpeuse|createur|entreprise|societe|editeur|fournisseur|fabricant|concepteur|identite)
(?:developpe|cree|concu|entraine) par
(?:nombre|nome|modelo|modello|modell|naam|nama)
(?:desarrollador|creador|empresa|compania|proveedor|desenvolvedor|criador|sviluppatore|creatore|azienda)a?
(?:entwickler|hersteller|unternehmen|anbieter|firma|ontwikkelaar)
(?:имя|название|модель|разработчик|создатель|компания)
"""
KEYS_WITHOUT_SPACES = """
(?:模型|产品|公司)?(?:名称|名稱|名字|姓名)
(?:语言|語言)?模型名?
(?:开发|開發|创建|創建|创造|創造|制造|提供|训练|所属)(?:者|商|公司|团队|方|机构)
(?:公司|厂商|机构|身份)
(?:名前|モデル名?|社名|会社|企業)
(?:開発|提供|製作|作成)(?:元|者|会社|企業)
(?:모델 ?)?이름
모델명?
(?:개발|제작|제공)(?:사|자|회사|업체)
(?:회사|기업)
(?:الاسم|النموذج|المطور|الشركة|المنشئ|الصانع|المزود|اسم النموذج|الشركة المطورة|جهة التطوير)
"""
