"""Signs of difficulty: one for each criterion by which the public arena's tagger calls a prompt hard (blog of "
"2024-05-17)."""

from __future__ import annotations

from arena.rules.category_rule import INDENT, sign, words

HARDNESS = {
    "specificity": sign(r"\b(exactly|specific(ally)?|must|should|given|following|such that|where|at least|at most"
                        r"|no more than|constraints?|requirements?|without|format|output|cannot|only|every)\b|\d"
                        r"|要求"
                        r"|至少|"
                        + words("genau mindestens höchstens ohne muss soll* stark précise* précis* au_moins sans "
                                "doit sin al_menos debe limitado")),
    "domain knowledge": sign(words(
        "algorithm* theorem protein* enzyme* molecul* quantum statut* liabilit* legal law contract* diagnos* "
        "clinical regression bayesian "
        "neural kernel* thread* compiler database* protocol* thermodynam* voltage circuit* macroeconom* "
        "derivative* "
        "encrypt* matrix matrices "
        "api tcp gpu genom* philosoph* tax taxation function functions array index* econom* inflation monetary "
        "central_banks exchange_rate* "
        "patient* disease* infection* mechanism* battery deadlock* transaction* latency concurrent* memory cache "
        "scal* architecture microservice* "
        "variance correlation distribution* portfolio stock* bond* confound* causal randomi* hypothes* statistic* "
        "sample_size retention "
        "churn probability proof continuous real_numbers polynomial* physiolog* anatom* hormone* dose* drug* "
        "surgery "
        "clause* court* plaintiff "
        "legislation regulat* compliance patent* copyright historical geopolit* ethic* epistemolog* semantic* "
        "linguist* grammar* chemical "
        "reaction* catalyst* alloy* stress load* turbine* reactor* semiconductor* sensor* climate emission* "
        "ecosystem* species evolution* gene* "
        "cell* galax* relativity orbit* accounting audit* payroll logistics supply_chain inventory procurement "
        "parser operator* python java sql kafka "
        "react kubernetes docker linux compiler* datenbank* software technisch* statisti* vertrag* recht* steuer* "
        "wirtschaft* medizin* chemisch* physik* "
        "données statistique* juridique* économi* système* contrat* datos estadístic* jurídic* económic* sistema* "
        "contrato* tecnologí* "
        "分布式 数据 网络 算法 概率 随机 经济 法律 合同 医学 物理 化学 统计 系统 技术")),
    "complexity": sign(r"\b(and (also|then)|as well as|both|multiple|several|compare|trade-?offs?|pros and cons"
                       r"|step by step|first.{1,200}then|versus|vs\.?|each|relationship|discuss|explain (why|how"
                       r"|your|what|the)|justify|evaluate|and (prove|explain|show|say|give|suggest|propose"
                       r"|determine))\b|(\?.*){2}"
                       rf"|\n{INDENT}(\d+[.)]|[-*•])\s|比较|分析|并|"
                       + words("vergleich* begründe* mehrere* compare* justifi* explique* compara* comparar "
                               "y_explica et_explique und_begründe*")),
    "problem solving": sign(r"\b(solve|prove|find|fix|debug|optimi[sz]e|design|implement|derive|determine"
                            r"|analy[sz]e"
                            r"|calculate|compute|why|how (can|would|do|should|does|to)|figure out|plan|troubleshoot"
                            r"|strategy|develop|what went wrong|how many|how much|work out|propose|decide"
                            r"|investigat\w+|compare|construct|prepare)\b|设计|求|证明|方案|"
                            + words("entwirf entwickle entwickl* löse beweise* leite plane analysier* analyse* "
                                    "conçois conçoi* propose* élabore* diseña* analiza* propón elabora* prouve* "
                                    "demuestra*")),
    "creativity": sign(r"\b(design|create|invent|write|compose|propose|come up with|imagine|novel|original|story"
                       r"|brainstorm|suggest|build|craft|develop|draft|construct|plan|strategy)\b|设计|提出|"
                       + words("entwirf entwickle erstelle conçois propose* imagine diseña* propón")),
    "technical accuracy": sign(r"```|\b(code|function|equation|formula|proof|prove|implement|query|regex|config\w*"
                               r"|command"
                               r"|error|complexity|units?|precise|accurate|correct|calculate|citation|cite|version"
                               r"|python|quote|derive|test(s|ed)?"
                               r"|sql|java\w*|c\+\+|rust|go|program|json|evidence|assumptions?|mechanism|criteria"
                               r"|measure|data|valid|rule out|justify|argument|objection|plausible|benchmarks?"
                               r"|methodology|source|criterion|metrics?)\b|\\\w+\{|代码|证明|验证|计算|"
                               + words("code beweise* formel* begründe* schätze* belege* justifie* données "
                                       "précise* "
                                       "justifica* datos medir mide")),
    "real world": sign(r"\b(my|our|we|customers?|users?|compan(y|ies)|team|project|production|business|client"
                       r"|patients?|students?|budget|employees?|server|servers|website|app|report|email|deploy\w*"
                       r"|market"
                       r"|data ?set|real[- ]world|work|day|investor|factory|service|platform|organi[sz]ation"
                       r"|hospital|school|city|government|agency|department|clinic|farm\w*|shop|store|bank"
                       r"|startup)\b|公司|我们|服务|企业|医院|学校|"
                       + words("wir unser* kunde* firma unternehmen* betrieb* notre nos entreprise client* "
                               "nuestra* "
                               "nuestro* empresa* cliente* ciudad")),
}  # fmt: skip
HARD_LENGTH = 25  # tokens below which no prompt is hard: "write a sql query" states no problem
