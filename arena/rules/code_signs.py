"""Signs of prompts about programs, queries and their tools."""

from __future__ import annotations

from arena.rules.category_rule import INDENT, Rule, sign, words

SYNTAX = (
    rf"```|^{INDENT}(def \w+\(|class \w+[:(]|import \w+$|from \w+ import|#include\s*<|public static"
    r"|SELECT\b.+\bFROM\b|function \w+\(|const \w+ =|fn \w+\()|</\w+>|\bint main\b|\bpublic \w+ \w+\("
    r"|\b\w++\(\w*\)\s?[{;:]|\[[^\[\]\n]{1,60} for \w+ in |\bprint\(|\bawk '|\b(let|var|const) (and|vs\.?|or|und|et"
    r"|y) (let|var|const)\b|#!/|\b(pip|npm|apt) install\b"
    r"|\w(Error|Exception)\b|\berror:|expected ';'|\bgit (add|commit|push|pull|merge|rebase|checkout|reset|clone"
    r"|stash)\b"
)
# Names that mean nothing else.
TECHNOLOGIES = words(
    "javascript typescript golang kotlin sql mysql postgres postgresql sqlite mongodb graphql html css php bash "
    "powershell "
    "docker dockerfile docker-compose kubernetes k8s regex regexes regexp regular_expression regular_expressions "
    "numpy "
    "pytorch tensorflow django fastapi node.js nodejs npm vba haskell github gitlab webpack jquery next.js vue.js "
    "asp.net "
    "nginx rabbitmq redis websocket websockets oauth cors jwt pytest junit valgrind matlab verilog vhdl fortran "
    "cobol "
    "prolog flutter spring_boot spring_security power_bi wget curl tailwind bootstrap_css sveltekit nestjs laravel "
    "symfony rails opencv "
    "sklearn scikit-learn hugging_face huggingface cuda opengl websocket yaml_file unity_2d unity_3d unreal_engine "
    "android_studio xcode "
    "prolog terraform ansible selenium leetcode node_modules localhost stdout stdin"
)
NAMES = (
    r"\b(in|using|with|en|em|na|на|w|v|mit|med|à|avec|con|usando) (python|java|rust|ruby|swift|dart|scala|perl|lua"
    r"|flask|pandas|pytorch)\w{0,3}\b"
    r"|\bpython (script|code|app|task|library|package|version|function|program|class)s?\b"
    r"|(?<!\w)(c\+\+\d*|c#|\.net|objective-c|node\.js)(?!\w)"
)
# Words that mean something else outside programs only rarely.
TERMS = words(
    "source_code unit_test unit_tests linked_list linked_lists binary_search hash_map hashmap hash_table "
    "data_structure "
    "data_structures time_complexity space_complexity memory_leak memory_leaks leaks_memory stack_trace compiler "
    "compilers "
    "segfault segmentation_fault mutex mutexes deadlock deadlocks refactor refactoring type_hint type_hints "
    "list_comprehension for_loop while_loop pull_request merge_conflict quicksort mergesort bubble_sort "
    "sorting_algorithm "
    "sorting_algorithms design_pattern design_patterns null_pointer race_condition lock-free garbage_collector "
    "web_scraper command-line one-liner traceback undefined_reference full_table_scan rest_api api_endpoint "
    "codebase "
    "http_status status_code inner_join left_join foreign_key primary_key virtual_environment virtualenv venv "
    "dependency_injection "
    "cron_expression cron_job crontab chrome_extension browser_extension sheets_formula excel_formula "
    "spreadsheet_formula vlookup xlookup "
    "pivot_table dictionaries dataframe dataframes integration_test* jest_test* in_jest cypress webhook webhooks "
    "middleware crud orm object-oriented "
    "polymorphism lambda_function* callback callbacks event_loop multithreading multi-threading multithreaded "
    "thread-safe coroutine* "
    "goroutine* big_o hash_function ssh_key ssl_certificate load_balancer reverse_proxy microservice* ci/cd "
    "makefile "
    "cmake gcc clang gdb "
    "llvm assembly_language bitwise binary_tree binary_search_tree dijkstra dynamic_programming breadth-first "
    "depth-first environment_variable* "
    "shell_script* batch_file bash_script* sed grep emacs vscode visual_studio intellij android_app ios_app "
    "react_native svelte div flexbox "
    "sass ajax axios express.js spring_boot hibernate maven gradle jvm jdk godot shader shaders esp32 raspberry_pi "
    "microcontroller* firmware "
    "jupyter matplotlib seaborn scipy keras xgboost last_commit commit_message stored_procedure* null_value "
    "undefined singleton "
    "pull_requests gitignore monorepo serverless aws_lambda s3_bucket docker_compose kubectl helm_chart tokenizer "
    "api_key api_keys "
    "endpoints payload serializer deserializ* base64 utf-8 unicode_error localhost:* command_line_argument* "
    "web_server websocket_server "
    "shell_command data_type data_types file_handle file_descriptor text_editor detached_head 正则 bucle_for "
    "boucle_for schleifen* rückgabewert mehrere_threads javie pythonie pythonu javascriptu kotlinie "
    "多线程 配列 線程 线程 变量 数组 循环 接口 编程语言 파이썬 자바 코딩 배열 lru_cache ring_buffer rate_limiter "
    "event_listener event_listeners "
    "async backend front-end frontend "
    "datenbankschema datenbankabfrage quellcode quelltext programmier* code_source código_fuente codice_sorgente "
    "broncode "
    "代码 函数 编程 爬虫 报错 编译 算法 数据库 コード プログラミング 関数 코드를 함수를 프로그래밍"
)
_MAKE = (
    "write implement fix debug refactor complete optimize optimise review develop create make build add convert "
    "translate show "
    "schreib* programmier* erstell* implementier* entwickl* entwirf écri* crée* programme implémente* développe* "
    "escrib* crea* programa implementa* desarrolla* escrev* crie implemente scriv* schrijf* maak bouw napisz "
    "stwórz "
    "utwórz "
    "zaimplementuj напиш* созда* реализу* напиши створ* yaz oluştur skriv skapa napiš vytvoř scrie creează viết"
)
_MADE = (
    "function functions code script scripts program programs class classes method methods query queries algorithm "
    "unit_tests api "
    "website web_page webpage app macro parser compiler crawler workflow component endpoint decorator hook "
    "userscript browser_game chatbot telegram_bot discord_bot "
    "funktion* skript* programm programme code sql-abfrage abfrage* klasse webseite fonction* requête* fonctions "
    "función funciones consulta* código página_web função funções funzione funzioni codice functie programma "
    "funkcj* skrypt* kod* zapytani* функци* программ* код* скрипт* запрос* fonksiyon* funktionen programme"
)
CODE = Rule(
    "code",
    (
        (1.0, sign(SYNTAX)),
        (1.0, sign(f"{TECHNOLOGIES}|{NAMES}|{TERMS}")),
        (1.0, sign(rf"(?:{words(_MAKE)})[^\n]{{0,60}}?(?:{words(_MADE)})(?! of conduct)"
                   r"|(写|编写|实现|写出|创建).{0,20}(函数|程序|代码|脚本|算法)|(関数|コード|プログラム"
                   r"|スクリプト)を?(書|作)"
                   r"|(함수|코드|프로그램|스크립트)[을를]? ?(작성|만들|짜)")),
        (0.5, sign(words("python* java rust ruby swift pandas react flask excel linux perl scala go julia r lua "
                         "vim "
                         "angular "
                         "spring c git unix kafka arduino") + r"|\b(python|java|react|git"
                         r"|c)(?=['’\-_ァ-ヶ぀-ヿ一-鿿가-힣])"
                         r"|Python|Java|React|C언어|C语言")),
        (0.5, sign(words(
            "function functions code script scripts program programs algorithm algorithms bug bugs compile "
            "compiles "
            "variable "
            "variables array arrays loop loops endpoint database databases library libraries software recursion "
            "recursive queue "
            "thread threads channel query queries component components branch commit repository decorator "
            "decorators "
            "closure "
            "closures pointer pointers plugin macro render re-render* server servers deploy terminal parser "
            "transaction "
            "transactions schema buffer cache dataframe group_by "
            "funktion* programm* schleife* datenbank* klasse* objekt* methode* branch* fehler* variabl* "
            "fonction* programme* boucle* classe* objet* requête* base_de_données dictionnaire trier "
            "función funciones programa* bucle* clase* consulta* base_de_datos diccionario ordenar error* "
            "função funções laço* consulta* lista funzion* programma* ciclo lijst lus functie* sorteer* "
            "funkcj* program* pętl* baz* kod* tablic* функци* программ* код* цикл* массив* ошибк* компил* "
            "sözlüğü liste* fonksiyon* döngü* kod* 程序 循环 接口 组件 コンポーネント 再描画 프로그램 오류"
        ))),
        (0.5, sign(words("return returns null boolean string strings dictionary json yaml csv column columns "
                         "object "
                         "objects file files folder sort sorts sorted parse rename renames rows "
                         "global_state keystroke input output heap") + r"|\btable \w+\(|\.(py|js|ts|java|cpp|c|rs"
                         r"|go"
                         r"|sh|sql|csv|json)\b")),
    ),
)  # fmt: skip
