"""Who may do what: one table, asked by routes, pages and whatever changes the library."""

from typing import Final, Literal, Protocol, get_args

from core.errors import Forbidden, InvalidInput

Role = Literal["annotator", "reviewer", "manager", "owner"]
ROLES: Final[tuple[Role, ...]] = get_args(Role)
"""From the least on; each may do what those before it may."""

Permission = Literal[
    "annotate",
    "see_own",
    "review",
    "change_others",
    "see_others",
    "import",
    "delete_images",
    "export",
    "models",
    "settings",
    "see_team",
    "privacy",
    "people",
    "originals",
]

LEAST: Final[dict[Permission, Role]] = {
    "annotate": "annotator",  # images, prompts, masks of one's own, skips and the hard queue
    "see_own": "annotator",  # feedback on one's own masks, and one's own figures
    "review": "reviewer",  # verdicts, audits
    "change_others": "reviewer",  # correct, delete, bring back and label masks that somebody else made
    "see_others": "reviewer",  # feedback on other people's masks
    "import": "manager",
    "delete_images": "manager",
    "export": "manager",
    "models": "manager",  # see, choose, retrain, promote
    "settings": "manager",
    "see_team": "manager",
    "privacy": "manager",  # what is blurred on whose photo: search, draw and remove boxes
    "people": "owner",  # add, change and deactivate people
    "originals": "owner",  # photos as they came: sharp, with their EXIF
}


class Bearer(Protocol):
    """Whatever acts for a person of a role, such as a library."""

    @property
    def role(self) -> Role:
        """The person's role."""


def may(bearer: Bearer, permission: Permission) -> bool:
    """Return whether somebody may do something.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> may(SimpleNamespace(role="reviewer"), "review"), may(SimpleNamespace(role="reviewer"), "export")
    (True, False)
    """
    return bearer.role in holders(permission)


def holders(permission: Permission) -> tuple[Role, ...]:
    """Return the roles that may do something.

    Examples
    --------
    >>> holders("export")
    ('manager', 'owner')
    """
    return ROLES[ROLES.index(LEAST[permission]) :]


def require(bearer: Bearer, permission: Permission) -> None:
    """Go on only if somebody may do something.

    Raises
    ------
    Forbidden
        If their role does not reach.
    """
    if not may(bearer, permission):
        raise Forbidden(f"your role must be {LEAST[permission]} or above for this, but it is {bearer.role}")


def check_role(role: str) -> Role:
    """Return a text as the role it names.

    Raises
    ------
    InvalidInput
        If it names none.
    """
    for known in ROLES:
        if role == known:
            return known
    raise InvalidInput(f"a role must be {', '.join(ROLES[:-1])} or {ROLES[-1]}, got {role[:40]!r}")
