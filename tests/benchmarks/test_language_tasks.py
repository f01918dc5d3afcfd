"""Language modelling, instructions and function calls: requests and scores."""

import json
from math import exp, log

import pytest

from benchmarks import wikitext
from benchmarks.data import DataSources, task_rows
from benchmarks.errors import BadData
from benchmarks.function_calls import Call, calls_of, tool, written, wrong
from benchmarks.report import report
from benchmarks.task import RequestType, Sample, Status
from benchmarks.tasks import shipped
from tests.support.published import published

WEIGH, ASK = RequestType.LOGLIKELIHOOD, RequestType.GENERATE


def data(name):
    return published("benchmarks", name)


def samples(name):
    task = shipped()[name]
    return task.samples(task_rows(task, DataSources(published(), hub=False))["test"])


def lines(name):
    path = data(name)
    found = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [{**row, "_file": path.stem, "_line": number} for number, row in enumerate(found, 1)]


def reply(text=None, **message):
    return {"choices": [{"message": {"content": text, **message}, "finish_reason": "stop"}]}


def test_wikitext_pages_have_the_bytes_of_the_published_raw_file():
    """1 290 590 bytes and 62 pages; the hub's rows come back but for the place of one empty one."""
    text = data("wikitext2/wiki.test.raw.txt").read_text(encoding="utf-8")
    rows = [json.loads(line) for line in data("wikitext2/wikitext2_raw_test_rows.jsonl").read_text().splitlines()]
    ours = wikitext.rows(text)
    assert len(ours) == len(rows) == 4358
    assert [row for row in ours if row] == [row for row in rows if row]
    pages = wikitext.pages(rows)
    assert (len(pages), sum(len(page.encode()) for page in pages)) == (62, 1290590)
    assert wikitext.pages(ours)[0] == pages[0]


def test_detokenised_text_is_what_a_person_would_write():
    raw = ' He sold 1 @,@ 000 " Star @-@ Wars " cards ( 5 @.@ 5 % ) , and left . \n'
    assert wikitext.detokenised(raw) == ' He sold 1,000 "Star-Wars" cards (5.5 %), and left.\n'


def test_a_uniform_model_has_its_vocabulary_as_perplexity():
    task, asked = shipped()["wikitext2"], samples("wikitext2")[:3]
    outcomes = []
    for one in asked:
        tokens = one.fields["bytes"]  # a model of bytes, each with probability 1/256
        outcomes.append(task.score(one, [{"logprob": -log(256) * tokens, "tokens": tokens}], WEIGH))
    found = report(task, asked, outcomes)
    assert found.metrics["byte_perplexity"] == pytest.approx(256)
    assert found.metrics["bits_per_byte"] == pytest.approx(8)
    assert found.metrics["token_perplexity"] == pytest.approx(256)
    words, size = (sum(one.fields[name] for one in asked) for name in ("words", "bytes"))
    assert found.value == pytest.approx(256 ** (size / words))
    assert found.lower <= found.value <= found.upper


def test_the_gptq_convention_joins_all_rows_and_asks_for_windows_of_2048():
    (one,) = samples("wikitext2_gptq")
    (request,) = shipped()["wikitext2_gptq"].requests(one, [], WEIGH)
    assert request["window"] == 2048
    assert request["text"].startswith("\n\n = Robert Boulter = \n\n\n")
    ptb = shipped()["ptb"].samples([{"text": " no it was n't \n black monday \n\n"}])
    assert ptb[0].fields["text"] == "no it was n't black monday"


def test_lambada_counts_greedy_words():
    task, asked = shipped()["lambada"], samples("lambada")
    assert len(asked) == 5153
    (request,) = task.requests(asked[0], [], WEIGH)
    assert request["continuation"] == " signs"
    outcomes = [
        task.score(one, [{"logprob": -2.0, "greedy": n % 2 == 0, "tokens": 1}], WEIGH)
        for n, one in enumerate(asked[:10])
    ]
    found = report(task, asked[:10], outcomes)
    assert found.value == 0.5
    assert found.metrics["perplexity"] == pytest.approx(exp(2))


def test_lambada_without_log_probabilities_reads_the_first_word_of_a_chat_reply():
    task, sample = shipped()["lambada"], Sample("1", {"context": "He opened the door and saw the"}, target="signs")
    (request,) = task.requests(sample, [], ASK)
    assert request["messages"][0]["content"].endswith("\n\nHe opened the door and saw the")
    replies = [
        {"choices": [{"message": {"content": text}, "finish_reason": "length"}]}
        for text in ("Signs. So", "a", "…")
    ]
    outcomes = [task.score(sample, [reply], ASK) for reply in replies]
    assert [outcome.status for outcome in outcomes] == ["scored", "scored", "unparsed"]
    found = report(task, [sample] * 3, outcomes)
    assert (found.value, "perplexity" in found.metrics) == (pytest.approx(1 / 3), False)


def test_ifeval_reports_requests_and_instructions():
    task = shipped()["ifeval"]
    rows = [
        {
            "key": 1,
            "prompt": "p",
            "instruction_id_list": ["punctuation:no_comma", "detectable_format:title"],
            "kwargs": [{}, {}],
        },
        {"key": 2, "prompt": "p", "instruction_id_list": ["punctuation:no_comma"], "kwargs": [{}]},
    ]
    asked = task.samples(rows)
    outcomes = [
        task.score(one, [reply(text)], ASK)
        for one, text in zip(asked, ["no title", "Well, so\nnone"], strict=True)
    ]
    found = report(task, asked, outcomes).metrics
    assert (found["prompt_strict"], found["prompt_loose"]) == (0, 0.5)
    assert found["instruction_strict"] == pytest.approx(1 / 3)
    assert found["instruction_loose"] == pytest.approx(2 / 3)
    assert outcomes[0].answer == "not followed: detectable_format:title"
    assert len(samples("ifeval")) == 541
    with pytest.raises(BadData, match="Instruction 'x:y' is unknown"):
        task.samples([{"key": 1, "prompt": "p", "instruction_id_list": ["x:y"], "kwargs": [{}]}])


FUNCTION = {
    "name": "geo.area",
    "parameters": {
        "type": "dict",
        "properties": {"base": {"type": "integer"}, "unit": {"type": "string"}, "exact": {"type": "boolean"}},
        "required": ["base"],
    },
}
ACCEPTED = {"geo.area": {"base": [10], "unit": ["square cm", ""], "exact": ["", False]}}


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ({"base": 10}, ""),
        ({"base": 10, "unit": "Square_CM", "exact": False}, ""),
        ({"base": 10.5}, "argument base is 10.5, which is no integer"),
        ({"base": 11}, "argument base is 11"),
        ({"base": True}, "argument base is True, which is no integer"),
        ({"base": 10, "unit": "m"}, "argument unit is 'm'"),
        ({"base": 10, "exact": True}, "argument exact is True"),
        ({"base": 10, "height": 3}, "argument height is not one of geo.area"),
        ({"unit": "square cm"}, "argument base is missing"),
    ],
)
def test_a_call_is_compared_by_name_type_and_value(arguments, why):
    assert wrong([Call("geo_area", arguments)], [FUNCTION], [ACCEPTED]) == why


def test_calls_match_in_any_order_and_each_once():
    other = {"geo.area": {"base": [20], "unit": [""], "exact": [""]}}
    ten, twenty = Call("geo_area", {"base": 10}), Call("geo.area", {"base": 20})
    assert wrong([twenty, ten], [FUNCTION], [ACCEPTED, other]) == ""
    assert wrong([ten, ten], [FUNCTION], [ACCEPTED, other]) == "two calls for one"
    assert wrong([ten], [FUNCTION], [ACCEPTED, other]) == "1 calls instead of 2"
    assert wrong([Call("area", {})], [FUNCTION], [ACCEPTED]) == "function area instead of geo.area"


def test_calls_are_read_from_tools_and_from_text():
    tools = [{"function": {"name": "f", "arguments": '{"x": [1, {"y": "z"}]}'}}]
    assert calls_of(reply(tool_calls=tools)) == [Call("f", {"x": [1, {"y": "z"}]})]
    assert calls_of(reply("```python\n[geo.area(base=10, point=(1, -2)), f()]\n```")) == [
        Call("geo.area", {"base": 10, "point": [1, -2]}),
        Call("f", {}),
    ]
    assert calls_of(reply("I cannot (really) do that.")) == []
    assert calls_of(reply("[f(x=")) is None
    assert calls_of(reply("f(1)")) is None
    assert written("f(x=1)") == [Call("f", {"x": 1})]


def test_tools_have_the_types_and_names_that_servers_accept():
    made = tool(FUNCTION)["function"]
    assert made["name"] == "geo_area"
    assert made["parameters"]["type"] == "object"


def answered():
    """BFCL with its accepted answers, and each sample's first accepted call."""
    task = shipped()["bfcl"]
    rows = {
        role: [row for source in task.sources[role] for row in lines(source.file)] for role in ("test", "answers")
    }
    task = task.prepare({"answers": rows["answers"]})
    return task, task.samples(rows["test"])


def first(value):
    """One accepted value; the keys of dictionaries have lists of them."""
    if isinstance(value, dict):
        return {
            key: first(given[0])
            for key, all_given in value.items()
            if (given := [x for x in all_given if x != ""])
        }
    return [first(one) for one in value] if isinstance(value, list) else value


def test_the_accepted_answers_of_bfcl_are_right():
    """4 of 1298 are not: two accept arguments that their functions do not have, two are empty."""
    task, asked = answered()
    assert len(asked) == 1554
    bad = []
    for one in asked:
        if one.target is None:
            continue
        calls = [
            {"function": {"name": name.replace(".", "_"), "arguments": json.dumps(first(values))}}
            for accepted in reversed(one.target)
            for name, values in accepted.items()
        ]
        outcome = task.score(one, [reply(tool_calls=calls)], ASK)
        bad += [] if outcome.metrics.get("acc") == 1 else [one.id]
    assert bad == ["parallel_multiple_12", "parallel_multiple_26", "live_simple_106-63-0", "live_simple_112-68-0"]


def test_no_call_is_right_where_no_function_fits():
    task, asked = answered()
    none, some = (next(one for one in asked if one.subject == name) for name in ("irrelevance", "live_relevance"))
    call = reply(tool_calls=[{"function": {"name": "f", "arguments": "{}"}}])
    assert task.score(none, [reply("I cannot.")], ASK).metrics["acc"] == 1
    assert task.score(none, [call], ASK).metrics["acc"] == 0
    assert task.score(some, [call], ASK).metrics["acc"] == 1
    assert task.score(asked[0], [reply("[f(")], ASK).status is Status.UNPARSED


def test_written_calls_are_asked_for_in_the_prompt():
    sample = Sample("1", {"messages": [{"role": "user", "content": "go"}], "functions": [FUNCTION]})
    (body,) = shipped()["bfcl_written"].requests(sample, [], ASK)
    assert "geo.area" in body["messages"][0]["content"]
    assert "tools" not in body
    assert shipped()["bfcl"].requests(sample, [], ASK)[0]["tools"][0]["function"]["name"] == "geo_area"


def test_truthfulqa_mc2_is_the_probability_of_the_true_answers_among_all():
    task = shipped()["truthfulqa_mc2"]
    sample = Sample(id="1", fields={"question": "What?"}, choices=("True.", "Also true.", "False."), target=2)
    replies = [{"logprob": log(probability)} for probability in (0.3, 0.1, 0.2)]
    outcome = task.score(sample, replies, RequestType.LOGLIKELIHOOD)
    assert outcome.metrics == {"mc2": pytest.approx(0.4 / 0.6)}
    assert report(task, [sample], [outcome]).value == pytest.approx(0.4 / 0.6)
