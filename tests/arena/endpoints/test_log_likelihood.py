"""Sharing changes no number: packed rows give what one pass for each text gives."""

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from arena.endpoints.encoding import Encoded, token_pairs  # noqa: E402
from arena.endpoints.prefix_groups import Query, common_prefix, groups, padded, row  # noqa: E402
from arena.endpoints.scorer import Scorer  # noqa: E402

pytestmark = pytest.mark.slow  # torch alone takes seconds to import

SIZES = {
    "vocab_size": 97, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "max_position_embeddings": 256,
}  # fmt: skip


def tiny_llama():
    torch.manual_seed(0)
    return transformers.LlamaForCausalLM(transformers.LlamaConfig(**SIZES)).eval()


def tiny_gemma(window):
    torch.manual_seed(0)
    config = transformers.Gemma3TextConfig(
        **SIZES, head_dim=8, sliding_window=window, layer_types=["sliding_attention", "full_attention"]
    )
    return transformers.Gemma3ForCausalLM(config).eval()


def some_questions(seed=0):
    """Two subjects with a beginning each, queries of unequal length, and one that stands alone."""
    draw = torch.Generator().manual_seed(seed)

    def tokens(count):
        return tuple(torch.randint(1, 97, (count,), generator=draw).tolist())

    queries = []
    for _ in range(2):
        beginning = tokens(40)
        for size in (3, 11, 7):
            continuations = [tokens(1), tokens(4), tokens(2)]
            queries.append(Query(beginning + tokens(size), continuations))
    queries.append(Query(tokens(9), [tokens(1)]))
    return queries


def found_by(scorer, queries):
    found = {}

    def deliver(query, results):
        found[id(query)] = results

    with torch.inference_mode():
        scorer.score(queries, deliver)
    return [found[id(query)] for query in queries]


@pytest.mark.parametrize("made", [tiny_llama, lambda: tiny_gemma(128), lambda: tiny_gemma(16)])
def test_sharing_changes_no_log_probability(made):
    network = made()
    queries = some_questions()
    plain = found_by(Scorer(network, share=False), queries)
    shared = found_by(Scorer(network), queries)
    for weights, expected in zip(shared, plain, strict=True):
        for (values, _), (wanted, _) in zip(weights, expected, strict=True):
            assert values == pytest.approx(wanted, abs=1e-4)
        assert [greedy for _, greedy in weights] == [greedy for _, greedy in expected]


@pytest.mark.parametrize("most", [1, 64, 8192])
def test_batches_padded_on_the_right_change_no_log_probability(most):
    network, draw = tiny_llama(), torch.Generator().manual_seed(3)

    def tokens(count):
        return tuple(torch.randint(1, 97, (count,), generator=draw).tolist())

    queries = [Query(tokens(2 + 7 * at % 30), [tokens(1 + at % 4)]) for at in range(12)]
    queries += [Query(tokens(5), [tokens(2), tokens(3)]), Query(tokens(4), [tokens(1)])]
    scorer = Scorer(network)
    scorer._padded = most
    for found, expected in zip(
        found_by(scorer, queries), found_by(Scorer(network, share=False), queries), strict=True
    ):
        for (values, best), (others, other_best) in zip(found, expected, strict=True):
            assert values == pytest.approx(others, abs=1e-4)
            assert best == other_best


def test_a_padded_batch_keeps_to_its_size():
    queries = [Query((1,) * size, [(2, 3)]) for size in (5, 90, 30, 31, 29, 4, 400)]
    batches = list(padded(queries, 128))
    assert sorted(len(query.context) for batch in batches for query in batch) == [4, 5, 29, 30, 31, 90, 400]
    assert all(len(batch) == 1 or len(batch) * max(query.size(0) for query in batch) <= 128 for batch in batches)
    assert [len(batch) for batch in batches] == [1, 1, 3, 2]


def test_greedy_decoding_is_recognised():
    network, context = tiny_llama(), (5, 6, 7, 8)
    with torch.inference_mode():
        written = network.generate(torch.tensor([context]), max_new_tokens=3, do_sample=False)[0, 4:].tolist()
    [weights] = found_by(Scorer(network), [Query(context, [tuple(written), (1, 2, 3)])])
    assert [greedy for _, greedy in weights] == [True, False]


def test_every_question_is_in_one_pack_and_keeps_its_own_tokens():
    queries = some_questions()
    found = list(groups(queries, most=24))
    packed = [query for group in found for pack in group.packs for query in pack]
    assert sorted(map(id, packed)) == sorted(map(id, queries))
    assert sorted(group.shared for group in found) == [0, 40, 40]
    for group in found:
        for pack in group.packs:
            assert all(query.context[: group.shared] == group.beginning for query in pack)
            assert len(pack) == 1 or sum(query.size(group.shared) for query in pack) <= 24


def test_a_token_sees_its_own_path_alone():
    laid = row([Query((1, 2), [(3, 4), (5, 6)]), Query((7,), [(8, 9)])], shared=0)
    assert laid.tokens.tolist() == [1, 2, 3, 5, 7, 8]
    assert laid.positions.tolist() == [0, 1, 2, 2, 0, 1]
    seen = [seen.nonzero()[0].tolist() for seen in laid.sees]
    assert seen == [[0], [0, 1], [0, 1, 2], [0, 1, 3], [4], [4, 5]]
    assert laid.reads == [[[1, 2], [1, 3]], [[4, 5]]]


def test_texts_are_encoded_once_and_all_together():
    asked = []

    def tokenizer(texts, **options):
        asked.append(texts)
        if isinstance(texts, str):
            return {"input_ids": [ord(letter) for letter in texts]}
        return {"input_ids": [[ord(letter) for letter in text] for text in texts]}

    requests = [{"context": "ab ", "continuation": end} for end in "xyz"] + [{"text": "abc"}, {"context": 5}]
    known = Encoded(tokenizer, requests)
    assert asked == [["ab", "ab x", "ab y", "ab z"]]
    assert token_pairs(known, requests[2], 99) == token_pairs(tokenizer, requests[2], 99)
    assert asked[1:] == ["ab", "ab z"]
    assert known("abc", add_special_tokens=False)["input_ids"] == [97, 98, 99]
    assert asked[-1] == "abc"


def test_the_shared_beginning_is_found():
    assert common_prefix((1, 2, 3, 4), (1, 2, 3, 9, 9)) == 3
    assert common_prefix((1, 2), (1, 2, 3)) == 2
    assert common_prefix((1,), (2,)) == 0
