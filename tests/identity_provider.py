"""A small OpenID Connect provider on this machine, and a visitor who goes there and comes back."""

import base64
import hashlib
import re
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx
import uvicorn
from joserfc import jwt
from joserfc.jwk import KeySet, OctKey, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from benchmarks.app_process import free_port

CLIENT, SECRET = "masksmith-here", "the-client's-secret-0123456789"
COOKIE_SECRET = "a-cookie-secret-of-more-than-32-characters"


@dataclass
class Account:
    """Who sits before the browser, as the provider knows them."""

    sub: str = "account-1"
    email: Any = "ada@example.org"
    email_verified: Any = True


@dataclass
class IdentityProvider:
    """It signs whoever is `account` in at once; what it says can be bent.

    Its name is localhost, so that to a server at 127.0.0.1 it is another site.
    """

    port: int
    account: Account = field(default_factory=Account)
    claims: dict[str, Any] = field(default_factory=dict)
    """Put over those of the next ID tokens; None takes one away."""
    lenient: bool = False
    """Takes a code more than once."""
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, parameters={"kid": "one"}))
    signed_with: RSAKey | None = None
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    tokens: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    def reset(self) -> None:
        self.account, self.claims, self.lenient, self.signed_with = Account(), {}, False, None

    async def discovery(self, _request: Request) -> Response:
        return JSONResponse(
            {
                "issuer": self.url,
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                "jwks_uri": f"{self.url}/jwks",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "code_challenge_methods_supported": ["S256"],
            }
        )

    async def authorize(self, request: Request) -> Response:
        asked = dict(request.query_params)
        assert (asked["client_id"], asked["response_type"]) == (CLIENT, "code")
        assert {"openid", "email"} <= set(asked["scope"].split())
        assert asked["code_challenge_method"] == "S256"
        assert len(asked["nonce"]) >= 16
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        back = f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"
        return HTMLResponse(f'<h1>Who are you?</h1><a href="{back.replace("&", "&amp;")}">Go on</a>')

    async def token(self, request: Request) -> Response:
        sent = dict(parse_qsl((await request.body()).decode()))
        scheme, _, shown = request.headers.get("authorization", "").partition(" ")
        assert scheme == "Basic"
        if base64.b64decode(shown).decode() != f"{CLIENT}:{SECRET}":
            return JSONResponse({"error": "invalid_client"}, status_code=401)
        asked = self.codes.get(sent["code"]) if self.lenient else self.codes.pop(sent["code"], None)
        digest = hashlib.sha256(sent.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if asked is None or sent["redirect_uri"] != asked["redirect_uri"] or challenge != asked["code_challenge"]:
            return JSONResponse({"error": "invalid_grant"}, status_code=400)
        at = int(time.time())
        claims = {
            "iss": self.url,
            "aud": CLIENT,
            "sub": self.account.sub,
            "email": self.account.email,
            "email_verified": self.account.email_verified,
            "iat": at,
            "exp": at + 300,
            "nonce": asked["nonce"],
            **self.claims,
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        signed = jwt.encode({"alg": "RS256", "kid": "one"}, claims, self.signed_with or self.key)
        self.tokens.append(signed)
        return JSONResponse({"access_token": secrets.token_urlsafe(16), "token_type": "Bearer", "id_token": signed})

    async def jwks(self, _request: Request) -> Response:
        return JSONResponse(KeySet([self.key]).as_dict(private=False))

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Listen."""
        routes = [
            Route("/.well-known/openid-configuration", self.discovery),
            Route("/authorize", self.authorize),
            Route("/token", self.token, methods=["POST"]),
            Route("/jwks", self.jwks),
        ]
        config = uvicorn.Config(
            Starlette(routes=routes), host="127.0.0.1", port=self.port, log_level="critical", ws="none", lifespan="off"
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        try:
            while not server.started:
                assert thread.is_alive()
                time.sleep(0.01)
            yield
        finally:
            server.should_exit = True
            thread.join()

    def secrets(self, folder: Path, server_url: str, **more: str) -> dict[str, str]:
        """Write secrets that name this provider to a server, and return the environment that names them."""
        lines = {
            "redirect_uri": f"{server_url}/oauth2callback",
            "cookie_secret": COOKIE_SECRET,
            "name": "Example ID",
            "client_id": CLIENT,
            "client_secret": SECRET,
            "server_metadata_url": f"{self.url}/.well-known/openid-configuration",
            **more,
        }
        path = folder / "secrets.toml"
        path.write_text("\n".join(["[auth]", *(f'{name} = "{value}"' for name, value in lines.items())]))
        return {"STREAMLIT_SECRETS_FILES": str(path)}


@contextmanager
def running_provider() -> Iterator[IdentityProvider]:
    provider = IdentityProvider(free_port())
    with provider.answering():
        yield provider


class Visitor(httpx.Client):
    """A browser without pages: it goes to the provider as `st.login` sends it, and comes back."""

    def __init__(self, server_url: str) -> None:
        super().__init__(base_url=server_url, timeout=30)
        self.server_url = server_url

    def leave(self, referer: str = "") -> httpx.Response:
        """Ask to be sent to the provider, from a page."""
        claims = {"provider": "default", "exp": int(time.time()) + 120}
        token = jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(COOKIE_SECRET))
        return self.get("/auth/login", params={"provider": token}, headers={"referer": referer} if referer else {})

    def there(self, referer: str = "") -> str:
        """Go to the provider, and return where it sends one back to."""
        answer = self.leave(referer)
        assert answer.status_code == 302, answer.text
        shown = httpx.get(answer.headers["location"])
        assert shown.status_code == 200, shown.text
        found = re.search(r'href="([^"]+)"', shown.text)
        assert found is not None
        address = urlsplit(unescape(found[1]))
        return f"{address.path}?{address.query}"

    def sign_in(self, referer: str = "") -> httpx.Response:
        return self.get(self.there(referer))
