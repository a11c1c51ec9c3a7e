"""Identity providers (OpenID Connect) as Streamlit's secrets name them, and what they told Streamlit of somebody."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import streamlit as st
from streamlit.auth_util import (
    get_cookie_with_chunks,
    get_secrets_auth_section,
    is_authlib_installed,
    validate_auth_credentials,
)
from streamlit.errors import StreamlitAuthError
from streamlit.runtime.secrets import secrets_singleton
from streamlit.web.server.server_util import get_cookie_secret
from streamlit.web.server.starlette.starlette_app_utils import decode_signed_value
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME

from core.errors import InvalidInput
from core.sign_in import is_loopback

LEAST_SECRET: Final = 32
_JUST_NOW_DAYS: Final = 1 / 24 / 60
_DEFAULT: Final = "default"
"""Streamlit's name for a provider that is written into [auth] itself."""


@dataclass(frozen=True, slots=True)
class Provider:
    """Where people may sign in, what that is called, and who this server is there."""

    key: str
    title: str
    client_id: str


@lru_cache(maxsize=1)
def providers() -> tuple[Provider, ...]:
    """Return the providers of the section [auth] of `.streamlit/secrets.toml`; without it there are none.

    Raises
    ------
    InvalidInput
        If it cannot be meant; no secret is in the message.
    """
    files = [name for name in st.get_option("secrets.files") if Path(name).is_file()]
    if files and not secrets_singleton.load_if_toml_exists():
        raise InvalidInput(f"{files[0]} must be TOML, but cannot be read as such")
    auth: dict[str, Any] = get_secrets_auth_section().to_dict()
    if not auth:
        return ()
    sections = {key: one for key, one in auth.items() if isinstance(one, dict) and key != "client_kwargs"}
    if "client_id" in auth or not sections:
        sections = {_DEFAULT: auth, **sections}
    if not is_authlib_installed():
        raise InvalidInput("a provider in [auth] needs Authlib, which is not installed: pip install 'masksmith[oidc]'")
    return tuple(_provider(key, section, auth) for key, section in sections.items())


def _provider(key: str, section: dict[str, Any], auth: dict[str, Any]) -> Provider:
    try:
        validate_auth_credentials(key)
    except StreamlitAuthError as error:
        raise InvalidInput(" ".join(str(error).split()).rstrip(".")) from None
    if not str(auth["redirect_uri"]).endswith("/oauth2callback"):
        raise InvalidInput(f"redirect_uri in [auth] must end with /oauth2callback, got {auth['redirect_uri']!r}")
    if len(str(auth["cookie_secret"])) < LEAST_SECRET:
        raise InvalidInput(f"cookie_secret in [auth] must be random and have at least {LEAST_SECRET} characters")
    address = urlsplit(str(section["server_metadata_url"]))
    if address.scheme != "https" and not is_loopback(address.hostname):
        raise InvalidInput(f"server_metadata_url in [auth] must begin with https://, got {address.geturl()!r}")
    title = section.get("name") or (address.hostname if key == _DEFAULT else key.capitalize())
    return Provider(key, str(title), str(section["client_id"]))


def claims_of(cookies: Mapping[str, str]) -> tuple[dict[str, Any], str] | None:
    """Return what a provider said of somebody, and as whom this server asked it, from cookies Streamlit just made.

    None if there are none, or they do not hold.
    """
    secret = get_cookie_secret()

    def one(name: str) -> bytes | None:
        return decode_signed_value(secret, name, cookies.get(name, ""), max_age_days=_JUST_NOW_DAYS)

    kept = get_cookie_with_chunks(one, USER_COOKIE_NAME) if secret else None
    if kept is None:
        return None
    claims: dict[str, Any] = json.loads(kept)
    (client_id,) = (known.client_id for known in providers() if known.key == claims["provider"])
    return claims, client_id
