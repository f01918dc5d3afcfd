"""Chat completions with the oddities of real providers, and what a judge run must make of each.

A quirk changes the plain reply of a judge, which names the right side. `reads` are the modes in which the verdict
can still be read without doubt; in the others the case must end without a verdict. Never may it be wrong.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

MODES = ("single", "baseline", "pairwise")
SINGLE, BASELINE, PAIRWISE = ({mode} for mode in MODES)
ALL, NONE = set(MODES), set[str]()
USAGE = {"prompt_tokens": 90, "completion_tokens": 9, "total_tokens": 99}


@dataclass(frozen=True)
class Answer:
    """The judge's plain reply: text, the opposite verdict's text, and the tokens of a one-letter reply."""

    mode: str
    text: str
    opposite: str
    tokens: list[dict[str, Any]] | None  # of a request with log-probabilities
    request: Mapping[str, Any] = field(default_factory=dict)

    def body(self, text: Any = None, *, finish: Any = None, **message: Any) -> dict[str, Any]:
        """The reply as a chat completion, with another text or content or finish reason."""
        content = self.text if text is None else text
        logprobs = {"content": self.tokens} if self.tokens else None
        finish = finish or ("length" if self.tokens else "stop")
        choice = {"index": 0, "finish_reason": finish, "logprobs": logprobs}
        choice["message"] = {"role": "assistant", "content": content, **message}
        return {"id": "c", "object": "chat.completion", "choices": [choice], "usage": dict(USAGE)}


Body = Callable[[Answer], Any]  # the JSON value, or the bytes of a whole HTTP reply


@dataclass(frozen=True)
class Quirk:
    name: str
    body: Body
    reads: frozenset[str]
    asks: int | None = 1  # calls for each request of a mode that reads; None if some fail first


def http(
    data: bytes, *, status: int = 200, headers: Mapping[str, str] | None = None, length: int | None = None
) -> bytes:
    size = len(data) if length is None else length
    lines = {"Content-Type": "application/json", "Content-Length": str(size), "Connection": "close"}
    head = "".join(f"{name}: {value}\r\n" for name, value in (lines | dict(headers or {})).items())
    return f"HTTP/1.1 {status} X\r\n{head}\r\n".encode() + data


def _choice(change: Mapping[str, Any]) -> Body:
    """The plain reply with fields of its choice replaced; ... removes one."""

    def body(answer: Answer) -> Any:
        whole = answer.body()
        merged = whole["choices"][0] | dict(change)
        whole["choices"] = [{name: value for name, value in merged.items() if value is not ...}]
        return whole

    return body


def _body(change: Mapping[str, Any]) -> Body:
    def body(answer: Answer) -> Any:
        merged = answer.body() | dict(change)
        return {name: value for name, value in merged.items() if value is not ...}

    return body


def _tokens(change: Callable[[list[dict[str, Any]]], Any]) -> Body:
    """The plain reply with other log-probabilities, also in replies of text."""

    def body(answer: Answer) -> Any:
        whole = answer.body()
        tokens = answer.tokens or [{"token": "So", "logprob": -0.1, "top_logprobs": []}]
        whole["choices"][0]["logprobs"] = change([dict(token) for token in tokens])
        return whole

    return body


def _each(**change: Any) -> Body:
    return _tokens(lambda tokens: {"content": [token | change for token in tokens]})


def _without_alternative(tokens: list[dict[str, Any]]) -> Any:
    """The alternatives without a number for the letter that was not written."""
    written = tokens[0]["token"]
    top = [t if t["token"] == written else t | {"logprob": None} for t in tokens[0]["top_logprobs"]]
    return {"content": [tokens[0] | {"top_logprobs": top}]}


def _only_other(tokens: list[dict[str, Any]]) -> Any:
    """The alternatives without the token that was written."""
    top = [t for t in tokens[0]["top_logprobs"] if t["token"] != tokens[0]["token"]]
    return {"content": [tokens[0] | {"top_logprobs": top}]}


def _parts(*parts: Callable[[Answer], Any]) -> Body:
    return lambda answer: answer.body([part(answer) for part in parts])


def _text(answer: Answer) -> Any:
    return {"type": "text", "text": answer.text}


def _thinking(answer: Answer) -> Any:
    return {"type": "thinking", "thinking": [{"type": "text", "text": answer.opposite}]}


def _before(prefix: str) -> Body:
    """The plain text after a prefix, in which {} is the opposite verdict."""

    def body(answer: Answer) -> Any:
        whole = answer.body(prefix.replace("{}", answer.opposite) + answer.text)
        if answer.tokens:  # tokens of thinking come first
            whole["choices"][0]["logprobs"] = None
        return whole

    return body


def _stream(answer: Answer) -> bytes:
    events = [
        {"choices": [{"index": 0, "delta": {"content": answer.text}, "finish_reason": None}]},
        {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "usage": USAGE},
    ]
    lines = [": keep-alive", *(f"data: {json.dumps(event)}" for event in events), "data: [DONE]"]
    return http("\n\n".join([*lines, ""]).encode(), headers={"Content-Type": "text/event-stream"})


def _raw(around: Callable[[bytes], bytes], **given: Any) -> Body:
    return lambda answer: http(around(json.dumps(answer.body()).encode()), **given)


def _fixed(body: Any) -> Body:
    """The same reply to every request."""
    return lambda _answer: body


def _json_text(change: Callable[[str], str]) -> Body:
    """The plain text changed where it is a JSON object."""
    return lambda answer: answer.body(change(answer.text) if answer.mode == "single" else None)


def _quirk(name: str, body: Body, reads: set[str] = ALL, asks: int | None = 1) -> Quirk:
    return Quirk(name, body, frozenset(reads), asks)


CONTENT = [
    _quirk("content is a list of parts", _parts(_text)),
    _quirk("a thinking part before the text", _parts(_thinking, _text)),
    _quirk("content is a list of texts", _parts(lambda answer: answer.text)),
    _quirk("parts of type output_text", _parts(lambda answer: {"type": "output_text", "text": answer.text})),
    _quirk("only a thinking part", _parts(_thinking), NONE),
    _quirk("content is null", lambda a: a.body([]) | {"choices": [{"message": {"content": None}}]}, NONE),
    _quirk("content is missing", lambda a: a.body() | {"choices": [{"message": {"role": "assistant"}}]}, NONE),
    _quirk("content is a number", lambda a: a.body(7), NONE),
    _quirk("the verdict only in reasoning_content", lambda a: a.body(" ", reasoning_content=a.text), NONE),
    _quirk("thinking in reasoning_content", lambda a: a.body(reasoning_content=a.opposite)),
    _quirk("a refusal beside the text", lambda a: a.body(refusal="I cannot judge."), NONE),
    _quirk("a refusal part", lambda a: a.body([{"type": "refusal", "refusal": "no"}]), NONE),
    _quirk("<think> in the text", _before("<think>{}</think>\n")),
    _quirk("</think> without its opening", _before("I thought {}\n</think>\n")),
    _quirk("[THINK] in the text", _before("[THINK]{}[/THINK]")),
    _quirk("harmony channels in the text", _before(
        "<|channel|>analysis<|message|>{}<|end|><|start|>assistant<|channel|>final<|message|>"
    )),
    _quirk("thinking that never ends", lambda a: a.body("<think>" + a.text), NONE),
    _quirk("a special token at the end", lambda a: a.body(f"\n{a.text}<|im_end|>")),
    _quirk("the opposite verdict first", lambda a: a.body(f"{a.opposite} or {a.text}"), NONE),
    _quirk("prose around a fence", _json_text(lambda t: f"Here it is:\n```json\n{t}\n```\nBest wishes")),
    _quirk("raw line feeds in JSON", _json_text(lambda t: t.replace("fair", "one\ntwo"))),
    _quirk("quotation marks in JSON", _json_text(lambda t: t.replace("fair", 'says "yes" twice'))),
    _quirk("a score as a fraction", _json_text(lambda t: t.replace('"9"', '"9/10"').replace('"2"', '"2/10"'))),
    _quirk("a score as a decimal", _json_text(lambda t: t.replace('"9"', "9.0").replace('"2"', "2.0"))),
    _quirk("full-width signs", lambda a: a.body(a.text.replace("[[", "【【").replace("]]", "】】"))),
]  # fmt: skip
LOGPROBS = [
    _quirk("logprobs is missing", _choice({"logprobs": ...})),
    _quirk("logprobs without content", _choice({"logprobs": {"content": None, "refusal": None}})),
    _quirk("logprobs of the old completions", _tokens(lambda t: {"tokens": [t[0]["token"]], "token_logprobs": [-1]})),
    _quirk("logprobs is a list", _tokens(list)),
    _quirk("logprob is null", _each(logprob=None)),
    _quirk("logprob is a text", _each(logprob="-0.1")),
    _quirk("an alternative without logprob", _tokens(_without_alternative)),
    _quirk("top_logprobs is null", _each(top_logprobs=None)),
    _quirk("top_logprobs is missing the token written", _tokens(_only_other)),
    _quirk("top_logprobs is an object", _each(top_logprobs={"A": -0.1})),
    _quirk("a line feed before the letter", _tokens(lambda t: {"content": [
        {"token": "\n", "logprob": -0.1, "top_logprobs": [{"token": "C", "logprob": -4}]}, *t
    ]})),
    _quirk("tokens of thinking before the letter", _tokens(lambda t: {"content": [
        {"token": "A", "logprob": -0.1, "top_logprobs": []}, {"token": " B", "logprob": -0.1}, *t
    ]})),
]  # fmt: skip
FIELDS = [
    _quirk("usage is missing", _body({"usage": ...})),
    _quirk("usage is null", _body({"usage": None})),
    _quirk("usage in texts", _body({"usage": {"prompt_tokens": "90"}})),
    _quirk("usage is negative", _body({"usage": {"completion_tokens": -1}})),
    _quirk("choices is empty", _body({"choices": []}), NONE),
    _quirk("choices is null", _body({"choices": None}), NONE),
    _quirk(
        "two choices", lambda a: a.body() | {"choices": [*a.body()["choices"], *a.body(a.opposite)["choices"]]}
    ),
    _quirk("a delta in place of the message", _choice({"message": ..., "delta": {"content": "x"}}), NONE),
    _quirk("finish_reason is null", _choice({"finish_reason": None})),
    _quirk("finish_reason is unknown", _choice({"finish_reason": "end_turn"})),
    _quirk("finish_reason max_tokens", lambda a: a.body(finish="MAX_TOKENS"), BASELINE),
    _quirk("finish_reason content_filter", lambda a: a.body(finish="content_filter"), NONE),
    _quirk("finish_reason error", lambda a: a.body(finish="error"), NONE),
    _quirk("finish_reason is an object", _choice({"finish_reason": {"type": "stop"}}), NONE),
    _quirk("an error in a 200", _fixed({"error": {"message": "overloaded", "code": 529}}), NONE),
    _quirk("an error that is null", _body({"error": None})),
    _quirk("an object of type error", _fixed({"object": "error", "message": "overloaded"}), NONE),
]
WIRE = [
    _quirk("a stream although none was asked for", _stream),
    _quirk("blank lines before the JSON", _raw(lambda data: b"\n\n \n" + data)),
    _quirk("a byte order mark", _raw(lambda data: b"\xef\xbb\xbf" + data)),
    _quirk("text/plain", _raw(bytes, headers={"Content-Type": "text/plain"})),
    _quirk("status 201", _raw(bytes, status=201)),
    _quirk("text after the JSON", _raw(lambda data: data + b"{}"), NONE),
    _quirk(
        "NaN in the JSON", _raw(lambda data: data.replace(b'"prompt_tokens": 90', b'"prompt_tokens": NaN')), NONE
    ),
    _quirk("half a surrogate pair", _raw(lambda data: data.replace(b'"id": "c"', b'"id": "\\ud800"'))),
    _quirk(
        "a page of a proxy", _fixed(http(b"<html>Sign in</html>", headers={"Content-Type": "text/html"})), NONE
    ),
    _quirk("a body cut off", _fixed(http(b'{"choices": [', length=900)), NONE),
    _quirk("an empty body", _fixed(http(b"")), NONE),
]
QUIRKS = [*CONTENT, *LOGPROBS, *FIELDS, *WIRE]
