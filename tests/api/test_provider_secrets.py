"""What `.streamlit/secrets.toml` may say of identity providers; what cannot be meant ends the start in one sentence."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from streamlit import config
from streamlit.runtime.secrets import secrets_singleton

from benchmarks.app_process import AppProcess
from core.errors import InvalidInput
from pages.ui.providers import Provider, providers

SHARED = {"redirect_uri": "https://masks.example.org/oauth2callback", "cookie_secret": "0123456789abcdef" * 2}
THERE = {
    "client_id": "us",
    "client_secret": "hidden-0123456789",
    "server_metadata_url": "https://id.example.org/.well-known/openid-configuration",
}


def toml(**sections: dict[str, str]) -> str:
    lines = []
    for name, section in sections.items():
        lines += [f"[{name.replace('__', '.')}]", *(f'{key} = "{value}"' for key, value in section.items())]
    return "\n".join(lines)


@pytest.fixture
def read(tmp_path: Path) -> Iterator[Callable[[str | None], tuple[Provider, ...]]]:
    """Reads secrets as the server does at its start."""
    before = config.get_option("secrets.files")

    def written(text: str | None) -> tuple[Provider, ...]:
        path = tmp_path / "secrets.toml"
        if text is not None:
            path.write_text(text)
        config.set_option("secrets.files", [str(path)])
        secrets_singleton._reset()
        providers.cache_clear()
        return providers()

    yield written
    config.set_option("secrets.files", before)
    secrets_singleton._reset()
    providers.cache_clear()


Read = Callable[[str | None], tuple[Provider, ...]]


@pytest.mark.parametrize("text", [None, "", 'other = "secret"', "[auth]"])
def test_without_a_section_there_is_no_provider(read: Read, text: str | None) -> None:
    assert read(text) == ()


def test_one_provider_is_called_as_it_says_or_as_its_server(read: Read) -> None:
    assert read(toml(auth=SHARED | THERE)) == (Provider("default", "id.example.org", "us"),)
    assert read(toml(auth=SHARED | THERE | {"name": "Ours"})) == (Provider("default", "Ours", "us"),)


def test_several_providers_have_a_section_each(read: Read) -> None:
    found = read(toml(auth=SHARED, auth__okta=THERE, auth__lab=THERE | {"name": "The lab", "client_id": "them"}))
    assert found == (Provider("okta", "Okta", "us"), Provider("lab", "The lab", "them"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[auth", "must be TOML, but cannot be read as such"),
        (toml(auth=SHARED), "for the default authentication provider are missing the following keys"),
        (toml(auth=THERE), 'missing the "redirect_uri" key'),
        (toml(auth=THERE | {"redirect_uri": SHARED["redirect_uri"]}), 'missing the "cookie_secret" key'),
        (
            toml(auth=SHARED | THERE | {"cookie_secret": "hidden-short"}),
            "must be random and have at least 32 characters",
        ),
        (toml(auth=SHARED | THERE | {"redirect_uri": "https://a/"}), "must end with /oauth2callback, got 'https://a/'"),
        (toml(auth=SHARED | THERE | {"server_metadata_url": "http://a/"}), "must begin with https://, got 'http://a/'"),
        (toml(auth=SHARED, auth__okta={"client_id": "us", "client_secret": "hidden"}), "server_metadata_url"),
        (toml(auth=SHARED, auth__a_b=THERE), "contains an underscore"),
    ],
)
def test_what_cannot_be_meant_is_said_without_a_secret(read: Read, text: str, said: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read(text)
    assert said in str(caught.value)
    assert "hidden" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_server_with_such_secrets_does_not_start(tmp_path: Path) -> None:
    (tmp_path / "secrets.toml").write_text(toml(auth=SHARED | THERE | {"cookie_secret": "short"}))
    app = AppProcess(tmp_path / "data", {"STREAMLIT_SECRETS_FILES": str(tmp_path / "secrets.toml")})
    with pytest.raises(RuntimeError, match=r"Masksmith did not start: cookie_secret in \[auth\] must be random"):
        app.start()
