"""Ways into `/admin`: guessed passwords, planted and stolen sessions, forms of other sites, higher roles, stored scripts."""

from __future__ import annotations

import os
import re
import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager

import httpx

from reproduce.attacks.outcome import Outcome, outcome, unless_refused, unless_sent_back
from reproduce.attacks.target import Target, target

PASSWORD = "correct horse battery staple"
WORDLIST = (
    "123456",
    "password",
    "qwerty",
    "letmein",
    "arena",
    "admin",
    "welcome1",
    "iloveyou",
    "dragon",
    "monkey",
)
ROLES = {"root": "operator", "rita": "reviewer", "vic": "voter"}
TOKEN = re.compile(r'name="csrf" value="([^"]+)"')
COOKIE = "arena_account"
HTML = {"accept": "text/html"}
PROXY = '[web]\ntrusted_proxies = ["127.0.0.1"]\n'  # so that an attacker's addresses can be many
OPEN = "[admin]\nlogins_per_account = 100000\nlogins_per_address = 100000\n"
SCRIPT = "<script>fetch('//evil.example')</script>"
ACTIONS = (
    "accounts/add",
    "accounts/role",
    "accounts/password",
    "accounts/disable",
    "accounts/enable",
    "battles/x/hide",
    "battles/x/show",
    "logout",
)
SAMPLES = 30


@contextmanager
def _arena(tables: str = OPEN) -> Iterator[Target]:
    """An arena with an account of each role."""
    with target(tables=tables) as arena:
        for name, role in ROLES.items():
            subprocess.run(
                [
                    sys.executable,
                    "-m",
                    "arena",
                    "accounts",
                    "add",
                    name,
                    "--role",
                    role,
                    "--password-env",
                    "PASSWORD_OF",
                ],
                cwd=arena.folder,
                env=os.environ | {"PASSWORD_OF": PASSWORD},
                check=True,
                capture_output=True,
            )
        time.sleep(2.5)  # the server looks for a first account every two seconds
        yield arena


def _token(http: httpx.Client, page: str) -> str:
    found = TOKEN.search(http.get(page, headers=HTML).text)
    return found[1] if found else ""


def _sign_in(
    http: httpx.Client, name: str, password: str = PASSWORD, address: str = "", **form: str
) -> httpx.Response:
    headers = {"origin": str(http.base_url).rstrip("/"), **HTML}
    if address:
        headers["x-forwarded-for"] = address
    form = {"csrf": _token(http, "/admin/login"), "name": name, "password": password, **form}
    return http.post("/admin/login", data=form, headers=headers)


def _signed_in(arena: Target, stack: ExitStack, name: str) -> httpx.Client:
    http = stack.enter_context(arena.visitor())
    assert _sign_in(http, name).status_code == 303, "the attack needs a session of its own"
    return http


def _send(http: httpx.Client, action: str, token: str, origin: str | None = "own", **form: str) -> httpx.Response:
    headers = dict(HTML)
    if origin is not None:
        headers["origin"] = str(http.base_url).rstrip("/") if origin == "own" else origin
    return http.post(f"/admin/{action}", data={"csrf": token, **form}, headers=headers)


def _is_inside(reply: httpx.Response, what: str) -> str | None:
    """Evidence that a page for accounts was served."""
    return what if reply.status_code == 200 and "/admin/logout" in reply.text else None


def _rows(arena: Target, query: str) -> list[tuple]:
    with closing(sqlite3.connect(f"file:{arena.folder / 'arena.db'}?mode=ro", uri=True)) as connection:
        return connection.execute(query).fetchall()


def guessed_passwords(_: Target) -> Outcome:
    """A list of frequent passwords with the right one last: from one address, and from a new address for each try."""
    tries: list[str | None] = []
    with _arena(PROXY) as arena:
        for many in (False, True):
            for number in range(4):
                for place, word in enumerate((*WORDLIST, PASSWORD)):
                    with arena.visitor() as http:
                        address = f"192.0.2.{1 + number * 20 + place}" if many else "198.51.100.7"
                        reply = _sign_in(http, "root", word, address)
                    right = word == PASSWORD and reply.status_code == 303
                    tries.append(f"the right password after {place} others" if right else None)
    return outcome("guessed passwords", tries)


def names_by_time(_: Target) -> Outcome:
    """Whether the time of a refusal, or its text, says that an account exists."""
    with _arena() as arena, arena.visitor() as http:
        times: dict[str, list[float]] = {"root": [], "nobody": []}
        texts = set()
        for number in range(2 * SAMPLES):
            name = ("root", "nobody")[number % 2]
            form = {"csrf": _token(http, "/admin/login"), "name": name, "password": "wrong password"}
            began = time.perf_counter()
            reply = http.post("/admin/login", data=form, headers={"origin": arena.url, **HTML})
            times[name].append(time.perf_counter() - began)
            texts.add((reply.status_code, reply.text.replace(name, "").replace(form["csrf"], "")))
    known, unknown = (statistics.median(values) for values in times.values())
    differs = abs(known - unknown) > 0.25 * min(known, unknown)
    return outcome(
        "names of accounts by time and text",
        [
            f"{known:.3f} s and {unknown:.3f} s" if differs else None,
            "the texts differ" if len(texts) > 1 else None,
        ],
    )


def planted_sessions(_: Target) -> Outcome:
    """A cookie that the attacker planted before the sign-in, and those that were signed out, or made up."""
    tries: list[str | None] = []
    with _arena() as arena, ExitStack() as stack:
        for action, form in (
            ("logout", {}),
            ("accounts/password", {"name": "rita", "password": "a new pass phrase here"}),
            ("accounts/disable", {"name": "rita", "reason": "x"}),
        ):
            victim = stack.enter_context(arena.visitor())
            victim.get("/admin/login", headers=HTML)
            planted = victim.cookies[COOKIE]
            assert _sign_in(victim, "rita").status_code == 303
            stolen = victim.cookies[COOKIE]
            tries.append(_opens(arena, planted, "a planted cookie"))
            by = victim if action == "logout" else _signed_in(arena, stack, "root")
            assert _send(by, action, _token(by, "/admin"), **form).status_code == 303
            tries.append(_opens(arena, stolen, f"a cookie after {action}"))
            if action != "logout":
                root = _signed_in(arena, stack, "root")
                _send(root, "accounts/enable", _token(root, "/admin"), name="rita")
                _send(root, "accounts/password", _token(root, "/admin"), name="rita", password=PASSWORD)
        for (hashed,) in _rows(arena, "SELECT token_sha256 FROM account_session"):
            tries.append(_opens(arena, hashed, "the hash of the database"))
            tries.append(_opens(arena, hashed[:43], "the hash of the database, cut"))
        tries += [_opens(arena, made, "a made-up cookie") for made in ("", "x", "A" * 43, "' OR 1=1 --", "é" * 43)]
    return outcome("planted, stolen and made-up sessions", tries)


def _opens(arena: Target, cookie: str, what: str) -> str | None:
    with arena.visitor() as http:
        header = f"{COOKIE}={cookie}".encode()
        return _is_inside(http.get("/admin", headers=[(b"cookie", header), (b"accept", b"text/html")]), what)


def forms_of_other_sites(_: Target) -> Outcome:
    """Every form with the operator's cookie: from another origin, from none, without its token, and the sign-in itself."""
    tries: list[str | None] = []
    with _arena() as arena, ExitStack() as stack:
        root, other = (_signed_in(arena, stack, name) for name in ("root", "rita"))
        token, of_other = _token(root, "/admin"), _token(other, "/admin")
        form = {"name": "vic", "role": "operator", "password": "an attackers pass phrase", "reason": "x"}
        for action in ACTIONS:
            for origin, sent in (
                ("https://evil.example", token),
                (None, token),
                ("null", token),
                ("own", ""),
                ("own", of_other),
                ("own", token[:-1]),
                (arena.url.replace("127.0.0.1", "evil.example"), token),
            ):
                reply = _send(root, action, sent, origin, **form)
                tries.append(unless_refused(reply, 403, f"{action} from {origin}"))
            reply = root.get(f"/admin/{action}", params={"csrf": token, **form}, headers={"origin": arena.url})
            tries.append(unless_refused(reply, (403, 404, 405), f"GET {action}"))
        with arena.visitor() as victim:  # to be signed in as the attacker
            page = {"csrf": _token(victim, "/admin/login"), "name": "vic", "password": PASSWORD}
            for origin, sent in (
                ("https://evil.example", page["csrf"]),
                (None, page["csrf"]),
                (arena.url, "x" * 64),
            ):
                headers = {} if origin is None else {"origin": origin}
                reply = victim.post("/admin/login", data={**page, "csrf": sent}, headers=headers)
                tries.append(unless_refused(reply, 403, "sign-in"))
        roles = dict(_rows(arena, "SELECT name, role FROM account"))
        tries.append(None if roles == ROLES else f"the accounts are {roles}")
        tries.append(_is_gone(root))
    return outcome("forms of other sites", tries)


def _is_gone(http: httpx.Client) -> str | None:
    """Evidence that somebody else has ended a session."""
    return None if _is_inside(http.get("/admin", headers=HTML), "in") else "the operator is signed out"


def higher_roles(_: Target) -> Outcome:
    """Pages and forms of operators, with the sessions of a reviewer and a voter, and with fields that no form has."""
    tries: list[str | None] = []
    with _arena() as arena, ExitStack() as stack:
        for name in ("rita", "vic"):
            http = _signed_in(arena, stack, name)
            token = _token(http, "/admin/account")
            for page in ("audit", "accounts", "audit?role=operator", "accounts?account_id=1", "export"):
                tries.append(_is_inside(http.get(f"/admin/{page}", headers=HTML), f"{name}: {page}"))
            for action in ACTIONS[:-1]:
                form = {
                    "name": name,
                    "role": "operator",
                    "password": "an attackers pass phrase",
                    "reason": "x",
                    "account_id": "1",
                }
                tries.append(unless_refused(_send(http, action, token, **form), 403, f"{name}: {action}"))
            for field in ("name", "account", "account_id", "role", "username"):  # whose password is it?
                form = {"current": PASSWORD, "password": f"a pass phrase by {name}", field: "root"}
                reply = _send(http, "account/password", token, **form)
                tries.append(None if reply.status_code in (303, 403) else f"{field}: {reply.status_code}")
                with arena.visitor() as other:
                    taken = _sign_in(other, "root", f"a pass phrase by {name}").status_code == 303
                tries.append(f"the password of root, by the field {field}" if taken else None)
        roles = dict(_rows(arena, "SELECT name, role FROM account"))
        tries.append(None if roles == ROLES else f"the accounts are {roles}")
    return outcome("higher roles", tries)


def stored_scripts(_: Target) -> Outcome:
    """A script in names, reasons, filters and the sign-in, which a page for operators would run."""
    tries: list[str | None] = []
    with _arena() as arena, ExitStack() as stack:
        root = _signed_in(arena, stack, "root")
        token = _token(root, "/admin")
        for action, form in (
            ("accounts/add", {"name": SCRIPT, "role": "voter", "password": PASSWORD}),
            ("accounts/role", {"name": "vic", "role": "voter", "reason": SCRIPT}),
            ("accounts/disable", {"name": "vic", "reason": SCRIPT}),
            ("battles/x/hide", {"reason": SCRIPT}),
            (f"battles/{SCRIPT}/hide", {"reason": SCRIPT}),
        ):
            _send(root, action, token, **form)
            pages = (
                "/admin",
                "/admin/audit",
                "/admin/accounts",
                f"/admin/audit?actor={SCRIPT}",
                f"/admin/battles?voter={SCRIPT}",
                f"/admin/battles?failure={SCRIPT}",
                f"/admin/login?next={SCRIPT}",
                f"/admin/battles/{SCRIPT}",
            )
            for page in pages:
                reply = root.get(page, headers=HTML)
                policy = reply.headers["content-security-policy"]
                runs = (
                    SCRIPT in reply.text or "unsafe-inline" in policy.partition("script-src")[2].partition(";")[0]
                )
                tries.append(f"{page} after {action}" if runs else None)
        with arena.visitor() as http:
            tries.append("the sign-in" if SCRIPT in _sign_in(http, SCRIPT).text else None)
    return outcome("scripts in what operators read", tries)


def redirects_and_caches(_: Target) -> Outcome:
    """A sign-in that leads to another site, and pages that a cache or a frame keeps."""
    tries: list[str | None] = []
    with _arena() as arena, ExitStack() as stack:
        for place in (
            "https://evil.example",
            "//evil.example",
            "/\\evil.example",
            "/admin/..//evil.example",
            "/admin\r\nx: y",
            "javascript:alert(1)",
            "/admin@evil.example",
            "/battles",
        ):
            with arena.visitor() as http:
                location = _sign_in(http, "vic", next=place).headers.get("location")
            tries.append(None if location == "/admin" else f"{place}: {location}")
        root = _signed_in(arena, stack, "root")
        for page in (
            "/admin",
            "/admin/audit",
            "/admin/accounts",
            "/admin/login",
            "/admin/nothing",
            "/admin/logout",
        ):
            headers = root.get(page, headers=HTML).headers
            kept = (
                headers.get("cache-control") != "no-store"
                or "frame-ancestors 'none'" not in headers["content-security-policy"]
            )
            tries.append(f"{page}: {headers.get('cache-control')}" if kept else None)
        token = _token(root, "/admin")
        for action in ACTIONS:
            large = unless_sent_back(
                lambda action=action: _send(root, action, token, reason="x" * 2_000_000), 413, action
            )
            tries.append(large)
            many = _send(root, action, token, **{f"f{n}": "" for n in range(2_000)})
            tries.append(unless_refused(many, (400, 403, 413, 422), action))
        tries.append(_is_gone(root))
    return outcome("redirects, caches and large forms", tries)


def changed_trail(_: Target) -> Outcome:
    """Whoever can write to the database as the arena does cannot change what the audit trail has."""
    tries: list[str | None] = []
    with _arena() as arena:
        before = _rows(arena, "SELECT * FROM audit_entry")
        for statement in (
            "UPDATE audit_entry SET actor = 'nobody'",
            "DELETE FROM audit_entry",
            "DELETE FROM audit_entry WHERE id = 1",
            "INSERT OR REPLACE INTO audit_entry SELECT * FROM audit_entry",
            "UPDATE OR IGNORE audit_entry SET id = id + 100",
        ):
            with closing(sqlite3.connect(arena.folder / "arena.db", timeout=20)) as connection:
                try:
                    with connection:
                        connection.execute(statement)
                    done = _rows(arena, "SELECT * FROM audit_entry") != before
                except sqlite3.DatabaseError:
                    done = False
            tries.append(statement if done else None)
        tries.append(None if len(before) == len(ROLES) else f"{len(before)} entries for {len(ROLES)} accounts")
    return outcome("changes of the audit trail", tries)
