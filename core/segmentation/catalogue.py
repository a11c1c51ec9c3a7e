"""Which segmenters there are, and how one is loaded."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import httpx

from core.errors import ModelUnavailable
from core.hashes import file_sha256
from core.segmentation.grabcut import GrabCutSegmenter
from core.segmentation.protocol import Segmenter

GRABCUT: Final = "grabcut"
"""The baseline, and what answers where another cannot."""
TINY: Final = "tiny-random"
STARTER: Final = "starter"
DEFAULT: Final = STARTER
"""What answers until another is chosen."""
STARTER_TITLE: Final = "Starter (small, trained on made scenes)"
STARTER_WEIGHTS: Final = Path(__file__).parent / "weights" / "starter.pt"
_SOURCE: Final = "https://dl.fbaipublicfiles.com/segment_anything"
_CHUNK: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One of Meta's checkpoints: where it is, how large, and what its content hashes to."""

    name: str
    title: str
    file: str
    sha256: str
    size_bytes: int

    @property
    def url(self) -> str:
        """Where it is downloaded from."""
        return f"{_SOURCE}/{self.file}"


CHECKPOINTS: Final = {
    entry.name: entry
    for entry in (
        Checkpoint(
            "vit_b",
            "SAM ViT-B",
            "sam_vit_b_01ec64.pth",
            "ec2df62732614e57411cdcf32a23ffdf28910380d03139ee0f4fcbe91eb8c912",
            375_042_383,
        ),
        Checkpoint(
            "vit_l",
            "SAM ViT-L",
            "sam_vit_l_0b3195.pth",
            "3adcc4315b642a4d2101128f611684e8734c41232a17c648ed1693702a49a622",
            1_249_524_607,
        ),
        Checkpoint(
            "vit_h",
            "SAM ViT-H",
            "sam_vit_h_4b8939.pth",
            "a7bf3b02f3ebf1267aba913ff637d9a2d5c33d3173bb679e46d9f338c26f262e",
            2_564_550_879,
        ),
    )
}

NAMES: Final = (STARTER, GRABCUT, *CHECKPOINTS)
"""What can be chosen, in the order of lists."""


def keeps_embeddings(name: str) -> bool:
    """Return whether the model of a name keeps its embeddings on disk, without loading it."""
    return name not in (GRABCUT, STARTER)


@dataclass(frozen=True, slots=True)
class SegmenterSpec:
    """Which segmenter to load: a name of the catalogue, the paths of its checkpoint and retrained head, the device."""

    name: str = DEFAULT
    path: str | None = None
    device: str = "auto"
    head: str | None = None


def spec_of(name: str, path: Path | None, *, models: Path, device: str, head: Path | None = None) -> SegmenterSpec:
    """Return the spec of a model whose checkpoint is at `path`, or else where downloads to the folder `models` go."""
    if path is None and name in CHECKPOINTS:
        path = models / CHECKPOINTS[name].file
    return SegmenterSpec(name, str(path) if path else None, device, str(head) if head else None)


def load_segmenter(spec: SegmenterSpec) -> Segmenter:
    """Return the segmenter of a spec, ready to answer. SAM's weights load without running any code in them.

    Raises
    ------
    ModelUnavailable
        If the name is unknown, or its file or head is missing, damaged or of another architecture.
    """
    segmenter = _base(spec)
    if spec.head is None:
        return segmenter
    from core.segmentation.heads import read_head, with_head

    return with_head(segmenter, read_head(Path(spec.head)), title=segmenter.title)


def _base(spec: SegmenterSpec) -> Segmenter:
    if spec.name == GRABCUT:
        return GrabCutSegmenter()
    if spec.name == TINY:
        return _tiny(spec)
    if spec.name == STARTER:
        return _starter(spec)
    if spec.name not in CHECKPOINTS:
        raise ModelUnavailable(f"a model must be one of {', '.join(NAMES)}, got {spec.name[:80]!r}")
    return _sam(spec, CHECKPOINTS[spec.name])


def check_checkpoint(name: str, path: Path) -> None:
    """Let a file pass that lists the weights of this model, by name and shape; the weights themselves are not read.

    Raises
    ------
    ModelUnavailable
        If it is missing, damaged, or lists others.
    """
    import torch

    from core.segmentation.sam_modules import segment_anything
    from core.segmentation.weights_file import read_weights

    entry = CHECKPOINTS[name]
    listed = read_weights(path, mapped=True)
    with torch.device("meta"):
        wanted = segment_anything().sam_model_registry[name]().state_dict()
    if {key: getattr(value, "shape", None) for key, value in listed.items()} != {
        key: value.shape for key, value in wanted.items()
    }:
        raise ModelUnavailable(f"{path.name} must hold the weights of {entry.title}, but holds others")


def _tiny(spec: SegmenterSpec) -> Segmenter:
    from core.segmentation.sam import SamSegmenter
    from core.segmentation.tiny import build_tiny_sam

    return SamSegmenter(build_tiny_sam(smooth=True), name=TINY, title="Random weights (for tests)")


def _starter(spec: SegmenterSpec) -> Segmenter:
    from core.segmentation.starter import load_starter

    path = Path(spec.path) if spec.path else STARTER_WEIGHTS
    return load_starter(path, name=STARTER, title=STARTER_TITLE, device=_device(spec.device))


def _sam(spec: SegmenterSpec, entry: Checkpoint) -> Segmenter:
    from core.segmentation.sam import SamSegmenter, bf16_is_fast
    from core.segmentation.sam_modules import segment_anything
    from core.segmentation.weights_file import read_weights

    if spec.path is None:
        raise ModelUnavailable(f"{entry.title} must have a checkpoint file, but none was given or downloaded")
    path = Path(spec.path)
    device = _device(spec.device)
    weights = read_weights(path)
    sam = segment_anything().sam_model_registry[entry.name]()
    try:
        sam.load_state_dict(weights)
    except (RuntimeError, TypeError, AttributeError) as error:
        raise ModelUnavailable(f"{path.name} must hold the weights of {entry.title}, but holds others") from error
    precision: Literal["fp32", "bf16"] = "bf16" if bf16_is_fast(device) else "fp32"
    return SamSegmenter(sam.to(device).eval(), name=entry.name, title=entry.title, precision=precision)


def _device(wanted: str) -> str:
    import torch

    if wanted == "cuda" and not torch.cuda.is_available():
        raise ModelUnavailable("device cuda must have a GPU that torch can use, but torch finds none")
    if wanted != "auto":
        return wanted
    return "cuda" if torch.cuda.is_available() else "cpu"


def download(
    entry: Checkpoint,
    folder: Path,
    *,
    progress: Callable[[int, int], None] | None = None,
    url: str | None = None,
) -> Path:
    """Return a checkpoint's file in `folder`, downloaded if it is not there yet.

    What a broken download left is gone on with. The file takes its name only once its hash is right.

    Parameters
    ----------
    progress : callable, optional
        Called with (bytes had, bytes in all) after each piece.
    url : str, optional
        Another place that has the same file.

    Raises
    ------
    ModelUnavailable
        If it cannot be fetched, or is not what it should be; what was wrong is thrown away.
    """
    target = folder / entry.file
    if target.exists() and file_sha256(target) == entry.sha256:
        return target
    folder.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f"{target.name}.part")
    try:
        _fetch(url or entry.url, partial, entry, progress)
    except (httpx.HTTPError, OSError) as error:
        raise ModelUnavailable(
            f"{entry.title} must be downloadable from {url or entry.url}, got: {error}; run it again to go on"
        ) from error
    if file_sha256(partial) != entry.sha256:
        partial.unlink()
        raise ModelUnavailable(f"{entry.file} must have sha256 {entry.sha256[:12]}…, but the download has another")
    partial.replace(target)
    return target


def _fetch(url: str, partial: Path, entry: Checkpoint, progress: Callable[[int, int], None] | None) -> None:
    had = partial.stat().st_size if partial.exists() else 0
    headers = {"Range": f"bytes={had}-"} if had else {}
    with httpx.stream("GET", url, headers=headers, follow_redirects=True, timeout=30.0) as response:
        if response.status_code == 416:
            return  # nothing is left to fetch; the hash decides
        response.raise_for_status()
        goes_on = response.status_code == 206
        had = had if goes_on else 0
        with partial.open("ab" if goes_on else "wb") as file:
            for chunk in response.iter_bytes(_CHUNK):
                file.write(chunk)
                had += len(chunk)
                if progress:
                    progress(had, entry.size_bytes)
