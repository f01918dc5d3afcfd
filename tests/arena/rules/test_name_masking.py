import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arena.rules.name_masking import MASK, NameMasker, names_of

NAMES = names_of("org/SmolLM2-135M-Instruct", ["Hugging Face"]) | names_of("gemma-3-270m", ["Google"])
BLINDFOLD = NameMasker(NAMES)


@pytest.mark.parametrize(
    "text",
    [
        *("I am SmolLM2.", "I am SmolLM3", "i am smollm2-135m-instruct", "Gemma 3 270M here", "*SmolLM*"),
        *("made by hugging face", "GEMMA!", "Gemma3", "gemma-3", "**Gem**ma", "Ge\u200bmma", "_Google_"),
        *("Hugging-Face", "Smol LM"),
    ],
)
def test_a_model_that_names_itself_is_masked(text):
    assert MASK in BLINDFOLD.hide(text)
    assert BLINDFOLD.names_a_model(text)


def test_no_version_is_left_next_to_the_mask():
    for text in ("I am Gemma 3.", "I am Gemma 3 270M.", "I am SmolLM2-135M."):
        assert BLINDFOLD.hide(text) == f"I am {MASK}."


@pytest.mark.parametrize("text", ["the gemmation of corals", "googled it", "smolder", "a coherent answer"])
def test_a_name_inside_another_word_stays(text):
    assert BLINDFOLD.hide(text) == text
    assert not BLINDFOLD.names_a_model(text)


@given(st.integers(0, 60))
def test_no_frame_of_a_growing_text_shows_a_name_or_its_beginning(length):
    text = "Hello. I am SmolLM2-135M-Instruct by Hugging Face, you see."
    frame = BLINDFOLD.hide(text[:length], whole=False).casefold()
    assert "smol" not in frame
    assert "hugg" not in frame


@settings(max_examples=25)  # each one builds and matches long patterns
@given(st.text(), st.integers(0, 20))
def test_what_is_held_back_comes_with_the_whole_text(text, cut):
    growing = BLINDFOLD.hide(text[:cut], whole=False)
    assert len(growing) <= len(BLINDFOLD.hide(text[:cut])) or MASK in growing
    assert BLINDFOLD.hide(text, whole=True) == BLINDFOLD.hide(text)


def test_short_names_do_not_mask_ordinary_words():
    assert NameMasker({"a", "of"}).hide("a bit of text") == "a bit of text"


def test_without_names_nothing_is_masked():
    assert NameMasker(()).hide("I am Gemma", whole=False) == "I am Gemma"
