"""Every error the app raises on purpose.

MasksmithError
├── InvalidInput       what was sent cannot be meant
│   └── InvalidImage   a file is no image the library can take
├── NotFound           the thing named does not exist (any more)
├── Conflict           the thing exists, but not in the state that was assumed
│   └── Held           somebody else is on the image
│       └── HeldQuietly    they are, but have given no sign of life for a while
├── NotSignedIn        nobody is signed in, or no longer
├── Forbidden          the role does not reach
│   └── PasswordDue    a first password must be changed before anything else
├── TooManyAttempts    signing in was tried too often
├── ModelUnavailable   a segmenter cannot be loaded
├── CrewUnavailable    those who should do batch work cannot be had
├── CrewLost           workers died over their work, twice
└── Superseded         a newer request of the same person made this one pointless

Storage, which imports nothing of ours, has a family of its own: `StorageError`. `FORESEEN` is both.
A message is one sentence: what must hold, and what came. It is shown to people as it is.
"""

from typing import Final

from storage.errors import StorageError


class MasksmithError(Exception):
    """Anything that went wrong in a way the app foresees."""


class InvalidInput(MasksmithError, ValueError):
    """A value from outside breaks a rule; the message names both."""


class InvalidImage(InvalidInput):
    """A file is not an image, is damaged, or is larger than the library takes."""


class NotFound(MasksmithError, LookupError):
    """No such image, mask, skip, candidate or file."""


class Conflict(MasksmithError):
    """The thing exists, but has changed since it was looked at."""


class Held(Conflict):
    """Somebody else is on the image; the message names them."""


class HeldQuietly(Held):
    """Somebody else is on the image, but has given no sign of life for a while: it may be taken over."""


class NotSignedIn(MasksmithError):
    """Sign-in is required, and the request comes with none that holds; or name and password do not fit."""


class Forbidden(MasksmithError):
    """Somebody is signed in, but their role does not reach so far."""


class PasswordDue(Forbidden):
    """Somebody is signed in with a password that was made for them, and must choose their own first."""


class TooManyAttempts(MasksmithError):
    """Signing in failed too often, under one name or from one address.

    Attributes
    ----------
    wait_s : float
        When the next attempt will be let through.
    """

    def __init__(self, message: str, wait_s: float) -> None:
        super().__init__(message)
        self.wait_s = wait_s


class ModelUnavailable(MasksmithError):
    """A segmenter's weights are missing, damaged or of another architecture."""


class CrewUnavailable(MasksmithError):
    """Those who should do batch work cannot be had: ray is missing, or no cluster answers."""


class CrewLost(MasksmithError):
    """Workers died over a piece of their work, and once more when it was given to others."""


class Superseded(MasksmithError):
    """A newer request of the same person replaced this one before it was answered."""


FORESEEN: Final = (MasksmithError, StorageError)
