"""`arena explain`: a judge behind an API with a planted preference, one with real weights, and wrong use."""

from __future__ import annotations

import json
import math
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from typer.testing import CliRunner

from arena.cli import app
from arena.config import EXPLANATION_REPLIES, read_settings, reply_cache_path
from arena.errors import ConfigError
from arena.explaining.explain import explain, explain_battle, find_stored
from arena.explaining.request import ExplainConfig, method_names, requests
from arena.store import Database
from tests.support.voted_battles import add_voted_battle

BIAS = 1.5  # logits for whatever is shown first
PLANTED = {"Canberra": 2.0, "Sydney": -1.0}  # logits for the answer that says it


class Judge(ThreadingHTTPServer):
    """Answers with log-probabilities: a bias for the first place, and a taste for planted words."""

    def __init__(self, *, logprobs: bool = True, fail_after: int | None = None, moody: bool = False) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.logprobs, self.fail_after, self.moody, self.calls = logprobs, fail_after, moody, 0
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    def contrast(self, text: str) -> float:
        _, _, answers = text.partition("Answer A:")
        first, _, second = answers.partition("Answer B:")
        taste = sum(weight * ((word in first) - (word in second)) for word, weight in PLANTED.items())
        return BIAS + (-taste if self.moody and "Please" in text else taste)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Judge

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.calls += 1
        if self.server.fail_after is not None and self.server.calls > self.server.fail_after:
            self.answer(400, {"error": {"message": "no more"}})
            return
        f = self.server.contrast(body["messages"][-1]["content"])
        a, b = -math.log1p(math.exp(-f)), -math.log1p(math.exp(f))
        top = [{"token": "A", "logprob": a}, {"token": "B", "logprob": b}]
        choice = {"index": 0, "message": {"role": "assistant", "content": "A"}, "finish_reason": "length"}
        if self.server.logprobs:
            choice["logprobs"] = {"content": [{"token": "A", "logprob": a, "top_logprobs": top}]}
        self.answer(200, {"choices": [choice], "usage": {"prompt_tokens": 1, "completion_tokens": 1}})

    def answer(self, status: int, body: dict) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_) -> None:
        pass


SETTINGS = """
database_url = "sqlite:///{folder}/arena.db"

[[models]]
name = "behind-api"
endpoint = "openai"
enabled = false
url = "{url}"

[[models]]
name = "fake"
endpoint = "scripted"
"""
A = "It is Canberra. That lies inland."
B = "It is Sydney, on the coast."


@pytest.fixture
def judge():
    with Judge() as one:
        yield one


def folder_of(tmp_path, judge, a=A, b=B):
    """Settings and a store with one battle that a person decided for B."""
    (tmp_path / "arena.toml").write_text(SETTINGS.format(folder=tmp_path, url=judge.url))
    settings = read_settings(tmp_path / "arena.toml")
    database = Database(settings.database_url)
    database.make_ready()
    number = add_voted_battle(database, "Australia's capital?", a, b, "model_b")
    return settings, database, number


def request_of(database, settings, battle, judge, method="screen", **options):
    """The request of one method."""
    (request,) = requests(database, settings, ExplainConfig(battle, judge, (method,), **options))
    return request


def quiet(*_) -> None:
    pass


@pytest.mark.slow
@pytest.mark.parametrize("method", ["occlusion", "screen", "owen"])
def test_planted_words_are_found_and_the_place_is_kept_apart(tmp_path, judge, method):
    settings, database, number = folder_of(tmp_path, judge)
    found = explain(database, settings, request_of(database, settings, str(number), "behind-api", method), quiet)
    assert found.verdict.bias == pytest.approx(BIAS, abs=1e-6)
    assert found.verdict.content == pytest.approx(3.0, abs=1e-6)  # +2 for Canberra in A, +1 for Sydney in B
    scores = {word.text.strip(): word.score for word in found.words}
    assert scores["Canberra."] == pytest.approx(2.0, abs=1e-6)
    assert scores["Sydney,"] == pytest.approx(1.0, abs=1e-6)
    rest = [score for word, score in scores.items() if word not in ("Canberra.", "Sydney,")]
    assert max(map(abs, rest)) < 1e-6
    assert found.faithfulness.beats_random
    database.close()


@pytest.mark.slow
def test_a_preference_that_a_rewording_turns_round_is_none(tmp_path):
    with Judge(moody=True) as moody:
        settings, database, number = folder_of(tmp_path, moody, a="Canberra.", b="Sydney.")
        found = explain(database, settings, request_of(database, settings, str(number), "behind-api"), quiet)
        database.close()
        done = run(tmp_path, str(number), "--judge", "behind-api")
        assert "position decides" not in done.stdout  # it does not: 3 against 1.5
        assert "content +3.000 (-3.000 to +3.000 over 6 wordings): no preference by content" in done.stdout
        assert "no map: there is no preference" in done.stdout
        assert "Canberra" not in done.stdout.split("content +3")[0]
        assert "Canberra" in run(tmp_path, str(number), "--judge", "behind-api", "--map").stdout
    assert found.verdict.content == pytest.approx(3.0, abs=1e-6)
    assert found.verdict.content_range == pytest.approx((-3, 3), abs=1e-6)
    assert (found.verdict.winner, found.verdict.preferred) == ("tie", None)
    assert len(found.verdict.wordings) == 5


@pytest.mark.slow
def test_a_flip_of_the_content_may_leave_the_letter(tmp_path, judge):
    settings, database, number = folder_of(
        tmp_path, judge, a="Canberra, of course.", b="It is Canberra or Sydney."
    )
    request = request_of(database, settings, str(number), "behind-api", "occlusion")
    found = explain(database, settings, request, quiet)
    assert found.verdict.content == pytest.approx(1.0, abs=1e-6)
    assert (found.verdict.winner, found.verdict.preferred) == ("model_a", "completion_a")
    flip = found.counterfactual
    assert flip.flipped
    assert [found.words[unit].text.strip() for unit in flip.removed] == ["Canberra,"]
    assert (flip.orders[0].before, flip.orders[0].after) == pytest.approx((2.5, 0.5), abs=1e-6)  # A in both
    assert (flip.orders[1].before, flip.orders[1].after) == pytest.approx((0.5, 2.5), abs=1e-6)
    assert not any(order.letter_changes for order in flip.orders)
    assert (flip.singles.tested, flip.singles.flipped) == (len(found.words), 1)
    database.close()


@pytest.mark.slow
def test_sentences_add_up_to_their_words_and_the_flip_is_what_was_planted(tmp_path, judge):
    settings, database, number = folder_of(tmp_path, judge, a=A, b="No idea at all.")
    found = explain(
        database, settings, request_of(database, settings, str(number), "behind-api", "occlusion"), quiet
    )
    for sentence in found.sentences:
        first, last = sentence.words
        assert sentence.score == pytest.approx(sum(w.score for w in found.words[first : last + 1]))
    assert not found.counterfactual.flipped  # without the planted word nothing is preferred: no other winner
    assert found.counterfactual.after == pytest.approx(0, abs=1e-6)
    database.close()


@pytest.mark.slow
def test_an_explanation_is_found_again_and_its_answers_too(tmp_path, judge):
    settings, database, number = folder_of(tmp_path, judge)
    asked = request_of(database, settings, str(number), "behind-api", "screen")
    assert find_stored(database, asked) is None
    made = explain(database, settings, asked, quiet)
    calls = judge.calls
    assert find_stored(database, asked) == made
    again = explain(database, settings, asked, quiet)
    assert judge.calls == calls  # the journal had them all
    assert again.words == made.words
    other = request_of(
        database, settings, str(number), "behind-api", "screen", template="{question}{answer_a}{answer_b}"
    )
    assert find_stored(database, other) is None
    database.close()


@pytest.mark.slow
def test_an_explanation_starts_from_python_in_three_lines(tmp_path, judge):
    folder_of(tmp_path, judge)[1].close()

    settings = read_settings(tmp_path / "arena.toml")
    database = Database(settings.database_url)
    (result,) = explain_battle(database, settings, ExplainConfig("1", judge="behind-api"))

    assert result.explanation.verdict.content == pytest.approx(3.0, abs=1e-6)
    assert not result.stored
    calls = judge.calls
    (again,) = explain_battle(database, settings, ExplainConfig("1", judge="behind-api"))
    assert (again.stored, again.explanation, judge.calls) == (True, result.explanation, calls)
    (computed,) = explain_battle(database, settings, ExplainConfig("1", judge="behind-api", recompute=True))
    assert not computed.stored
    database.close()


@pytest.mark.slow
@pytest.mark.parametrize("form", ["text", "html"])
def test_sampled_shapley_values_are_shown(tmp_path, judge, form):
    folder_of(tmp_path, judge)[1].close()
    done = run(tmp_path, "1", "--judge", "behind-api", "--method", "shapley", "--format", form)
    assert done.exit_code == 0, done.exception
    assert "Canberra" in done.stdout


@pytest.mark.slow
def test_after_an_interruption_only_the_rest_is_called(tmp_path, judge):
    settings, database, number = folder_of(tmp_path, judge)
    asked = request_of(database, settings, str(number), "behind-api", "occlusion")

    def interrupt(_stage, done, _total):
        if done >= 32:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        explain(database, settings, asked, interrupt)
    before = judge.calls
    assert before > 0
    explain(database, settings, asked, quiet)
    with_all = judge.calls
    reply_cache_path(settings, name=EXPLANATION_REPLIES).unlink()
    explain(database, settings, asked, quiet)
    assert judge.calls - with_all == with_all
    database.close()


def run(tmp_path, *arguments):
    return CliRunner().invoke(app, ["explain", *arguments, "--config", str(tmp_path / "arena.toml")])


@pytest.mark.slow
def test_the_command_writes_text_json_and_html(tmp_path, judge):
    _, database, number = folder_of(tmp_path, judge)
    database.close()
    message = run(tmp_path, str(number), "--judge", "behind-api")
    assert message.exit_code == 0, message.stderr
    assert "by content the judge prefers Answer A: plain" in message.stdout
    assert "faithfulness: beats random" in message.stdout
    assert "votes: human: model_b" in message.stdout
    document = json.loads(run(tmp_path, str(number), "--judge", "behind-api", "--format", "json").stdout)
    assert document["judge"] == "behind-api"
    two = ("--method", "screen", "--method", "occlusion", "--format", "html", "--output", str(tmp_path / "x.html"))
    assert run(tmp_path, str(number), "--judge", "behind-api", *two).exit_code == 0
    written = (tmp_path / "x.html").read_text()
    assert written.count('<section class="card">') == 2
    assert "http" not in written.replace("http://www.w3.org/2000/svg", "")


@pytest.mark.slow
def test_a_judge_that_fails_midway_says_so_and_goes_on_later(tmp_path):
    with Judge(fail_after=40) as failing:
        _, database, number = folder_of(tmp_path, failing)
        database.close()
        done = run(tmp_path, str(number), "--judge", "behind-api", "--method", "occlusion")
        assert done.exit_code == 1
        assert "Run it again to resume" in str(done.exception)
        before, failing.fail_after = failing.calls, None
        assert run(tmp_path, str(number), "--judge", "behind-api", "--method", "occlusion").exit_code == 0
        assert failing.calls > before


def test_a_judge_without_log_probabilities_cannot_be_explained(tmp_path):
    with Judge(logprobs=False) as silent:
        _, database, number = folder_of(tmp_path, silent)
        database.close()
        done = run(tmp_path, str(number), "--judge", "behind-api")
    assert done.exit_code == 1
    assert "unparsable" in str(done.exception)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("999", "--judge", "behind-api"), "Battle '999' not found"),
        (("1", "--judge", "nobody"), "no model is called 'nobody'. Name one of: behind-api, fake"),
        (("1", "--judge", "behind-api", "--method", "magic"), f"Use one of: {', '.join(method_names())}"),
        (("1",), "--judge: no judge is named. Name a model"),
        (("1", "--judge", "fake"), "is scripted"),
        (("1", "--judge", "behind-api", "--template", "nowhere.md"), "cannot be read"),
    ],
)  # fmt: skip
def test_wrong_use_says_what_to_type(tmp_path, judge, arguments, message):
    _, database, _ = folder_of(tmp_path, judge)
    database.close()
    done = run(tmp_path, *arguments)
    assert isinstance(done.exception, ConfigError)
    assert message in str(done.exception)


@pytest.mark.parametrize(("a", "b", "message"), [("", B, "completion a is empty"), (A, A, "are the same")])
def test_a_battle_that_no_judge_is_asked_about_is_not_explained(tmp_path, judge, a, b, message):
    _, database, number = folder_of(tmp_path, judge, a, b)
    database.close()
    done = run(tmp_path, str(number), "--judge", "behind-api")
    assert isinstance(done.exception, ConfigError)
    assert message in str(done.exception)


def test_an_open_battle_keeps_its_secret(tmp_path, judge):
    settings, database, _ = folder_of(tmp_path, judge)
    from arena.store.battles import add_battle

    with database.write() as session:
        number = add_battle(session, "voter", "plain", "lists", 1.0).id
    with pytest.raises(ConfigError, match="Only a battle with a vote can be explained"):
        request_of(database, settings, str(number), "behind-api")
    database.close()
