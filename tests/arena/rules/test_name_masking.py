from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arena.rules.folded_text import fold
from arena.rules.name_aliases import Family, extended, shipped_families
from arena.rules.name_kinds import SPELLED_KINDS, kinds_of, shipped_beginnings
from arena.rules.name_masking import LONG_BLOCK, MASK, GrowingText, NameMasker, blocks, names_of
from arena.rules.name_patterns import NamePattern
from tests.arena.rules.name_sentences import MODELS, Sentence, sentences
from tests.support.timing import cpu_seconds

BUNDLED = NameMasker(
    names_of("org/SmolLM2-135M-Instruct", ["Hugging Face"]) | names_of("gemma-3-270m", ["Google", "DeepMind"])
)
MASKER = NameMasker({name for model in MODELS for name in names_of(model)})
ACME = Family("Acme", names=("Roadrunner",), words=("Anvil", "OpenAI"), organisations=("Acme Works",))
KINDS = kinds_of(frozenset({"acme-7b", "Claude"}), extended(shipped_families(), [ACME]))
KNOWN_MISSES = {"作为智谱的模型,我尽力回答。"}  # “as” before an organisation; found in the held-out third
PIECES = [
    *(
        "I am ",
        "I'm ",
        "my name is ",
        "as ",
        "as a ",
        "we ",
        "created by ",
        "made at ",
        " is my name",
        " here",
        ": ",
    ),
    *(
        "Gemma",
        "Claude",
        "Llama",
        "Google",
        "Meta",
        "OpenAI",
        "Qwen",
        "Deep",
        "Seek",
        "GPT",
        "o1",
        "Yi",
        "Mistral",
    ),
    *(
        " 3",
        "3.1",
        "-it",
        "-",
        "s",
        "'s ",
        "Sonnet",
        " Monet",
        " AI",
        "Hugging",
        " Face",
        "Apple",
        "com",
        "animal",
    ),
    *(
        "**",
        "*",
        "\u200b",
        "&#8203;",
        "&#81;",
        "&",
        "<b>",
        "</b>",
        "<",
        "a<b",
        "\\text{",
        "}",
        "\\",
        "](http://x)",
        "[",
    ),
    *(
        " ",
        ". ",
        ".",
        ", ",
        "\n",
        "\n\n",
        "\t",
        "e\u0301",
        "\u0336",
        "é",
        "Ｇ",
        "е",
        "ﬂ",
        "x",
        "hello ",
        "and ",
        "of ",
    ),
    *("q w e n", "c-l-a-u-d-e", "g e m m a", "Q", "w", "e", "n", '"model": "', "je suis ", "c'est moi"),
    *(
        "私は",
        "です",
        "我是",
        "由",
        "开发",
        "通",
        "义",
        "千",
        "问",
        "豆包",
        "ジェ",
        "ミニ",
        "ラマ",
        "저는 ",
        "입니다",
        " 모델",
    ),
    *(
        "name: ",
        "| Name | Developer |\n",
        "|",
        "- ",
        "as an AI",
        "language model",
        "it's me ",
        "we at ",
        "?",
        "!",
        " by ",
        "\n- ",
    ),
    *(
        "![",
        '](/x "t")',
        "][x]",
        "](<a ",
        "](a(b",
        "[^1]",
        "\\char81 ",
        "\\color{",
        "\\,",
        "\\!",
        "<!-- > -->",
        "(",
        ")",
        '"',
    ),
    *("soy ", "меня создала ", "개발한 언어 모델", "が開発した言語モデル", "'s guidelines", " tarafından"),
    *("أنا ", "طورتني ", "لاما", "و", "Алиса", "ой"),
]


@pytest.mark.parametrize(
    "text",
    [
        *("I am SmolLM2.", "I am SmolLM3", "i am smollm2-135m-instruct", "Gemma 3 270M here", "*SmolLM*"),
        *("I was made by hugging face", "I am GEMMA!", "Gemma3", "gemma-3", "I am **Gem**ma", "I am Ge\u200bmma"),
        *("made by Hugging-Face", "Smol LM", "_I am Google's model_"),
    ],
)
def test_a_model_that_names_itself_is_masked(text):
    assert MASK in BUNDLED.hide(text)
    assert BUNDLED.names_a_model(text)


@pytest.mark.parametrize("sentence", sentences(), ids=lambda sentence: sentence.text[:40])
def test_the_labelled_names_are_masked_and_nothing_else(sentence: Sentence):
    shown = MASKER.hide(sentence.text)
    if sentence.text in KNOWN_MISSES:
        pytest.xfail("a known miss")
    assert shown == expected(sentence)
    assert MASKER.names_a_model(sentence.text) == bool(sentence.masked)


def expected(sentence: Sentence) -> str:
    """The text with the labelled names replaced."""
    pieces, end = [], 0
    for start, stop in sentence.spans:
        pieces += [sentence.text[end:start], MASK]
        end = stop
    return "".join(pieces) + sentence.text[end:]


@pytest.mark.parametrize(
    "text",
    [
        *(
            "我是Qwen模型",
            "私はGemmaです",
            "I'm ChatGPT.",
            "I am Deep Seek.",
            "We are Gemmas",
            "I was trained by OpenAI",
        ),
        *("I am Ｑｗｅｎ", "I am Q\u2063wen", "I am Yi.", "I am o1."),
    ],
)
def test_the_names_of_the_issue_are_masked(text):
    assert MASK in MASKER.hide(text)


@pytest.mark.parametrize(
    "text",
    ["google it", "a llama is an animal", "we meta-analyse", "a gemmation", "googled it", "smolder", "coherent"],
)
def test_ordinary_words_stay(text):
    assert MASKER.hide(text) == text
    assert not MASKER.names_a_model(text)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "[x](https://example.org/Qwen/a)",
            '[x](/a "I am Q&#8203;wen")',
            '<a title="Qwen">x</a>',
            "<https://qwen.example>",
        ),
        *("![a](/Qwen.png)", "see [x][qwen]"),
    ],
)
def test_a_name_in_an_address_or_a_title_is_masked(text):
    assert "wen" not in MASKER.hide(text)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "Q_w_en",
            "I am Q__wen__",
            "Q\\wen",
            "Q+w+e+n",
            "(Q)(w)(e)(n)",
            "Q![](x)wen",
            "Q[^1]wen",
            "Q<!-- > -->wen",
        ),
        *(r"\(Q\phantom{x}wen\)", r"\(Q\kern0ptwen\)", r"\(Q\displaystyle wen\)", r"\(\textcolor{red}{Q}wen\)"),
        *(r"Q\(w\)en", r"\(Q\)wen", r"\(\text{Q}\)wen", r"Q\[w\]en", "$Q$wen"),
    ],
)
def test_markup_does_not_split_a_name(text):
    assert MASK in MASKER.hide(text)


def test_a_name_is_judged_by_the_paragraph_before_it():
    assert MASKER.hide("I was made by\n\nAnthropic, in a lab.") == f"I was made by\n\n{MASK}, in a lab."
    assert MASKER.hide("A painting by\n\nClaude Monet, in a lab.") == "A painting by\n\nClaude Monet, in a lab."


def test_no_version_is_left_next_to_the_mask():
    for text in ("I am Gemma 3.", "I am Gemma 3 270M.", "I am SmolLM2-135M.", "I am Claude 3.5 Sonnet."):
        assert MASKER.hide(text) == f"I am {MASK}."


def test_the_mask_does_not_tell_the_length_of_the_name():
    assert MASKER.hide("I am Yi.") == MASKER.hide("I am HuggingFaceTB/SmolLM2-135M-Instruct.")


def test_a_family_that_is_not_served_is_masked_only_where_a_model_claims_it():
    assert MASKER.hide("I am Grok.") == f"I am {MASK}."
    assert MASKER.hide("Grok 3 came out in 2025.") == "Grok 3 came out in 2025."
    assert NameMasker({"Grok-3"}).hide("Grok 3 came out in 2025.") == f"{MASK} came out in 2025."


def test_a_table_of_the_settings_adds_names():
    acme = Family("Acme", names=("Roadrunner",), words=("Anvil",), organisations=("Acme Works",))
    masker = NameMasker({"acme-7b"}, extended(shipped_families(), [acme]))
    assert masker.hide("Roadrunner is fast.") == f"{MASK} is fast."
    assert masker.hide("I am Anvil, made by Acme Works.") == f"I am {MASK}, made by {MASK}."
    assert masker.hide("An anvil of Acme Works.") == "An anvil of Acme Works."


def test_a_table_of_the_settings_extends_a_shipped_family():
    masker = NameMasker({"gemma-3-270m"}, extended(shipped_families(), [Family("gemma", names=("Gemmita",))]))
    assert masker.hide("Gemmita and CodeGemma") == f"{MASK} and {MASK}"


@settings(deadline=None)
@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=20), st.data())
def test_however_a_text_is_cut_what_is_shown_is_a_beginning_of_the_masked_text(pieces, data):
    text = "".join(pieces)
    masked, growing, shown = MASKER.hide(text), GrowingText(MASKER), ""
    for cut in sorted(data.draw(st.sets(st.integers(0, len(text)), max_size=8))):
        frame = growing.show(text[:cut], whole=False)
        assert masked.startswith(frame)
        assert frame.startswith(shown)
        assert frame == MASKER.hide(text[:cut], whole=False)
        shown = frame
    assert growing.show(text, whole=True) == masked


@pytest.mark.parametrize("sentence", sentences()[::7], ids=lambda sentence: sentence.text[:40])
def test_no_frame_of_a_labelled_sentence_shows_more_than_its_masked_text(sentence):
    masked = MASKER.hide(sentence.text)
    for cut in range(len(sentence.text)):
        assert masked.startswith(MASKER.hide(sentence.text[:cut], whole=False))


@cache
def compiled(shared: bool) -> NamePattern:
    """One set of names, with the beginnings of the shipped names or on its own."""
    return NamePattern(KINDS, SPELLED_KINDS, shipped_beginnings() if shared else None)


@settings(deadline=None)
@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=8))
def test_shared_beginnings_are_found_as_if_they_were_compiled_for_each_set(pieces):
    folded = fold("".join(pieces)).text
    assert compiled(True).beginning_at_end(folded) == compiled(False).beginning_at_end(folded)


@pytest.mark.parametrize(
    "name", ["Grok", "通义千问", "OpenAI", "Claude", "Roadrunner", "Anvil", "Acme Works", "Acme-7b"]
)
@pytest.mark.parametrize("gap", ["", "-", " ", "'"])
def test_a_beginning_of_each_kind_of_name_is_found(name, gap):
    for length in range(1, len(name)):
        folded = fold(gap.join(name[:length])).text
        assert compiled(True).beginning_at_end(folded) == compiled(False).beginning_at_end(folded)


@settings(deadline=None)
@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=20))
def test_everything_outside_the_masks_stays_as_written(pieces):
    text = "".join(pieces)
    position = 0
    for kept in MASKER.hide(text).split(MASK):
        position = text.index(kept, position) + len(kept)


@given(st.lists(st.sampled_from(["a", ".", " ", "\n", "。", "word"]), max_size=60), st.integers(1, 5))
def test_blocks_are_the_text_and_do_not_change_while_it_grows(pieces, times):
    text = ("".join(pieces) + "x" * LONG_BLOCK + ". ") * times
    assert "".join(blocks(text)) == text
    half = list(blocks(text[: len(text) // 2]))
    assert list(blocks(text))[: len(half) - 1] == half[:-1]


@pytest.mark.parametrize("length", [20_000, pytest.param(200_000, marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    "unit",
    [
        *(
            "a",
            "google ",
            "yi ",
            "q w e ",
            "*a",
            "<a",
            "](a",
            "&#",
            "\\",
            "i am a ",
            "我是google",
            "豆包",
            "e\u0301",
            "\n\n",
            "3.",
            *(
                "name: ",
                "| Name ",
                "Google. ",
                "Claude\n",
                "language model ",
                "![",
                '](a "',
                "](<",
                "\\char8",
                "\\a{",
                "<!--",
                "[^",
            ),
            *("Q-", "Claude, by ", "it's ", "](a(", "<a q", "Gemma\n\n"),
        )
    ],
)
def test_a_long_text_takes_linear_time(unit, length):
    text, most = unit * (length // len(unit)), 1.5e-5 * length  # the slowest takes a third of it
    MASKER.hide(text[:1000], whole=False)
    assert cpu_seconds(lambda: MASKER.hide(text, whole=False), most) < most


def test_a_growing_text_is_searched_block_by_block():
    text = "\n\n".join(["A paragraph of ordinary words about the weather in the north of the country."] * 250)

    def grow() -> None:
        growing = GrowingText(MASKER)
        for length in range(0, len(text), 40):
            growing.show(text[:length], whole=False)

    assert cpu_seconds(grow, 2) < 2  # 500 frames; without blocks 10 s


def test_a_growing_block_is_searched_only_where_it_is_new(monkeypatch):
    text, searched, find = "I am Qwen, and these are words about the weather " * 10, [], NamePattern.find

    def counted(pattern, folded, start=0):
        searched.append(len(folded) - start)
        return find(pattern, folded, start)

    monkeypatch.setattr(NamePattern, "find", counted)
    growing = GrowingText(MASKER)
    for length in range(0, len(text), 20):
        shown = growing.show(text[:length], whole=False)
    assert shown.count(MASK) == 10
    assert sum(searched) < 3 * len(text)  # all of it at each of 25 frames is 12 times its length


def test_a_text_that_was_cut_is_masked_from_its_start():
    growing = GrowingText(MASKER)
    assert growing.show("I am Qwen.\n\nI am Yi.", whole=True) == f"I am {MASK}.\n\nI am {MASK}."
    assert growing.show("I am Qwen.", whole=True) == f"I am {MASK}."


def test_names_of_one_or_two_letters_need_a_context():
    assert NameMasker({"a", "of"}).hide("a bit of text") == "a bit of text"
    assert NameMasker({"Zo"}).hide("I am Zo.") == f"I am {MASK}."


def test_without_names_nothing_is_masked():
    assert NameMasker(()).hide("I am Gemma", whole=False) == "I am Gemma"
    assert not NameMasker(()).names_a_model("I am Gemma")
