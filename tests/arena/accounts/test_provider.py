"""The provider of sign-in, against a real one: codes, keys, and everything that a forger may send."""

from __future__ import annotations

import base64
import json
import time

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from arena.accounts.claim_roles import name_of, role_of, stored_subject
from arena.accounts.id_token import Claims
from arena.accounts.provider import Exchange, Provider, ProviderFailed, SignInRefused
from arena.config import SignInSettings
from arena.errors import ConfigError
from arena.rules.roles import Role
from tests.support.provider import CALLBACK, CLIENT, SECRET, rsa_key, running_provider

pytestmark = pytest.mark.service
VERIFIER = "v" * 43
EXCHANGE = Exchange(f"http://arena.example{CALLBACK}", "the nonce", VERIFIER)


@pytest.fixture
def provider():
    with running_provider() as running:
        yield running


@pytest.fixture
def sign_in(provider, monkeypatch):
    """Signs somebody in as a browser does it; returns the claims."""
    monkeypatch.setenv("ARENA_TEST_SECRET", SECRET)
    ours = Provider(settings_of(provider))

    async def through(exchange=EXCHANGE, begun=EXCHANGE, **given):
        answer = httpx.URL(provider.authorize(await ours.address(begun, "the state"))).params
        assert answer["state"] == "the state"
        return await ours.claims(given.get("code", answer["code"]), exchange, given.get("iss", answer.get("iss")))

    through.ours = ours
    return through


def settings_of(provider, **given):
    return SignInSettings(issuer=provider.issuer, client_id=CLIENT, secret_env="ARENA_TEST_SECRET", **given)


async def test_a_person_signs_in_with_pkce_and_a_nonce(provider, sign_in):
    provider.person = {"sub": "ann", "groups": ["staff"]}
    claims = await sign_in()
    assert (claims.issuer, claims.subject, claims.values["groups"]) == (provider.issuer, "ann", ["staff"])
    assert provider.requests == ["/.well-known/openid-configuration", "/authorize", "/token", "/keys"]


async def test_discovery_and_keys_are_read_once(provider, sign_in):
    await sign_in()
    await sign_in()
    assert provider.requests.count("/keys") == provider.requests.count("/.well-known/openid-configuration") == 1


async def test_a_code_works_once_and_only_with_the_verifier_it_began_with(provider, sign_in):
    with pytest.raises(SignInRefused):
        await sign_in(exchange=Exchange(EXCHANGE.redirect_uri, EXCHANGE.nonce, "w" * 43))
    provider.codes.clear()
    await sign_in()
    with pytest.raises(SignInRefused):
        await sign_in(code="invented")
    with pytest.raises(SignInRefused):
        await sign_in(exchange=Exchange("http://evil.example/sign-in/callback", EXCHANGE.nonce, VERIFIER))


async def test_a_stolen_code_of_another_sign_in_has_another_nonce(provider, sign_in):
    other = Exchange(EXCHANGE.redirect_uri, "another nonce", VERIFIER)
    with pytest.raises(SignInRefused):
        await sign_in(begun=other)


def unsigned(claims):
    parts = [{"alg": "none"}, claims]
    return (
        ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts) + "."
    )


def with_password(claims):
    """Signed with the client's secret, which is a password that both know."""
    return jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(SECRET), ["HS256"])


def with_public_key(provider):
    """Signed with the public key as if it were a password, for verifiers that mix the two up."""

    def sign(claims):
        public = provider.keys[-1].as_pem(private=False)
        head = {"alg": "HS256", "kid": "one"}
        return jwt.encode(head, claims, OctKey.import_key(public.replace(b"-----", b"")), ["HS256"])

    return sign


FORGERIES = {
    "no signature": lambda _: unsigned,
    "a password as key": lambda _: with_password,
    "the public key as password": with_public_key,
    "another key of the same name": lambda p: lambda c: p.sign(c, rsa_key("one", 2)),
    "a key that nobody published": lambda p: lambda c: p.sign(c, rsa_key("mine")),
    "a key in its own header": lambda p: lambda c: own_key(p, c),
    "no text of a token": lambda _: lambda _c: "not.a.token",
    "an empty token": lambda _: lambda _c: "",
    "a token without parts": lambda _: lambda _c: "x" * 200_000,
    "changed claims": lambda p: lambda c: changed(p.sign(c)),
}


def own_key(provider, claims):
    mine = rsa_key("one", 2)
    return provider.sign(claims, mine, jwk=mine.as_dict(private=False), jku="https://evil.example/keys")


def changed(token):
    head, body, signature = token.split(".")
    claims = json.dumps({**json.loads(base64.urlsafe_b64decode(body + "==")), "sub": "bob"})
    return f"{head}.{base64.urlsafe_b64encode(claims.encode()).decode().rstrip('=')}.{signature}"


@pytest.mark.parametrize("forgery", FORGERIES)
async def test_a_forged_token_signs_nobody_in(provider, sign_in, forgery):
    provider.signer = FORGERIES[forgery](provider)
    with pytest.raises(SignInRefused):
        await sign_in()


WRONG = {
    "another audience": {"aud": "another-client"},
    "several audiences": {"aud": [CLIENT, "another-client"]},
    "another party": {"azp": "another-client"},
    "another issuer": {"iss": "https://evil.example"},
    "another nonce": {"nonce": "mine"},
    "no nonce": {"nonce": None},
    "no text as nonce": {"nonce": ["the nonce"]},
    "expired": {"exp": 1_000_000},
    "no end": {"exp": None},
    "an end that is no number": {"exp": "tomorrow"},
    "made in the future": {"iat": 4_000_000_000},
    "valid in the future": {"nbf": 4_000_000_000},
    "no subject": {"sub": None},
    "an empty subject": {"sub": ""},
    "a long subject": {"sub": "x" * 256},
    "no text as subject": {"sub": 7},
}


@pytest.mark.parametrize("wrong", WRONG)
async def test_a_token_with_wrong_claims_signs_nobody_in(provider, sign_in, wrong):
    provider.claims = WRONG[wrong]
    with pytest.raises(SignInRefused):
        await sign_in()


async def test_clocks_may_differ_by_the_setting(provider, sign_in):
    provider.claims = {"exp": int(time.time()) - 30, "iat": int(time.time()) + 30}
    await sign_in()
    provider.claims = {"exp": int(time.time()) - 90}
    with pytest.raises(SignInRefused):
        await sign_in()


@pytest.mark.parametrize("keep", [True, False])
async def test_rotated_keys_are_read_again(provider, sign_in, keep):
    await sign_in()
    provider.rotate(keep)
    sign_in.ours._clock = lambda: time.monotonic() + 11  # keys are not asked for at every unknown name
    await sign_in()


async def test_tokens_that_name_unknown_keys_do_not_make_a_flood_of_requests(provider, sign_in):
    await sign_in()
    provider.signer = FORGERIES["a key that nobody published"](provider)
    for _ in range(3):
        with pytest.raises(SignInRefused):
            await sign_in()
    assert provider.requests.count("/keys") == 1


async def test_the_reply_of_another_provider_is_refused(provider, sign_in):
    with pytest.raises(SignInRefused):
        await sign_in(iss="https://evil.example")
    await sign_in(iss=provider.issuer)


async def test_a_provider_that_names_itself_in_replies_must_do_so(provider, sign_in):
    provider.metadata = {"authorization_response_iss_parameter_supported": True}
    with pytest.raises(SignInRefused):
        await sign_in(iss=None)


@pytest.mark.parametrize(
    "metadata",
    [
        {"issuer": "https://evil.example"},
        {"token_endpoint": "ftp://evil.example/token"},
        {"jwks_uri": None},
        {"authorization_endpoint": "javascript:alert(1)"},
    ],
)
async def test_a_discovery_document_of_somebody_else_is_refused(provider, sign_in, metadata):
    provider.metadata = metadata
    with pytest.raises(ProviderFailed):
        await sign_in()


async def test_a_provider_that_is_down_is_not_asked_again_at_once(provider, sign_in):
    provider.down = True
    for _ in range(3):
        with pytest.raises(ProviderFailed, match="cannot be reached"):
            await sign_in()
    assert len(provider.requests) == 1
    provider.down = False
    sign_in.ours._clock = lambda: time.monotonic() + 6
    await sign_in()


async def test_a_provider_that_goes_down_in_the_middle_is_no_sign_in(provider, sign_in):
    address = await sign_in.ours.address(EXCHANGE, "s")
    code = httpx.URL(provider.authorize(address)).params["code"]
    provider.down = True
    with pytest.raises(ProviderFailed):
        await sign_in.ours.claims(code, EXCHANGE, None)


async def test_nobody_listens_at_the_address_of_the_provider(monkeypatch):
    ours = Provider(SignInSettings(issuer="http://127.0.0.1:9", client_id="x"))
    with pytest.raises(ProviderFailed):
        await ours.metadata()


def test_a_secret_that_is_not_set_is_an_error_at_the_start(monkeypatch):
    monkeypatch.delenv("ARENA_TEST_SECRET", raising=False)
    with pytest.raises(ConfigError, match="ARENA_TEST_SECRET"):
        Provider(SignInSettings(issuer="https://id.example", client_id="x", secret_env="ARENA_TEST_SECRET"))


def test_without_the_extra_the_start_says_which_to_install(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(ConfigError, match=r"arena\[sign-in\]"):
        Provider(SignInSettings(issuer="https://id.example", client_id="x"))


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"issuer": "http://id.example", "client_id": "x"}, "https"),
        ({"issuer": "http://localhost.evil.example", "client_id": "x"}, "https"),
        ({"issuer": "https://id.example"}, "client_id"),
        ({"required": "vote"}, "issuer"),
        ({"scopes": ["email"]}, "openid"),
    ],
)
def test_settings_that_cannot_work_are_refused(wrong, says):
    with pytest.raises(ValueError, match=says):
        SignInSettings(**wrong)


def claims(**values):
    return Claims("https://id.example", "ann", values)


LISTS = SignInSettings(reviewers=("staff",), operators=("admins",))


@pytest.mark.parametrize(
    ("values", "role"),
    [
        ({"groups": ["staff"]}, Role.REVIEWER),
        ({"groups": ["staff", "admins"]}, Role.OPERATOR),
        ({"groups": "admins"}, Role.OPERATOR),
        ({"groups": "not admins"}, Role.VOTER),
        ({"groups": ["Admins"]}, Role.VOTER),
        ({"groups": [["admins"], {"admins": 1}, 7, None]}, Role.VOTER),
        ({"groups": {"admins": True}}, Role.VOTER),
        ({"role": "operator", "roles": ["admins"]}, Role.VOTER),
        ({}, Role.VOTER),
    ],
)
def test_a_role_comes_from_whole_values_of_the_claim_of_the_settings_alone(values, role):
    assert role_of(claims(**values), LISTS) is role


def test_an_address_gives_a_role_only_if_the_provider_has_verified_it():
    by_address = LISTS.model_copy(update={"role_claim": "email", "operators": ("ann@example.org",)})
    ann = {"email": "ann@example.org"}
    assert role_of(claims(**ann), by_address) is Role.VOTER
    assert role_of(claims(**ann, email_verified="true"), by_address) is Role.VOTER
    assert role_of(claims(**ann, email_verified=True), by_address) is Role.OPERATOR


def test_a_claim_inside_another_is_found_and_without_lists_the_role_is_left_alone():
    nested = LISTS.model_copy(update={"role_claim": "realm_access.roles"})
    assert role_of(claims(realm_access={"roles": ["staff"]}), nested) is Role.REVIEWER
    assert role_of(claims(realm_access="staff"), nested) is Role.VOTER
    assert role_of(claims(groups=["staff"]), SignInSettings()) is None


def test_the_stored_subject_is_a_hash_and_names_hold_no_address():
    ann = claims(preferred_username="Ann.Lee@example.org", email="ann@example.org")
    assert "ann" not in stored_subject(ann)
    assert stored_subject(ann) != stored_subject(Claims("https://other.example", "ann", {}))
    assert name_of(ann, Role.OPERATOR) == "ann.lee"
    assert name_of(ann, Role.VOTER).startswith("voter-")
    assert name_of(claims(preferred_username="<b>"), Role.REVIEWER).startswith("reviewer-")


async def test_a_public_client_signs_in_with_pkce_alone(provider):
    ours = Provider(SignInSettings(issuer=provider.issuer, client_id=CLIENT))
    code = httpx.URL(provider.authorize(await ours.address(EXCHANGE, "s"))).params["code"]
    assert (await ours.claims(code, EXCHANGE, None)).subject == "ann"
