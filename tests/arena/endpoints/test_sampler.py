"""Tokens chosen for all rows together: equal to transformers' processors row by row, whoever shares the batch."""

import pytest

torch = pytest.importorskip("torch")
generation = pytest.importorskip("transformers").generation

from arena.endpoints.generation_plan import Sampling  # noqa: E402
from arena.endpoints.sampler import Sampler  # noqa: E402

pytestmark = pytest.mark.slow  # torch alone takes seconds to import

MIXED = (
    Sampling(0.0),
    Sampling(0.0, repetition_penalty=1.7),
    Sampling(0.7),
    Sampling(1.3, top_p=0.6),
    Sampling(0.9, top_k=5, repetition_penalty=0.8),
    Sampling(2.0, top_k=7, top_p=0.8, repetition_penalty=1.2),
)
TEXTS = tuple([row, 3 + row, 3 + row, 20] for row in range(len(MIXED)))


def logits(rows=6):
    return 3 * torch.randn(rows, 40, generator=torch.Generator().manual_seed(4))


def expected(sampling, text, scores):
    """The probabilities (vocabulary,) by transformers' own processors."""
    processors = [generation.RepetitionPenaltyLogitsProcessor(penalty=sampling.repetition_penalty)]
    if sampling.temperature > 0:
        processors.append(generation.TemperatureLogitsWarper(sampling.temperature))
    if sampling.top_k:
        processors.append(generation.TopKLogitsWarper(sampling.top_k))
    if sampling.top_p < 1:
        processors.append(generation.TopPLogitsWarper(sampling.top_p))
    scores = generation.LogitsProcessorList(processors)(torch.tensor([text]), scores[None])[0]
    if sampling.greedy:
        return torch.nn.functional.one_hot(scores.argmax(), len(scores)).float()
    return scores.softmax(-1)


def test_tokens_are_drawn_with_the_probabilities_of_transformers_processors():
    numbers = [(at + 0.5) / 4000 for at in range(4000)]  # evenly over [0, 1): shares of tokens are probabilities
    counts = torch.zeros(logits().shape)
    for number in numbers:
        chosen = Sampler(MIXED, TEXTS, logits()).choose(logits(), [number] * len(MIXED))
        counts[range(len(MIXED)), chosen] += 1 / len(numbers)
    for row, sampling in enumerate(MIXED):
        wanted = expected(sampling, TEXTS[row], logits()[row])
        torch.testing.assert_close(counts[row], wanted, atol=1e-3, rtol=0)


def test_a_row_chooses_the_same_alone_and_among_others():
    together = Sampler(MIXED, TEXTS, logits())
    alone = [Sampler([MIXED[row]], [TEXTS[row]], logits()[row : row + 1]) for row in range(len(MIXED))]
    for number in (0.0, 0.3, 0.999999):
        chosen = together.choose(logits(), [number] * len(MIXED))
        assert chosen == [
            sampler.choose(logits()[row : row + 1], [number])[0] for row, sampler in enumerate(alone)
        ]


def test_the_penalty_covers_tokens_that_were_just_written():
    flat = torch.zeros(1, 4)
    flat[0, 2] = 1.0
    sampler = Sampler([Sampling(0.0, repetition_penalty=1e6)], [[3]], flat)
    flat[0, 1] = 0.5
    assert [sampler.choose(flat, [0.0])[0] for _ in range(2)] == [2, 1]


@pytest.mark.parametrize("temperature", [0.0, 1.0])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_logits_that_are_no_numbers_choose_nothing_in_their_row_alone(temperature, value):
    scores = logits(2)
    scores[0] = value
    chosen = Sampler([Sampling(temperature)] * 2, [[1], [1]], scores).choose(scores, [0.5, 0.5])
    assert chosen[0] is None
    assert chosen[1] is not None
