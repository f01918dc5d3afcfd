"""Signs of prompts that need calculation or a proof."""

from __future__ import annotations

from arena.rules.category_rule import INDENT, Rule, sign, words

# An operation such as "3 + 4" or "2x - 1". The second pattern looks ahead for a line break in it.
_SUM = r"\d\s*+[-+*/×÷^]\s*+\d"
_SUM_CROSSES = rf"(?=\d{INDENT}[-+*/×÷^]?{INDENT}\n)"
_TERMS = r"\b\d*+[xyn]\s*+\^?\d?\s*+[-+]\s*+\w"
_TERMS_CROSS = rf"\b(?=\d*+[xyn]{INDENT}\^?\d?{INDENT}[-+]?{INDENT}\n)"


def _before_equals(operation: str, crosses: str) -> str:
    """An operation with an equals sign further on in the line where it ends.

    A line is searched once for the sign, after its first operation (atomic group), and once after each operation that
    crosses line breaks, of which few end in one line.
    """
    return rf"^(?>.*?(?!{crosses}){operation}).*=|{crosses}{operation}.*="


_LATEX = (
    r"\\(frac|sum|int|sqrt|begin|mathbb|mathbf|cdot|leq?|geq?|log|sin|cos|tan|angle|triangle|pi)\b"
    r"|\$[^$\n=^_+<>\\]*+[=^_+<>\\][^$\n]*+\$"
)
TERMS = words(
    "derivatives_of derivative_of integral_of integral_from integrals eigenvalue eigenvalues determinant "
    "polynomial* "
    "theorem "
    "lemma trigonometr* logarithm* modulo standard_deviation variance square_root cube_root least_common_multiple "
    "greatest_common_divisor divisible_by prime_number prime_numbers prime_factor* quadratic_equation solve_for "
    "solve_the_equation "
    "markov_chain stationary_distribution least_squares_estimator closed_form harmonic_series geometric_series "
    "irrational "
    "real_numbers positive_integer* all_integers counterexample to_infinity f(x) compounded_yearly "
    "minimum-variance "
    "isomorphic isomorphism* homomorphism* epimorphism* bijective injective surjective gradient_of hessian "
    "manifold "
    "topolog* eigenv* eigenspace* theta "
    "median_of the_median mean_of differentiable differentiate antiderivative diagonals hypotenuse pythagor* "
    "squared "
    "cubed factorial "
    "permutations binomial_coefficient decimal_place decimal_places two_decimals factorise factorize "
    "prime_factorization by_induction "
    "use_induction natural_numbers all_natural metric_space fixed_point cauchy vector_space linear_map "
    "linear_algebra modular_arithmetic "
    "congruent gcd lcm as_a_percentage as_a_fraction roll_two roll_three roll_a_die dice_show deck_of_cards "
    "coin_is_tossed doubles_my_money "
    "compound simple_interest arithmetic_sequence geometric_sequence arithmetic_progression geometric_progression "
    "inverse_of_the_matrix "
    "cross_product dot_product scalar_product surface_area right_triangle equilateral isosceles parallelogram "
    "trapezoid tangent_line "
    "slope_of x-intercept y-intercept vertex_of rational_number* irrational_number* complex_number* "
    "imaginary_number* square_numbers "
    "katheten hypotenuse flächeninhalt umfang_eines durchschnitt_von mittelwert_von bruch_kürz* l'expression "
    "suite*_de contre-exemple "
    "l'aire moyenne_de médiane hipotenusa promedio_de mediana media_di media_de área_de_un área_do perímetro_del "
    "prawdopodobieństw* średni* "
    "вероятност* площад* среднее_арифметическ* средн*_значени* корни_уравнени* похідну відсотк* yüzde kaçtır "
    "olasılığı gemiddelde_van "
    "omtrek_van oppervlakte_van medelvärde* průměr_z trung_bình diện_tích thể_tích 面积 体积 平均数 百分之 面積 "
    "体積 平均 넓이 부피 평균 "
    "kl_divergence poisson binomial gaussian_distribution bayes phasor annual_rate compound_interest cosine "
    "gleichung* primzahl* ableitung von_x quadratwurzel kubikzahl* vollständig*_induktion integral_von "
    "stammfunktion "
    "équation* dérivée racine_carrée nombre*_premier* intégrale ecuación ecuaciones derivada_de raíz_cuadrada "
    "número*_primo* "
    "equação raiz_quadrada derivada_da equazione radice_quadrata derivata vergelijking priemgetal* afgeleide "
    "wortel_van "
    "równani* pochodn* pierwiast* liczb*_pierwsz* уравнени* производн* интеграл* корен* прост*_числ* рівнянн* "
    "похідн* "
    "phương_trình đạo_hàm tích_phân xác_suất persamaan turunan peluang rovnic* derivác* ekvation* derivat* ecuați* "
    "denklem* türev* karekök* asal_sayı* iç_açı* "
    "方程 积分 导数 定理 概率 平方根 质数 最小公倍数 最大公约数 方程式 積分 微分 確率 素数 방정식 적분 미분 확률 "
    "소수를 최소공배수 최대공약수 随机变量 原函数 多项式 矩阵 向量 几何 경우의_수 자연수"
)
_HOW_MUCH = words(
    "how_much how_many what_is what's combien_font combien_fait combien cuánto_es cuánto_son cuántos cuántas "
    "quanto_fa quanto_é "
    "quanti quante wie_viel wieviel wie_viele was_ist hoeveel_is hoeveel ile_to ile ile_jest сколько_будет сколько "
    "скільки kaç quantos"
)
MATHEMATICS = Rule(
    "math",
    (
        (1.0, sign(f"{_LATEX}|{TERMS}")),
        (1.0, sign(rf"=\s*\?|\b[xyn]\s*[=<>]\s*-?\d|{_before_equals(_SUM, _SUM_CROSSES)}"
                   rf"|{_before_equals(_TERMS, _TERMS_CROSS)}|\b\d*[xy](\^2|²)|\d ?[+*×÷^] ?\d|\d!"
                   rf"|\([xyzn] ?[-+] ?\d+\)|\|[xyz]\||\bround \d+\.|\b(square|cube) of \d|\b(add|subtract|multiply"
                   rf"|divide) \d|\bintegrate [\w^ ]{0,30}\b[xyt]\b|\b2\^n|\bn\^\d|\([a-z] ?[+-] ?[a-z]\)(\^|²)"
                   rf"|^{INDENT}\d+ ?/ ?\d+ ?[-+*/] ?\d|\blog_?\d*\(|\bln\(|\b(sin|cos|tan|cot)\b ?[(x\dθa]")),
        (1.0, sign(r"\d ?(%|percent|prozent|procent|pour cent|por ciento|per cento|процент\w*|от сто) (of|von|van"
                   r"|de"
                   r"|des|di|del|от|від|z) \d"
                   rf"|(?:{_HOW_MUCH})[^\n]{{0,12}}\d ?(times|mal|fois|por|per|keer|razy|diviso|multiplied by"
                   rf"|divided by|умножить|\*|x) ?\w* ?\d"
                   r"|\d (mal|fois|keer|razy|times|multiplied by|divided by|geteilt durch|divisé par"
                   r"|dividido por) \d|\b(kans|chance|probabilit\w+) (op|auf|of|de) (een|eine?|a|une?) (zes|sechs"
                   r"|six|seis)|\b(how many|wie viele|combien de|cuántos|cuántas|quanti|quante|quantos|quantas"
                   r"|hoeveel|сколько|скільки|ile|kaç) (\w+ )?(milli\w+|seconds?|minutes?|hours?|days|weeks|grams?"
                   r"|met(er|re)s|lit(er|re)s|sekund\w*|minut\w*|stund\w*|heures|secondes|horas|minutos|segundos"
                   r"|ore"
                   r"|minuti|secondi|uren|секунд|минут|часов|хвилин|godzin|dakika|saniye)\b( (are|is|there|in|hat"
                   r"|hay|sono|в|у|ma)|$)|\bconvert \d|\bumrechn\w+ \d|\d ?(km/h|m/s|mph|kg|lbs?|°[cf]) (to|in"
                   r"|into|en|a) ")),
        (0.5, sign(r"\b(how (many|much|far|fast|old|long|high|deep|wide|tall|likely|big|large)|what (is|was|are"
                   r"|were"
                   r"|will be|'s) (the|his|her|their|its) (\w+ )"
                   r"{0,2}(sum|product|area|volume|probability|value|remainder|average|number|total|cost|distance"
                   r"|speed|price|profit|percentage|length|perimeter|limit|next|mean)|calculate|compute"
                   r"|percent(age)?|find (the|all|them|its)"
                   r"|equation|evaluate|(?<!at )least|greatest|simplify|derive|determine|solve|prove|show that"
                   r"|how much interest|what does .{1,30} cost|what are the odds|what.s the (chance|probability)"
                   r"|qual é o preço|quanto custa|cuánto tarda|wie lange dauert)\b|what is the (chance|odds"
                   r"|effective|net)|多少|计算|求|剩|几|計算|구하|구하시오"
                   "|" + words("berechne* löse beweise* leite wie_groß was_ergibt wie_lange wie_viel* was_ist "
                               "calcule* calcula* résous démontre* prouve "
                               "combien resuelve demuestra* cuál_es cuánto* cuánta* quanto quanta* quantos resolva "
                               "calcola* risolvi dimostra* "
                               "bereken* los_de bewijs hoeveel oblicz* rozwiąż udowodnij ile вычисли* реши* "
                               "докажи* "
                               "сколько найди* розв* "
                               "обчисл* довед* скільки посчитай чему_рав* какое_усилие tính bao_nhiêu hitung "
                               "berapa "
                               "vypočítej kolik beräkna hur_många calculează câte "
                               "hesapla* çöz ispatla* kaç 证明 証明 증명 求め"))),
        (0.5, sign(r"\d(?=\D)[^\d\n]*+\n?\d|\b(two|three|four|five|six|seven|eight|nine|ten)\b[^\n]{1,60}\d|\$\d"
                   r"|\d ?%|分之|\d ?(元|个|瓶|米|公里|千克|本|人|cm|kg|km|m/s)|\b(twice|half|thrice|double"
                   r"|a (third|quarter)"
                   r"|dozen"
                   r"|three times|consecutive|both|doppelt|halb\w*|la moitié|el doble|la mitad|dwa razy|вдвое"
                   r"|половин\w*|infinity)\b")),
        (0.5, sign(words(
            "triangle* circle circles rectangle* angle angles radius matrix matrices vector* primes integer* "
            "fraction* ratio geometry "
            "algebra calculus per_hour per_minute per_day per_item positive_number digit digits probability "
            "coordinates sum product cone "
            "cylinder sphere ways permutations combinations odd_number* even_number* odd_numbers series sequence "
            "converges diverges convergent divergent cube cubes edge surface pyramid prism hexagon* hexágono* "
            "pentagon octagon ladder inequality kans hours_and "
            "velocity acceleration force mass density pressure voltage impedance loan installment* chance formula "
            "distribution* attrition_rate "
            "polygon* sides vertices litres liter* per_100 desconto discount_of interest_rate investment savings "
            "principal "
            "next_number next_term line_through dice coin marbles functions_f "
            "summe produkt rechteck* dreieck* kreis kreises winkel fläche* umfang radius wahrscheinlichkeit* "
            "zahlen "
            "prozent "
            "somme produit triangle* aire périmètre rayon probabilité* suma producto triángulo* área perímetro "
            "radio "
            "probabilidad* "
            "somma prodotto triangolo perimetro raggio probabilità soma produto triângulo raio som driehoek* "
            "oppervlakte omtrek straal kans "
            "suma iloczyn trójkąt* pole_koła pole_trójkąta obwód promieni* prawdopodobieństw* сумм* произведен* "
            "треугольник* площад* "
            "периметр* радиус* вероятност* угл* сума площа радіус üçgen* açı* alan* çevre* yarıçap* olasılı* "
            "三角形 面积 周长 体积 半径 面積 体積 円 삼각형 넓이 반지름 方差 分布列"
        ) + r"|\$\w")),
    ),
)  # fmt: skip
