"""A provider of OpenID Connect in a thread: Authlib's server parts behind the standard library's HTTP server.

It signs in whom the test names (`person`), and can misbehave: the tests set `claims`, `signer`, `down` and the like.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
from authlib.oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import ClientMixin, OAuth2Request
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from authlib.oauth2.rfc6750 import BearerTokenGenerator
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.core.grants import OpenIDCode
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey

CLIENT, SECRET, CALLBACK = "the-arena", "a secret of the arena", "/sign-in/callback"


@cache
def rsa_key(name: str, number: int = 1) -> RSAKey:
    """A key of this name; another for each number."""
    return RSAKey.generate_key(2048, {"kid": name, "use": "sig"})


class Client(ClientMixin):
    """The arena, as the provider knows it."""

    def get_client_id(self) -> str:
        return CLIENT

    def get_default_redirect_uri(self) -> None:
        return None

    def get_allowed_scope(self, scope: str) -> str:
        return scope

    def check_redirect_uri(self, uri: str) -> bool:
        return urlsplit(uri).path == CALLBACK

    def check_client_secret(self, secret: str) -> bool:
        return secret == SECRET

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method in ("client_secret_basic", "client_secret_post", "none")

    def check_response_type(self, kind: str) -> bool:
        return kind == "code"

    def check_grant_type(self, kind: str) -> bool:
        return kind == "authorization_code"


class CodeGrant(AuthorizationCodeGrant):
    """Codes in memory, for one use each."""

    TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_basic", "client_secret_post", "none")

    def save_authorization_code(self, code: str, request: Any) -> None:
        data = request.payload.data
        self.server.provider.codes[code] = SimpleNamespace(
            code=code, person=request.user, redirect_uri=data["redirect_uri"], scope=data["scope"],
            nonce=data.get("nonce"), code_challenge=data["code_challenge"],
            code_challenge_method=data["code_challenge_method"], get_redirect_uri=lambda: data["redirect_uri"],
            get_scope=lambda: data["scope"], get_nonce=lambda: data.get("nonce"), get_auth_time=lambda: None,
            get_acr=lambda: None, get_amr=lambda: None,
        )  # fmt: skip

    def query_authorization_code(self, code: str, client: Any) -> Any:
        return self.server.provider.codes.get(code)

    def delete_authorization_code(self, code: Any) -> None:
        if not self.server.provider.replayable:
            del self.server.provider.codes[code.code]

    def authenticate_user(self, code: Any) -> Any:
        return code.person


class IdToken(OpenIDCode):
    """ID tokens with the claims that the test asks for."""

    def __init__(self, provider: Provider) -> None:
        super().__init__()
        self.provider = provider

    def exists_nonce(self, nonce: str, request: Any) -> bool:
        return False

    def encode_id_token(self, token: Any, request: Any) -> str:
        at = int(time.time())
        claims = {
            "iss": self.provider.issuer, "aud": CLIENT, "iat": at, "exp": at + 300,
            "nonce": request.authorization_code.get_nonce(), **request.user,
        }  # fmt: skip
        return self.provider.signer({**claims, **self.provider.claims})


class ProviderRequest(OAuth2Request):
    """A request whose parameters stand in `payload`."""

    @property
    def args(self) -> dict[str, str]:
        return self.payload.data

    @property
    def form(self) -> dict[str, str]:
        return self.payload.data


class Server(AuthorizationServer):
    """Authlib's server without a web framework."""

    def __init__(self, provider: Provider) -> None:
        super().__init__(scopes_supported=["openid", "email", "groups"])
        self.provider = provider
        self.register_token_generator("default", BearerTokenGenerator(lambda *_, **__: "access", None))
        self.register_grant(CodeGrant, [CodeChallenge(required=True), IdToken(provider)])

    def query_client(self, client_id: str) -> Client | None:
        return Client() if client_id == CLIENT else None

    def save_token(self, token: Any, request: Any) -> None:
        """Nobody reads access tokens here."""

    def create_oauth2_request(self, request: Any) -> OAuth2Request:
        secure = request["uri"].replace("http:", "https:")  # Authlib serves no other
        made = ProviderRequest(request["method"], secure, headers=request["headers"])
        made.payload = BasicOAuth2Payload(request["data"])
        return made

    def handle_response(self, status: int, body: Any, headers: Any) -> tuple[int, str, dict[str, str]]:
        return status, json.dumps(body) if isinstance(body, dict) else body, dict(headers)

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Nobody listens."""


class Provider:
    """What the provider says, for tests to change. `person` is who signs in at it."""

    def __init__(self) -> None:
        self.issuer = ""
        self._server = Server(self)
        self.reset()

    def reset(self) -> None:
        """Be as at first: honest, and up."""
        self.person: dict[str, Any] = {"sub": "ann"}
        self.claims: dict[str, Any] = {}  # over those of the person
        self.codes: dict[str, Any] = {}
        self.replayable = False
        self.down = False
        self.metadata: dict[str, Any] = {}  # over the usual ones
        self.requests: list[str] = []
        self.keys = [rsa_key("one")]
        self.signer: Callable[[dict[str, Any]], str] = self.sign

    def sign(self, claims: dict[str, Any], key: Any = None, **header: Any) -> str:
        """A token signed with the newest key, or another one."""
        used = key or self.keys[-1]
        algorithm = {"RSA": "RS256", "EC": "ES256"}[used.key_type]
        return jwt.encode({"alg": algorithm, "kid": used.kid, **header}, claims, used, [algorithm])

    def rotate(self, keep: bool = False) -> None:
        """Sign with a new key, of another type, from now on."""
        new = ECKey.generate_key("P-256", {"kid": f"key-{len(self.keys) + 1}", "use": "sig"})
        self.keys = [*self.keys, new] if keep else [new]

    def authorize(self, address: str) -> str:
        """The address to which a browser at `address` is sent back after `person` has signed in."""
        return httpx.get(address).headers["location"]

    def answer(self, method: str, url: str, headers: Any, data: dict[str, str]) -> tuple[int, str, dict[str, str]]:
        path = urlsplit(url).path
        self.requests.append(path)
        if self.down:
            return 503, "down", {}
        kinds = {"content-type": "application/json"}
        if path == "/.well-known/openid-configuration":
            return 200, json.dumps(self._discovery()), kinds
        if path == "/keys":
            return 200, json.dumps(KeySet(self.keys).as_dict(private=False)), kinds
        asked = {"method": method, "uri": url, "headers": headers, "data": data}
        if path == "/authorize":
            grant = self._server.get_consent_grant(asked, end_user=self.person)
            return self._server.create_authorization_response(asked, grant_user=self.person, grant=grant)
        if path == "/token":
            return self._server.create_token_response(asked)
        return 404, "", {}

    def _discovery(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer, "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token", "jwks_uri": f"{self.issuer}/keys",
            "response_types_supported": ["code"], "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256", "ES256"], **self.metadata,
        }  # fmt: skip


@contextmanager
def running_provider() -> Iterator[Provider]:
    """A provider on a free port of this machine."""
    provider = Provider()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(dict(parse_qsl(urlsplit(self.path).query)))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
            self._answer(dict(parse_qsl(body)))

        def _answer(self, data: dict[str, str]) -> None:
            status, body, headers = provider.answer(self.command, provider.issuer + self.path, self.headers, data)
            content = body.encode()
            self.send_response(status)
            for name, value in {**headers, "content-length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            """Silence."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider.issuer = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield provider
    server.shutdown()
    server.server_close()
    thread.join()
