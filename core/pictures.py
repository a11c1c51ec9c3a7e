"""From any photo file to an upright RGB picture of bounded size, or one sentence why not."""

import warnings
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from core.errors import InvalidImage

FORMATS: Final = ("JPEG", "PNG", "WEBP", "TIFF", "BMP")
SUFFIXES: Final = (".jpg", ".jpeg", ".jpe", ".png", ".webp", ".tif", ".tiff", ".bmp")
MAX_PIXELS: Final = 200_000_000
MAX_BYTES: Final = 500_000_000
WORKING_SIDE: Final = 1500
THUMB_SIDE: Final = 320
_ROWS: Final = 256
# Pillow refuses twice this, so photos between its own limit and ours would be called bombs.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS


@dataclass(frozen=True, slots=True)
class Picture:
    """A photo as the library takes it.

    `working` and `thumb` are JPEG: quality 95 without chroma subsampling takes a third of PNG's bytes and
    decoding time, at a mean error under two of 255 levels (docs/adr/0004).
    """

    format: str
    original_size_wh: tuple[int, int]
    size_wh: tuple[int, int]
    working: bytes
    thumb: bytes


@dataclass(frozen=True, slots=True)
class Upright:
    """A photo as it is shown, before it is written: `pixels` are RGB of shape (H, W, 3), at most 1500 px a side."""

    format: str
    original_size_wh: tuple[int, int]
    pixels: NDArray[np.uint8]


def read_picture(source: Path | bytes, *, max_pixels: int = MAX_PIXELS) -> Picture:
    """Return the photo of a file as the library takes it; see `read_upright` for what is refused."""
    return picture_of(read_upright(source, max_pixels=max_pixels))


def picture_of(photo: Upright, pixels: NDArray[np.uint8] | None = None) -> Picture:
    """Return a photo as the library takes it, with other pixels of the same size if they are given.

    Nothing but pixels goes into its files: no EXIF, no place, no comment.
    """
    working = Image.fromarray(photo.pixels if pixels is None else pixels)
    return Picture(
        format=photo.format,
        original_size_wh=photo.original_size_wh,
        size_wh=working.size,
        working=_jpeg(working, 95, subsampling=0),
        thumb=_jpeg(_reduced(working, THUMB_SIDE), 80, subsampling=2),
    )


def read_upright(source: Path | bytes, *, max_pixels: int = MAX_PIXELS) -> Upright:
    """Return the photo of a file, upright, as RGB, longest side at most 1500 px.

    The first frame of an animation and the first page of a document is taken. Transparency lies on white.
    16-bit and float samples are scaled so that their own range of values fills 0 to 255, except 16-bit
    samples that use more than half of their range, which are scaled by 1/257.

    Raises
    ------
    InvalidImage
        If the file is empty, no image, of another format, damaged, or larger than allowed.
    """
    check_length(len(source) if isinstance(source, bytes) else source.stat().st_size)
    try:
        with warnings.catch_warnings():
            # Pillow warns of many pixels and of odd metadata; the limit below and the decoder decide.
            warnings.simplefilter("ignore")
            with Image.open(BytesIO(source) if isinstance(source, bytes) else source, formats=FORMATS) as image:
                return _upright(image, max_pixels)
    except InvalidImage:
        raise
    except UnidentifiedImageError as error:
        raise InvalidImage("an image must be JPEG, PNG, WebP, TIFF or BMP, got something else") from error
    except Image.DecompressionBombError as error:
        raise InvalidImage(f"an image must have at most {max_pixels // 10**6} million pixels, got more") from error
    except MemoryError as error:
        raise InvalidImage("an image must fit into memory, got one that does not") from error
    except Exception as error:  # damaged bytes make each decoder raise its own: OSError, SyntaxError, struct.error ...
        raise InvalidImage(f"an image must be complete and readable, got a damaged one ({_short(error)})") from error


def check_length(length: int) -> None:
    """Let a file of this many bytes pass, before any of them is read.

    Raises
    ------
    InvalidImage
        If it is empty or larger than allowed.
    """
    if length == 0:
        raise InvalidImage("an image must have content, got an empty file")
    if length > MAX_BYTES:
        raise InvalidImage(f"an image file must be at most {MAX_BYTES // 10**6} MB, got {length // 10**6} MB")


def _upright(image: Image.Image, max_pixels: int) -> Upright:
    width, height = image.size
    if width * height > max_pixels:
        raise InvalidImage(f"an image must have at most {max_pixels // 10**6} million pixels, got {width} x {height}")
    kind = image.format or "unknown"
    if kind == "JPEG":
        # The decoder may read at half or quarter size: as exact for us, and far less work.
        image.draft("RGB", (WORKING_SIDE, WORKING_SIDE))
    image.load()
    orientation = _orientation(image)
    # Reduced before it is coloured and turned, where it can be: each of these copies the whole picture.
    rgb = _rgb(_reduced(image, WORKING_SIDE) if _can_be_averaged(image) else image)
    rgb = rgb.transpose(_TURNS[orientation]) if orientation in _TURNS else rgb
    original = (height, width) if orientation in _ON_ITS_SIDE else (width, height)
    return Upright(kind, original, np.asarray(_reduced(rgb, WORKING_SIDE)))


_TURNS: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_ON_ITS_SIDE: Final = (5, 6, 7, 8)


def orientation_of(data: bytes) -> int:
    """Return how a photo's file says it is to be turned, EXIF's 1 to 8; 1 if it does not say or is no photo."""
    try:
        with Image.open(BytesIO(data), formats=FORMATS) as image:
            found = _orientation(image)
    except Exception:
        return 1
    return found if isinstance(found, int) and 1 <= found <= 8 else 1


def turned(mask: NDArray[np.bool_], orientation: int) -> NDArray[np.bool_]:
    """Return a mask that was drawn on a photo as it lies in its file, upright."""
    if orientation not in _TURNS:
        return mask
    picture = Image.fromarray(mask.astype(np.uint8)).transpose(_TURNS[orientation])
    upright: NDArray[np.bool_] = np.asarray(picture).astype(bool)
    return upright


def _orientation(image: Image.Image) -> object:
    """Return EXIF's orientation, 1 if it cannot be read: damaged notes about a photo are no damage to its pixels.

    Pillow's exif_transpose also writes all of the EXIF anew, which fails on tags of odd types.
    """
    try:
        return image.getexif().get(0x0112, 1)
    except Exception:
        return 1


def _can_be_averaged(image: Image.Image) -> bool:
    """Return whether resizing may come first: not where samples are names of colours, or wider than a byte."""
    return (
        image.mode not in ("1", "P", "PA")
        and not image.mode.startswith(("I", "F"))
        and "transparency" not in image.info
    )


def _rgb(image: Image.Image) -> Image.Image:
    """Return any mode as RGB: wide samples scaled, transparency laid on white."""
    if image.mode.startswith(("I", "F")):
        return Image.fromarray(_narrow(np.asarray(image))).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        rgba = image.convert("RGBA")
        white = Image.new("RGBA", rgba.size, "white")
        return Image.alpha_composite(white, rgba).convert("RGB")
    return image.convert("RGB")


def _narrow(samples: np.ndarray) -> np.ndarray:
    """Return wide samples of shape (H, W) as bytes, some rows at a time: eight bytes a sample for all would be felt."""
    rows = [samples[start : start + _ROWS] for start in range(0, len(samples), _ROWS)]
    low = min(float(np.nan_to_num(part).min()) for part in rows)
    high = max(float(np.nan_to_num(part).max()) for part in rows)
    if low >= 0 and 32768 <= high <= 65535:
        low, scale = 0.0, 1 / 257
    else:
        scale = 255 / (high - low) if high > low else 0.0
    narrow = np.empty(samples.shape, np.uint8)
    for part, out in zip(rows, (narrow[start : start + _ROWS] for start in range(0, len(samples), _ROWS)), strict=True):
        out[:] = np.round((np.nan_to_num(part.astype(np.float64)) - low) * scale)
    return narrow


def _reduced(image: Image.Image, side: int) -> Image.Image:
    scale = side / max(image.size)
    if scale >= 1:
        return image
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return image.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)


def _jpeg(image: Image.Image, quality: int, *, subsampling: int) -> bytes:
    buffer = BytesIO()
    # Pillow would carry a remark of the file's over, and with it whatever somebody has noted there.
    image.save(buffer, "JPEG", quality=quality, subsampling=subsampling, comment=b"")
    return buffer.getvalue()


def _short(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 100 else text[:99] + "…"
