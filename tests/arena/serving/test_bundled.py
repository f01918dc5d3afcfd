"""What `arena demo` serves, and what it finds on this machine."""

from __future__ import annotations

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from typer.testing import CliRunner

from arena.cli import app
from arena.config import OpenAISettings
from arena.serving.bundled import SCRIPTED, embedded, find_local_servers, terms_of, without_extra


@pytest.fixture
def local_server():
    """A server as Ollama's or vLLM's, with a chat model and an embedding model."""

    class Models(BaseHTTPRequestHandler):
        def do_GET(self):
            body = json.dumps({"data": [{"id": "llama3.2"}, {"id": "nomic-embed-text"}]}).encode()
            self.send_response(200 if self.path == "/v1/models" else 404)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            """Quiet."""

    server = HTTPServer(("127.0.0.1", 0), Models)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


async def test_chat_models_of_local_servers_are_found(local_server):
    (model,) = await find_local_servers([local_server, 9])
    assert model.name == "llama3.2"
    assert model.url == f"http://127.0.0.1:{local_server}/v1"


async def test_where_nothing_listens_nothing_is_found():
    assert await find_local_servers([9]) == ()


def test_gemma_can_be_left_out_and_its_terms_are_shown_otherwise():
    assert [model.name for model in embedded()] == ["smollm2-135m-instruct", "gemma-3-270m"]
    assert [model.name for model in embedded(["gemma"])] == ["smollm2-135m-instruct"]
    assert len(terms_of(embedded())) == 1
    assert terms_of(embedded(["gemma"])) == []
    assert terms_of(SCRIPTED) == []


def test_without_the_extra_the_command_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "xllamacpp", None)  # as where it is not installed
    done = CliRunner().invoke(app, ["demo", "--no-discover", "--port", "0"])
    assert done.exit_code != 0
    assert "pip install 'arena[demo]'" in str(done.exception)
    assert "arena demo --models scripted" in str(done.exception)


def test_two_models_found_on_this_machine_do_without_the_extra():
    found = tuple(OpenAISettings(name=name, endpoint="openai", url="http://127.0.0.1:9/v1") for name in "ab")
    assert without_extra(found) == found
