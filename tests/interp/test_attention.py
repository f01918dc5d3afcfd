"""Rollout and flow on an example computed by hand, and against dense references."""

import weakref

import networkx
import numpy as np
import pytest

from interp.errors import BadOption
from interp.whitebox.attention import each_layer, layers, mixed, rolled, rollout, without_sink
from interp.whitebox.flow import SCALE, flow, flow_cost, maximum_flows
from interp.whitebox.flow_graph import _parts, flow_graph
from tests.support.small_models import judged, model, torch

FIRST = [[1, 0, 0], [0.5, 0.5, 0], [0.25, 0.25, 0.5]]
SECOND = [[1, 0, 0], [0.25, 0.75, 0], [0.5, 0.25, 0.25]]
TOP = [0, 0, 1]


def test_rollout_of_two_layers_by_hand():
    # the last row of SECOND is (1/2, 1/4, 1/4); times FIRST: 1/2 + 1/8 + 1/16, 1/8 + 1/16, 1/8
    row = rolled([torch.tensor(FIRST), torch.tensor(SECOND)], torch.tensor(TOP, dtype=torch.float32))
    assert row.tolist() == pytest.approx([0.6875, 0.1875, 0.125])


def test_flow_through_two_layers_by_hand():
    # to token 0: min(1/2, 1) + min(1/4, 1/2) + min(1/4, 1/4); to 1: min(1/4, 1/2) + min(1/4, 1/4); to 2: 1/4
    found = maximum_flows(
        [np.array(FIRST), np.array(SECOND)], np.array(TOP, dtype=float), [[0], [1], [2], [1, 2], []]
    )
    assert found == pytest.approx([1.0, 0.5, 0.25, 0.5, 0.0], abs=1e-7)


def test_the_sink_is_taken_out_and_rows_sum_to_one():
    weights = torch.tensor([[1.0, 0.0], [0.9, 0.1]])
    assert without_sink(weights).tolist() == [[1.0, 0.0], [0.0, pytest.approx(0.1)]]
    assert mixed(without_sink(weights)).tolist() == [[1.0, 0.0], [0.0, 1.0]]


def dense(target, sink):
    """Â of each layer from a plain eager run."""
    network = target.lm.network
    network.set_attn_implementation("eager")
    with torch.no_grad():
        weights = network.model(inputs_embeds=target.embeddings[None], output_attentions=True).attentions
    network.set_attn_implementation("sdpa")
    found = []
    for each in weights:
        mean = each[0].mean(0).double().numpy()
        if sink:
            mean[1:, 0] = 0
        found.append((mean / mean.sum(1, keepdims=True) + np.eye(len(mean))) / 2)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["llama", "qwen3", "gemma3"])
@pytest.mark.parametrize("sink", ["drop", "keep"])
def test_rollout_is_the_last_row_of_the_product(kind, sink):
    target = model(kind).contrast(judged())
    first, second = dense(target, sink == "drop")
    np.testing.assert_allclose(rollout(target, sink).scores, (second @ first)[-1], atol=1e-6)
    assert target.lm.network.config._attn_implementation == "sdpa"


@pytest.mark.slow
def test_flow_is_networkx_maximum_flow():
    target = model().contrast(judged("the sun .", "a star ."))
    matrices, tokens = dense(target, True), len(target.units)
    graph = networkx.DiGraph()
    for number, matrix in enumerate(matrices):
        for i, j in zip(*np.nonzero(matrix), strict=True):
            graph.add_edge((number + 1, int(i)), (number, int(j)), capacity=float(matrix[i, j]))
    expected = [
        networkx.maximum_flow_value(graph, (2, tokens - 1), (0, at)) if (0, at) in graph else 0.0
        for at in range(tokens)
    ]
    np.testing.assert_allclose(flow(target).scores, expected, atol=tokens**2 * 4 / SCALE + 1e-5)


def test_the_length_of_what_is_moved_by_the_definition():
    target = model().contrast(judged())
    lm, network = target.lm, target.lm.network
    given = {}
    layer = network.model.layers[0]
    handle = layer.self_attn.register_forward_pre_hook(
        lambda _module, _inputs, named: given.update(named), with_kwargs=True
    )
    network.set_attn_implementation("eager")
    with torch.no_grad():
        weights = lm.decoder(inputs_embeds=target.embeddings[None], output_attentions=True).attentions[0][0]
        handle.remove()
        network.set_attn_implementation("sdpa")
        values = (given["hidden_states"][0] @ layer.self_attn.v_proj.weight.T).view(-1, 2, 8)
        tokens = len(values)
        expected = torch.zeros(tokens, tokens)
        for i in range(tokens):
            for j in range(tokens):
                context = torch.cat([weights[head, i, j] * values[j, head // 2] for head in range(4)])
                expected[i, j] = (layer.self_attn.o_proj.weight @ context).norm()
    np.testing.assert_allclose(layers(target, "norm")[0].numpy(), mixed(expected).numpy(), atol=1e-5)


def test_words_share_one_flow_and_the_cost_is_said_beforehand():
    target = model().contrast(judged())
    words = target.prompt.words
    tokens = len(target.units)
    said = flow_cost(target, words)
    assert (said.edges, said.flows) == (2 * tokens * (tokens + 1) // 2, len(words))
    found = flow(target, words)
    assert [unit.text for unit in found.units] == [word.text for word in words]
    assert ((found.scores > 0) & (found.scores <= 1)).all()
    with pytest.raises(BadOption, match=r"takes about 0 seconds. Give units=prompt\.words"):
        flow(target, seconds=1e-9)


def test_an_answers_rollout_starts_at_every_token_of_it():
    lm = model()
    target = lm.answer(judged(), " it is near .")
    matrices = layers(target, "keep")
    rows = torch.stack(
        [
            rolled(matrices, torch.eye(len(matrices[0]))[at])
            for at in range(len(target.units) - 1, len(matrices[0]))
        ]
    )
    np.testing.assert_allclose(rollout(target, "keep").scores, rows.mean(0)[: len(target.units)], atol=1e-6)


def test_unknown_sinks():
    with pytest.raises(BadOption, match=r"sink 'first'\. Expected one of: drop, norm, keep"):
        rollout(model().contrast(judged()), "first")


@pytest.mark.parametrize("nodes", [3, 16])
def test_all_of_the_attention_of_the_verdict_reaches_every_level_of_the_graph(nodes):
    target = model().contrast(judged())
    found = flow_graph(target, nodes=nodes)
    assert len(found.nodes) <= nodes
    assert found.nodes[-1] == "the verdict"
    for level in range(found.levels):
        assert sum(weight for at, _, _, weight in found.edges if at == level) == pytest.approx(1.0, abs=1e-6)


def test_the_graph_of_an_answer_starts_at_all_its_tokens():
    target = model().answer(judged(), " yes no")
    found = flow_graph(target)
    assert found.nodes[-1] == "the answer"
    assert sum(weight for level, *_, weight in found.edges if level == 0) == pytest.approx(1.0, abs=1e-6)


def test_the_graphs_edges_are_those_of_the_products_of_matrices():
    target = model(num_hidden_layers=5).contrast(judged())
    found = flow_graph(target, nodes=6, levels=2)
    matrices = [matrix.double().numpy() for matrix in layers(target)]
    products = [matrices[1] @ matrices[0], matrices[4] @ matrices[3] @ matrices[2]]
    _, members = _parts(target, 6)
    reached = np.eye(len(members))[-1]
    for level in (1, 0):
        rows = np.stack([products[level][inside].mean(0) for inside in members])
        between = np.stack([rows[:, inside].sum(1) for inside in members], axis=1)
        weights = {(key, query): weight for at, key, query, weight in found.edges if at == level}
        for (query, key), share in np.ndenumerate(reached[:, None] * between):
            assert weights.get((key, query), 0.0) == pytest.approx(share, abs=1e-6)
        reached = reached @ between


def test_no_matrix_of_a_layer_is_kept_while_the_next_one_runs():
    target = model(num_hidden_layers=3).contrast(judged())
    seen, alive = [], []

    def take(_number, matrix):
        alive.append(sum(earlier() is not None for earlier in seen))
        seen.append(weakref.ref(matrix))

    each_layer(target, take)
    assert alive == [0, 0, 0]
