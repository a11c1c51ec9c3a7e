"""Reading a file of weights, without running any code that may be in it."""

import pickle
from pathlib import Path
from typing import Any

import torch

from core.errors import ModelUnavailable


def read_weights(path: Path, *, mapped: bool = False) -> dict[str, torch.Tensor]:
    """Return the named weights of a file; with `mapped` they are read only once they are looked at.

    Raises
    ------
    ModelUnavailable
        If the file is missing, damaged, or holds something else.
    """
    try:
        loaded: Any = torch.load(path, map_location="cpu", weights_only=True, mmap=mapped)
    except FileNotFoundError as error:
        raise ModelUnavailable(f"the checkpoint must exist, but there is no {path}") from error
    except (OSError, RuntimeError, ValueError, EOFError, KeyError, pickle.UnpicklingError) as error:
        raise ModelUnavailable(f"the checkpoint must be whole and hold weights only, but {path.name} is not") from error
    if not isinstance(loaded, dict):
        raise ModelUnavailable(f"the checkpoint must hold named weights, but {path.name} holds something else")
    return loaded
