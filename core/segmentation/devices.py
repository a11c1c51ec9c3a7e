"""Where models compute."""

import os


def describe() -> str:
    """Return which device models would use, in a few words."""
    import torch

    if torch.cuda.is_available():
        return f"cuda: {torch.cuda.get_device_name()}"
    return f"cpu: {os.cpu_count()} cores, torch {torch.__version__} finds no GPU"
