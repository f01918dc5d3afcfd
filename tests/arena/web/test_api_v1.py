"""The public interface: formats, entity tags, pages, problems, and what others embed."""

from __future__ import annotations

import asyncio
import contextlib
import csv
import io
import json
from xml.etree import ElementTree

import httpx
import pytest

from arena.battles.battles import Battles
from arena.config import BattleSettings, LedgerSettings, Settings
from arena.errors import ConfigError
from arena.exchange.ledger_keys import write_new_key
from arena.exchange.sealing import seal
from arena.rules.receipt_checks import receipt_problems
from arena.rules.seals import Seal, SealedVote
from arena.rules.signed_heads import is_signed
from arena.store import Database
from arena.store.ledger import last_seal, sealed_vote
from arena.web.app import _background_tasks, create_app
from arena.web.v1 import embedded
from arena.web.v1.problems import MEDIA
from tests.support.arenas import new_file, ready
from tests.support.ballots import PLAIN, ballot, ballots
from tests.support.seals import merkle_root
from tests.support.timing import until_async

TREE = {"prompt": "Write to ann@example.org about trees, please.", "shared": True}


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """Eight votes, four on battles that may be read, two seals, one vote of a judge."""
    folder = tmp_path_factory.mktemp("v1")
    database = new_file(folder / "arena.db")
    ballots(database, PLAIN[:4], day="2026-03-10", **TREE)
    seal(database)
    ballots(database, [("<b>dahlia</b>", "amber", "model_a"), *PLAIN[5:]], day="2026-04-10")
    seal(database)
    ballot(database, "amber", "birch", "tie", source="judge:j", voter="judge:j", prompt="Judge this.")
    yield database
    database.close()


@contextlib.asynccontextmanager
async def reading(database, **settings):
    app = create_app(Settings(**settings), database, ready())
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://arena.test") as client:
        yield client


@pytest.fixture(scope="module")
def app(world):
    return create_app(Settings(), world, ready())


@pytest.fixture
async def client(app):
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://arena.test") as one:
        yield one


async def get(client, path: str, **headers: str) -> httpx.Response:
    return await client.get(f"/api/v1/{path}", headers={name.replace("_", "-"): v for name, v in headers.items()})


ROUTES = {
    "leaderboard": "models",
    "models": "models",
    "battles": "battles",
    "votes": "votes",
    "prompts": "prompt_sets",
    "seals": "seals",
    "heads": "heads",
    "moved?model=amber&from=2026-03-31&to=2026-04-30": "opponents",
}


@pytest.mark.parametrize("path", ROUTES)
async def test_every_route_speaks_three_formats_and_knows_its_tag(client, path):
    pyarrow = pytest.importorskip("pyarrow.parquet")
    mark = "&" if "?" in path else "?"
    plain = await get(client, path)
    assert plain.headers["content-type"] == "application/json"
    rows = plain.json()[ROUTES[path]]
    table = await get(client, path, Accept="text/csv")
    assert table.headers["content-type"].startswith("text/csv")
    by_name = await get(client, f"{path}{mark}format=csv")
    assert by_name.text == table.text
    read = list(csv.DictReader(io.StringIO(table.text)))
    parquet = await get(client, path, Accept="application/vnd.apache.parquet;q=0.9, image/png")
    columns = pyarrow.read_table(io.BytesIO(parquet.content))
    assert columns.num_rows == len(read)
    if "moved" not in path:
        assert len(read) == len(rows)
    tags = {reply.headers["etag"] for reply in (plain, table, parquet)}
    assert len(tags) == 3
    again = await get(client, path, If_None_Match=f'"other", {plain.headers["etag"]}')
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", plain.headers["etag"])
    assert plain.headers["vary"] == "Accept"


async def test_a_vote_changes_the_tag_and_the_board(database):
    ballots(database, PLAIN[:2], shared=True)
    seal(database)
    async with reading(database) as client:
        for path in ("votes", "battles", "seals", "models", "prompts"):
            assert (await get(client, path)).status_code == 200
        first = await get(client, "leaderboard")
        ballot(database, "cedar", "amber", "model_a")
        second = await get(client, "leaderboard", If_None_Match=first.headers["etag"])
        assert (first.json()["votes"], second.status_code, second.json()["votes"]) == (2, 200, 3)
        third = await get(client, "leaderboard", If_None_Match=second.headers["etag"])
        assert third.status_code == 304


async def test_headers_can_be_asked_for_alone(client):
    plain, alone = await get(client, "votes"), await client.head("/api/v1/votes")
    assert (alone.status_code, alone.headers["etag"]) == (200, plain.headers["etag"])


async def test_votes_and_seals_are_enough_to_follow_the_chain(client):
    """As a stranger would, with nothing but the interface."""
    votes = [SealedVote(**row) for row in (await get(client, "votes")).json()["votes"]]
    seals = (await get(client, "seals")).json()["seals"]
    previous = "0" * 64
    for row in seals:
        problem = row.pop("sha256")
        some = [vote for vote in votes if row["first_vote"] <= vote.vote <= row["last_vote"]]
        assert merkle_root(some) == (row["root"], row["votes"])
        assert row["previous"] == previous
        previous = Seal(**row).sha256
        assert previous == problem
    assert len(votes) == 9


@pytest.mark.parametrize(("path", "key"), [("votes", "vote"), ("battles", "battle"), ("seals", "number")])
async def test_links_lead_through_every_page_once(client, path, key):
    whole = [row[key] for row in (await get(client, path)).json()[path]]
    found, url = [], f"http://arena.test/api/v1/{path}?limit=1"
    while url:
        page = await client.get(url)
        found += [row[key] for row in page.json()[path]]
        url = page.links.get("next", {}).get("url")
    assert found == whole
    assert len(whole) > 1
    first = await client.get(f"http://arena.test/api/v1/{path}?limit=1&after={whole[0]}")
    if "first" in first.links:
        assert (await client.get(first.links["first"]["url"])).json()[path][0][key] == whole[0]


async def test_only_battles_that_may_be_read_are_reported_and_without_personal_data(client, world):
    rows = (await get(client, "battles")).json()["battles"]
    assert len(rows) == 4 + 1
    said = rows[0]["conversation_a"]
    assert [message["role"] for message in said] == ["user", "assistant"]
    assert said[0]["content"] == "Write to [email] about trees, please."
    assert rows[0]["votes"][0]["winner"] == "model_a"
    assert "voter-" not in json.dumps(rows)
    mine = (await get(client, "battles?model=cedar")).json()["battles"]
    assert all("cedar" in (row["model_a"], row["model_b"]) for row in mine)
    async with reading(world, web={"show_judged": False}) as client_:
        assert len((await get(client_, "battles")).json()["battles"]) == 4


async def test_models_tell_where_they_stand_and_since_when(world):
    models = [{"name": "amber", "endpoint": "scripted", "facts": {"licence": "MIT", "released": "2024-10-31"}}]
    async with reading(world, models=models) as client:
        rows = {row["model"]: row for row in (await get(client, "models")).json()["models"]}
    assert (rows["amber"]["licence"], rows["amber"]["released"]) == ("MIT", "2024-10-31")
    assert rows["birch"]["licence"] is None
    assert rows["birch"]["registered_at"].startswith("20")
    assert rows["amber"].keys() == rows["birch"].keys()


async def test_the_board_of_a_past_day_and_its_rating_change(client):
    past = (await get(client, "leaderboard?at=2026-03-31")).json()
    assert (past["votes"], past["filter"]) == (4, "every-1")
    moved = (await get(client, "moved?model=amber&from=2026-03-31&to=2026-04-30")).json()
    assert round(sum(moved["steps"].values()), 4) == moved["change"] != 0
    assert {one["model"] for one in moved["opponents"]} == {"<b>dahlia</b>", "birch", "cedar"}
    table = (await get(client, "moved?model=amber&from=2026-03-31&to=2026-04-30&format=csv")).text
    assert table.splitlines()[0] == "step,points"


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("leaderboard?source=people", 422, "Source 'people' is unknown. Use human"),
        ("leaderboard?category=none", 422, "Category 'none' has no votes. Categories with votes:"),
        ("leaderboard?at=march", 422, "'march' is not a date. Write it as 2026-03-01"),
        ("leaderboard?at=2026-03-31&method=elo", 422, "past days have Bradley–Terry leaderboards only"),
        ("leaderboard?format=xml", 406, "Format 'xml' is unknown. Use one of: json, csv, parquet"),
        ("votes?limit=0", 422, "limit: Input should be greater than or equal to 1 (got '0')"),
        ("votes?after=x", 422, "after: Input should be a valid integer"),
        ("votes?after=9223372036854775808", 422, "after: Input should be less than or equal to"),
        ("seals?after=9223372036854775808", 422, "after: Input should be less than or equal to"),
        ("leaderboard?at=0001-01-01T00:00:00%2B14:00", 422, "is not a date"),
        ("leaderboard?at=9999-12-31T23:59:59-12:00", 422, "is not a date"),
        ("battles?after=x", 422, "battle 'x' not found. Leave out after"),
        ("moved?model=elm&from=2026-03-31&to=2026-04-30", 422, "'elm' has no votes. Models with votes:"),
        ("moved?model=amber", 422, "from: Field required"),
        ("nonsense", 404, "/api/v1/nonsense not found. See /api/v1/openapi.json"),
    ],
)
async def test_a_refusal_is_a_problem_document_that_says_what_to_ask(client, path, status, said):
    reply = await get(client, path)
    assert (reply.status_code, reply.headers["content-type"]) == (status, MEDIA)
    body = reply.json()
    assert said in body["detail"]
    assert body["status"] == status
    assert body["instance"].startswith("/api/v1/")


@pytest.mark.parametrize("accept", ["image/png", "text/csv;q=x"])
async def test_what_nobody_can_send_is_reported_with_what_can_be(client, accept):
    reply = await get(client, "votes", Accept=accept)
    assert reply.status_code == 406
    assert "Accept" in reply.json()["detail"]


async def test_a_badge_tells_rank_and_rating_and_is_harmless(client):
    reply = await get(client, "badge.svg?model=amber")
    assert reply.headers["content-type"].startswith("image/svg+xml")
    texts = [node.text for node in ElementTree.fromstring(reply.text).iter("{http://www.w3.org/2000/svg}text")]
    assert texts[0] == "Arena"
    assert texts[1].endswith(" provisional"), "12 votes are too few for a rank"
    many = {"rank": 2, "rating": 1043.2, "lower": 1031.0, "upper": 1055.0, "provisional": False}
    assert ">#2 · 1043 ± 12<" in embedded.badge("Arena", many)
    assert "not rated" in (await get(client, "badge.svg?model=%3Cscript%3E")).text
    assert "<script>" not in embedded.badge("<script>", None)
    assert (await get(client, "badge.svg?model=amber", If_None_Match=reply.headers["etag"])).status_code == 304


async def test_a_table_may_stand_in_an_iframe_and_runs_nothing(client):
    reply = await get(client, "table.html?top=2")
    policy = reply.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors *" in policy
    assert "set-cookie" not in reply.headers
    assert reply.text.count("<tr>") == 1 + 2
    assert "&lt;b&gt;dahlia&lt;/b&gt;" in (await get(client, "table.html")).text
    assert "<b>" not in (await get(client, "table.html")).text


async def test_heads_are_those_of_the_chain(client):
    chain = (await get(client, "seals")).json()["seals"]
    heads = (await get(client, "heads")).json()["heads"]
    assert [(head["seal"], head["sha256"]) for head in heads] == [(row["number"], row["sha256"]) for row in chain]
    assert (await get(client, "heads?after=1&limit=1")).json()["heads"] == heads[1:]
    known = (await client.get("/.well-known/arena-ledger.json")).json()
    assert (known["public_key"], known["head"]) == (None, heads[-1])
    assert (await client.get("/.well-known/other.json")).status_code == 404


async def test_heads_are_signed_with_the_key_of_the_settings(world, tmp_path):
    pytest.importorskip("cryptography")
    key = write_new_key(tmp_path / "key")
    async with reading(world, ledger={"key": tmp_path / "key"}) as client:
        heads = (await get(client, "heads")).json()["heads"]
        assert all(is_signed(head, key.public) for head in heads)
        known = (await client.get("/.well-known/arena-ledger.json")).json()
        assert (known["public_key"], known["head"]) == (key.public, heads[-1])
        feed = (await get(client, "feed.atom")).text
        assert f"signature {heads[-1]['signature']} by {key.public}" in feed


def test_a_key_that_cannot_be_read_is_an_error_at_the_start(world, tmp_path):
    with pytest.raises(ConfigError, match=r"ledger\.key: .*Run: arena seal --new-key PATH"):
        create_app(Settings(ledger={"key": tmp_path / "nowhere"}), world, ready())


async def test_a_receipt_proves_that_a_vote_is_sealed(client, world):
    with world.read() as session:
        votes = {number: sealed_vote(session, number).leaf().hex() for number in (1, 9)}
    found = (await get(client, f"receipts/1/{votes[1]}")).json()
    assert list(receipt_problems(found)) == []
    assert found["seal"] == (await get(client, "seals")).json()["seals"][0]
    assert (await get(client, f"receipts/9/{votes[9]}")).json()["sealed"] is False
    missing = await get(client, f"receipts/1/{votes[9]}")
    assert (missing.status_code, "Take both from the voter's receipt" in missing.json()["detail"]) == (404, True)
    assert (await get(client, "receipts/1/xyz")).status_code == 422
    assert (await get(client, f"receipts/0/{votes[9]}")).status_code == 422


async def test_the_feed_tells_what_a_seal_changed(client):
    reply = await get(client, "feed.atom")
    assert reply.headers["content-type"].startswith("application/atom+xml")
    atom = "{http://www.w3.org/2005/Atom}"
    root = ElementTree.fromstring(reply.content)
    entries = root.findall(f"{atom}entry")
    texts = [entry.find(f"{atom}content").text for entry in entries]
    assert len(entries) == 2
    assert "<b>dahlia</b> is on the board" in texts[0]
    assert "amber is on the board: no rank" in texts[1]
    newest = (await get(client, "heads")).json()["heads"][-1]
    assert f"seal 2: {newest['sha256']}" in texts[0]
    assert root.find(f"{atom}subtitle").text == f"seal 2: {newest['sha256']}"
    assert len({entry.find(f"{atom}id").text for entry in entries}) == 2
    assert root.find(f"{atom}link").get("href") == "http://arena.test/api/v1/feed.atom"


def test_changes_are_what_a_reader_would_notice():
    def sealed(number: int, version: str, *rows: tuple[str, int, int]) -> Seal:
        models = [{"model": m, "rank": r, "battles": b, "rating": 1000.0 + b} for m, r, b in rows]
        return Seal(number, "", 1, 1, 1, "", version, "2026-01-01", [{"source": "human", "models": models}])

    one = sealed(1, "every-1", ("a", 1, 9), ("b", 2, 9), ("c", 1, 0))
    two = sealed(2, "blind-1", ("a", 2, 9), ("b", 1, 12), ("c", 1, 3))
    assert list(embedded.board_changes(None, one)) == [
        "a is on the board: rank 1, 1009", "b is on the board: rank 2, 1009",
    ]  # fmt: skip
    assert list(embedded.board_changes(one, two)) == [
        "filter blind-1 in place of every-1", "a goes down, from rank 1 to 2, 1009",
        "b goes up, from rank 2 to 1, 1012", "c is on the board: rank 1, 1003",
    ]  # fmt: skip
    assert list(embedded.board_changes(two, two)) == []


async def test_openapi_describes_every_route_with_an_example(client):
    problem = (await get(client, "openapi.json")).json()
    paths = {
        path.removeprefix("/api/v1/"): entry["get"]
        for path, entry in problem["paths"].items()
        if "get" in entry and not entry["get"].get("tags")  # the others: test_battle_api.py, test_me.py
    }
    expected = {path.partition("?")[0] for path in ROUTES}
    assert paths.keys() == {
        *expected,
        "badge.svg",
        "table.html",
        "feed.atom",
        "receipts/{vote}/{leaf}",
        "sampling",
        *(f"trust/{name}" for name in ("votes", "controls", "filter", "attack-cost")),  # test_trust.py
    }
    for path in expected:
        content = paths[path]["responses"]["200"]["content"]
        assert {"application/json", "text/csv", "application/vnd.apache.parquet"} <= content.keys()
        example = content["application/json"]["example"]
        real = (await get(client, {p.partition("?")[0]: p for p in ROUTES}[path])).json()
        optional = {"filter", "classifier", "style"}
        assert example.keys() - optional == real.keys() - optional, path
        rows = {p.partition("?")[0]: name for p, name in ROUTES.items()}[path]
        if real[rows]:
            assert example[rows][0].keys() == real[rows][0].keys(), path


@pytest.mark.slow
async def test_the_server_seals_by_schedule(sqlite):
    ballots(sqlite, PLAIN[:2])
    app = create_app(Settings(ledger={"seal_every": 0.02}), sqlite, ready())
    async with app.router.lifespan_context(app):
        await until_async(lambda: newest_seal(sqlite))
    assert newest_seal(sqlite).votes == 2


def newest_seal(database):
    with database.read() as session:
        return last_seal(session)


async def test_a_seal_that_fails_is_tried_again(tmp_path):
    database = Database(f"sqlite:///{tmp_path / 'arena.db'}")
    battles = Battles(database, ready(), BattleSettings())
    *_, seal_votes = _background_tasks(battles, database, LedgerSettings(seal_every=0.02))
    task = asyncio.create_task(seal_votes.run())
    await asyncio.sleep(0.1)  # there are no tables yet
    database.upgrade()
    ballots(database, PLAIN[:2])
    await until_async(lambda: newest_seal(database))
    newest = newest_seal(database)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    database.close()
    assert newest.votes == 2


def test_a_wrong_filter_in_the_settings_stops_the_server(sqlite):
    with pytest.raises(ConfigError, match="Filter 'all' is unknown"):
        create_app(Settings(ledger={"filter": "all"}), sqlite, ready())


@pytest.mark.parametrize(
    "address", ["/api/v1/leaderboard?format=csv", "/api/v1/votes?format=csv", "/plots/intervals.csv"]
)
async def test_no_name_is_a_formula_in_a_spreadsheet(sqlite, address):
    ballots(sqlite, [("=cmd|' /C calc'!A0", "amber", "model_a"), ("@x", "amber", "model_b")])
    async with reading(sqlite) as reader:
        cells = {cell for row in csv.reader(io.StringIO((await reader.get(address)).text)) for cell in row}
    assert {"'=cmd|' /C calc'!A0", "'@x"} <= cells
