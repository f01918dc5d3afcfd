"""Requests at once on one battle, over HTTP, to two servers on one database: a vote is one row, or there is none."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from random import Random

import httpx
import pytest
from sqlmodel import select

from arena.store import Database
from arena.store.schema.battles import Battle, BattleStatus, PendingVote, Vote
from arena.store.votes import recount
from reproduce.drills.served import UNLIMITED, scripted_model
from tests.support.arenas import emptied

pytestmark = pytest.mark.slow

UNDO = 1.0  # seconds
WINNERS = ("model_a", "model_b", "tie", "both_bad")
CONFIG = (
    UNLIMITED
    + f"[battles]\nundo_seconds = {UNDO}\nrunning_per_voter = 1000\n"
    + "".join(scripted_model(name, 4, 0.0) for name in ("one", "two"))
)
Request = Callable[[], httpx.Response]


@dataclass
class Servers:
    """Two servers on one database, and a voter of both."""

    clients: Sequence[httpx.Client]
    database: Database

    def send(self, server: int, method: str, path: str, **body: object) -> httpx.Response:
        options = {"json": body} if body else {}
        return self.clients[server % 2].request(method, f"/battles{path}", **options)

    def battle(self, server: int = 0) -> str:
        """The path of a battle that waits for a vote."""
        path = f"/{self.send(server, 'POST', '', prompt='Name a tree.').raise_for_status().json()['id']}"
        self.send(server, "GET", f"{path}/stream")  # until it has ended
        return path

    def vote(self, server: int, path: str, winner: str, final: bool = False) -> Request:
        return lambda: self.send(server, "POST", f"{path}/vote", winner=winner, final=final)

    def undo(self, server: int, path: str) -> Request:
        return lambda: self.send(server, "DELETE", f"{path}/vote")

    def rows(self, path: str) -> list[str]:
        """The counted votes of a battle, when none is pending any more."""
        for _ in range(600):
            with self.database.read() as session:
                battle = session.exec(select(Battle).where(Battle.public_id == path[1:])).one()
                if not session.exec(select(PendingVote).where(PendingVote.battle_id == battle.id)).all():
                    rows = session.exec(select(Vote.winner).where(Vote.battle_id == battle.id)).all()
                    assert (battle.status == BattleStatus.VOTED) == bool(rows)
                    return list(rows)
            time.sleep(0.1)
        raise AssertionError(f"The pending vote of {path} is not counted after a minute.")

    def recounted(self) -> list[object]:
        with self.database.read() as session:
            return list(recount(session))


def at_once(*requests: Request) -> list[httpx.Response]:
    """The replies of requests that are sent at the same moment."""
    gate = threading.Barrier(len(requests))

    def send(request: Request) -> httpx.Response:
        gate.wait(30)
        return request()

    with ThreadPoolExecutor(len(requests)) as pool:
        replies = list(pool.map(send, requests))
    assert all(reply.status_code < 500 for reply in replies), [reply.text for reply in replies]
    return replies


def codes(replies: Sequence[httpx.Response]) -> Counter[str]:
    """The codes of the problems, and an empty one for each success."""
    return Counter("" if reply.is_success else reply.json()["code"] for reply in replies)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def servers(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """One server on SQLite twice, or two on PostgreSQL."""
    from tests.support.server import Arena

    folder: Path = tmp_path_factory.mktemp("servers")
    if request.param == "sqlite":
        url = f"sqlite:///{folder / 'arena.db'}"
        arenas = [Arena(folder, CONFIG, "--db", url)] * 2
    else:
        url = request.getfixturevalue("postgres")
        emptied(url).close()
        folders = [folder / name for name in ("one", "two")]
        for one in folders:
            one.mkdir()
        arenas = [Arena(one, CONFIG, "--db", url) for one in folders]
    limits = httpx.Limits(max_connections=100, max_keepalive_connections=100)
    clients = [
        httpx.Client(base_url=f"{one.url}/api/v1", trust_env=False, timeout=60, limits=limits) for one in arenas
    ]
    token = httpx.post(f"{arenas[0].url}/api/v1/sessions", trust_env=False).raise_for_status().json()["token"]
    for client in clients:
        client.headers["authorization"] = f"Bearer {token}"
    database = Database(url)
    yield Servers(clients, database)
    for client in clients:
        client.close()
    database.close()
    for one in arenas:
        one.stop()


@pytest.mark.parametrize("final", [True, False])
def test_votes_at_once_are_one_row(servers, final):
    """Twice 24 votes a battle: all for one winner, and for four."""
    for winners in (WINNERS[:1], WINNERS):
        path = servers.battle()
        sent = [(number, winners[number // 2 % len(winners)]) for number in range(24)]
        replies = at_once(*(servers.vote(number, path, winner, final) for number, winner in sent))
        acknowledged = {winner for (_, winner), reply in zip(sent, replies, strict=True) if reply.is_success}
        assert len(acknowledged) == 1
        assert codes(replies).keys() <= {"", "already_voted"}
        assert codes(replies)[""] == sum(winner in acknowledged for _, winner in sent)
        assert servers.rows(path) == list(acknowledged)
    assert servers.recounted() == []


def test_final_votes_and_those_that_can_be_undone_are_one_row(servers):
    path = servers.battle()
    sent = [(number, WINNERS[number // 4 % 2]) for number in range(16)]
    replies = at_once(*(servers.vote(n, path, winner, final=bool(n & 2)) for n, winner in sent))
    (winner,) = {winner for (_, winner), reply in zip(sent, replies, strict=True) if reply.is_success}
    assert codes(replies).keys() == {"", "already_voted"}
    assert servers.rows(path) == [winner]


def test_after_votes_and_undos_at_once_the_reply_of_the_store_is_the_truth(servers):
    for number in range(4):
        path = servers.battle(number)
        changes = [
            (servers.undo if n % 3 == 0 else servers.vote)(n, path, *(["tie"] if n % 3 else [])) for n in range(15)
        ]
        assert codes(at_once(*changes)).keys() <= {
            "",
            "too_late",
            "wrong_status",
        }  # the last: undone in the meantime
        vote = servers.send(number, "GET", path).json()["vote"]
        assert len(servers.rows(path)) == (vote is not None)


def test_an_undo_while_another_server_counts_undoes_or_is_too_late(servers):
    draw, outcomes = Random(1), Counter()

    def undone(number: int) -> None:
        path = servers.battle(number)
        servers.vote(number, path, "model_b")().raise_for_status()
        time.sleep(UNDO + draw.uniform(-0.1, 0.6))
        (code,) = codes([servers.undo(number + 1, path)()])
        outcomes[code] += 1
        assert servers.rows(path) == (["model_b"] if code == "too_late" else [])
        assert (
            servers.send(number, "GET", path).json()["vote"]
            == servers.send(number + 1, "GET", path).json()["vote"]
        )

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(undone, range(24)))
    assert outcomes.keys() <= {"", "too_late"}
    assert servers.recounted() == []


def test_of_a_final_vote_and_an_undo_at_once_the_vote_is_there_unless_it_came_first(servers):
    for number in range(8):
        path = servers.battle(number)
        servers.vote(number, path, "tie")().raise_for_status()
        final, undo = at_once(servers.vote(number, path, "tie", final=True), servers.undo(number + 1, path))
        assert (final.is_success, final.json()["vote"]["counts"]) == (True, True)
        assert codes([undo]).keys() <= {"", "too_late"}
        assert servers.rows(path) == ["tie"]


def test_a_vote_and_the_next_turn_at_once_leave_no_vote_on_a_running_turn(servers):
    for number in range(8):
        path = servers.battle(number)
        vote, turn = at_once(
            servers.vote(number, path, "model_a", final=bool(number % 2)),
            lambda path=path, number=number: servers.send(number + 1, "POST", f"{path}/turns", prompt="And then?"),
        )
        refused = {"already_voted", "wrong_status", "still_running", "not_begun"}
        assert codes([vote, turn]).keys() <= {"", *refused}
        assert vote.is_success or turn.is_success
        servers.send(number, "GET", f"{path}/stream")
        after = servers.send(number, "GET", path).json()
        assert after["status"] in ("open", "voted")
        assert len(after["turns"]) == 1 + turn.is_success
        assert servers.rows(path) == (["model_a"] if vote.is_success else [])


def test_leaving_counts_a_pending_vote_and_a_vote_at_once_is_counted_or_refused(servers):
    path = servers.battle()
    servers.vote(0, path, "both_bad")().raise_for_status()
    left = at_once(*(lambda n=n: servers.send(n, "POST", f"{path}/leave") for n in range(6)))
    assert {reply.status_code for reply in left} == {204}
    assert servers.send(1, "GET", path).json()["vote"]["counts"]
    assert servers.rows(path) == ["both_bad"]
    for number in range(8):
        path = servers.battle(number)
        vote, leave = at_once(
            servers.vote(number, path, "tie"),
            lambda path=path, number=number: servers.send(number + 1, "POST", f"{path}/leave"),
        )
        assert leave.status_code == 204
        assert codes([vote]).keys() <= {"", "wrong_status"}
        assert servers.rows(path) == (["tie"] if vote.is_success else [])


def test_an_undo_and_leaving_at_once_lose_no_acknowledged_change(servers):
    for number in range(6):
        path = servers.battle(number)
        servers.vote(number, path, "tie")().raise_for_status()
        undo, leave = at_once(
            servers.undo(number, path),
            lambda path=path, number=number: servers.send(number + 1, "POST", f"{path}/leave"),
        )
        assert leave.status_code == 204
        assert codes([undo]).keys() <= {"", "too_late"}
        assert servers.rows(path) == ([] if undo.is_success else ["tie"])
