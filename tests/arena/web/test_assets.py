"""Addresses and caching of styles and scripts."""

from __future__ import annotations

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from arena.web.assets import asset, find_asset
from arena.web.pages import reading


@pytest.fixture
def client() -> TestClient:
    app = FastAPI()
    app.include_router(reading.routes())
    return TestClient(app)


def test_an_address_with_the_hash_of_the_content_is_kept_for_a_year(client: TestClient) -> None:
    reply = client.get(asset("tokens.css"))
    assert "immutable" in reply.headers["cache-control"]
    assert reply.headers["content-encoding"] == "gzip"


def test_another_address_is_checked_and_not_sent_again(client: TestClient) -> None:
    reply = client.get("/reading/tokens.css?v=older")
    assert reply.headers["cache-control"] == "no-cache"
    assert client.get("/reading/tokens.css", headers={"if-none-match": reply.headers["etag"]}).status_code == 304


@pytest.mark.parametrize("accepted", ["identity", "br, gzip;q=0", "*, gzip; Q = 0.000", "gzip;q=x"])
def test_a_client_without_gzip_gets_the_file_as_it_is(client: TestClient, accepted: str) -> None:
    reply = client.get("/reading/theme.js", headers={"accept-encoding": accepted})
    found = find_asset("theme.js")
    assert found is not None
    assert reply.content == found.plain
    assert "content-encoding" not in reply.headers


@pytest.mark.parametrize("accepted", ["gzip", "br, GZIP;q=0.001", "*", "*;q=0, x-gzip"])
def test_a_client_that_takes_gzip_gets_it(client: TestClient, accepted: str) -> None:
    reply = client.get("/reading/theme.js", headers={"accept-encoding": accepted})
    assert (reply.headers["content-encoding"], reply.headers["vary"]) == ("gzip", "accept-encoding")


def test_the_library_of_plots_is_sent_in_the_form_that_the_client_takes(client: TestClient) -> None:
    plain = client.get("/reading/plotly.js", headers={"accept-encoding": "gzip;q=0"})
    assert "content-encoding" not in plain.headers
    assert client.get("/reading/plotly.js").text == plain.text


@pytest.mark.parametrize("name", ["nothing.css", "../rendering.py", ".hidden", "tokens.css.map"])
def test_a_file_that_no_page_loads_does_not_exist(name: str) -> None:
    assert find_asset(name) is None
    with pytest.raises(ValueError, match="There is no file"):
        asset(name)
