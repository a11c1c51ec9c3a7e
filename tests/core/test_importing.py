"""Photos of every kind come in upright and RGB; everything else is refused with a sentence."""

import os
import shutil
import struct
import tracemalloc
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image

from core.errors import InvalidImage, InvalidInput
from core.importing import ImportReport, clean_name, import_bytes, import_paths
from core.pictures import MAX_BYTES, read_picture
from core.samples import NAMES, import_samples
from core.workshop import Library
from storage import images

pytestmark = pytest.mark.both_databases


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = BytesIO()
    image.save(buffer, kind, **options)  # type: ignore[arg-type]
    return buffer.getvalue()


def gradient(width: int = 60, height: int = 40) -> Image.Image:
    rows, columns = np.mgrid[0:height, 0:width]
    pixels = np.stack([columns * 255 // width, rows * 255 // height, np.full_like(rows, 80)], axis=-1)
    return Image.fromarray(pixels.astype(np.uint8))


def working(data: bytes) -> np.ndarray:
    picture = read_picture(data)
    return np.asarray(Image.open(BytesIO(picture.working)))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "BMP"])
def test_every_format_comes_in_with_its_colours(kind: str) -> None:
    got = working(saved(gradient(), kind)).astype(int)
    assert np.abs(got - np.asarray(gradient()).astype(int)).mean() < 5


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(orientation: int) -> None:
    upright = Image.new("RGB", (60, 40), "black")
    upright.paste("white", (0, 0, 20, 10))  # the top-left corner is white
    undo: dict[int, Callable[[Image.Image], Image.Image]] = {
        1: lambda image: image,
        2: lambda image: image.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
        3: lambda image: image.transpose(Image.Transpose.ROTATE_180),
        4: lambda image: image.transpose(Image.Transpose.FLIP_TOP_BOTTOM),
        5: lambda image: image.transpose(Image.Transpose.TRANSPOSE),
        6: lambda image: image.transpose(Image.Transpose.ROTATE_90),
        7: lambda image: image.transpose(Image.Transpose.TRANSVERSE),
        8: lambda image: image.transpose(Image.Transpose.ROTATE_270),
    }
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = read_picture(saved(undo[orientation](upright), "JPEG", exif=exif, quality=95))
    got = np.asarray(Image.open(BytesIO(picture.working)))
    assert picture.size_wh == picture.original_size_wh == (60, 40)
    assert got[5, 10].min() > 200
    assert got[30, 50].max() < 60


EXIF = struct.pack("<2sHIH", b"II", 42, 8, 2)
ODD_HEIGHT = struct.pack("<HHI4s", 0x0101, 2, 4, b"abc\0")  # text where a number belongs
ON_ITS_SIDE = struct.pack("<HHIHHI", 0x0112, 3, 1, 6, 0, 0)


@pytest.mark.parametrize(
    ("exif", "size"), [(EXIF + ODD_HEIGHT + ON_ITS_SIDE, (40, 60)), (EXIF + ODD_HEIGHT[:5], (60, 40)), (b"?", (60, 40))]
)
def test_damaged_exif_is_no_damage_to_the_photo(exif: bytes, size: tuple[int, int]) -> None:
    assert read_picture(saved(gradient(), "JPEG", exif=b"Exif\0\0" + exif)).size_wh == size


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "LA", "CMYK", "1", "I;16"])
def test_every_mode_becomes_rgb(mode: str) -> None:
    if mode == "I;16":
        image = Image.fromarray((np.arange(60 * 40).reshape(40, 60) * 20).astype(np.uint16))
    else:
        image = gradient().convert(mode)
    kind = "JPEG" if mode == "CMYK" else "PNG"
    assert working(saved(image, kind)).shape == (40, 60, 3)


def test_transparency_lies_on_white() -> None:
    image = Image.new("RGBA", (20, 20), (255, 0, 0, 0))
    assert working(saved(image, "PNG")).min() > 250
    palette = Image.new("P", (20, 20), 0)
    palette.putpalette([10, 20, 30] * 256)
    assert working(saved(palette, "PNG", transparency=0)).min() > 250


def test_sixteen_bits_keep_their_order_and_range() -> None:
    dark = np.linspace(100, 400, 60 * 40).reshape(40, 60).astype(np.uint16)
    got = working(saved(Image.fromarray(dark), "TIFF"))[..., 0].astype(int)
    assert got.min() < 5
    assert got.max() > 250
    bright = np.linspace(0, 65535, 60 * 40).reshape(40, 60).astype(np.uint16)
    assert abs(int(working(saved(Image.fromarray(bright), "PNG"))[20, 30, 0]) - bright[20, 30] / 257) < 4


def test_large_photos_are_reduced_and_small_ones_kept() -> None:
    assert read_picture(saved(gradient(3000, 1000), "PNG")).size_wh == (1500, 500)
    assert read_picture(saved(gradient(3000, 2000), "JPEG")).original_size_wh == (3000, 2000)
    assert read_picture(saved(gradient(30, 20), "PNG")).size_wh == (30, 20)
    assert max(Image.open(BytesIO(read_picture(saved(gradient(900, 600), "PNG")).thumb)).size) == 320


def bomb() -> bytes:
    """Return a small PNG that says it has 40,000 x 40,000 pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 40_000, 40_000, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "empty file"),
        (b"just some text, not a photo", "must be JPEG, PNG, WebP, TIFF or BMP"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "must be JPEG, PNG, WebP, TIFF or BMP"),
        (saved(gradient(), "GIF"), "must be JPEG, PNG, WebP, TIFF or BMP"),
        (saved(gradient(600, 400), "JPEG")[:3000], "must be complete and readable"),
        (saved(gradient(600, 400), "PNG")[:900], "must be complete and readable"),
        (bomb(), "at most 200 million pixels"),
        (b"\xff\xd8\xff\xe0" + b"\0" * 50, "JPEG"),
    ],
)
def test_what_is_no_photo_is_refused_in_one_sentence(data: bytes, says: str) -> None:
    with pytest.raises(InvalidImage) as caught:
        read_picture(data)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_random_bytes_never_break_the_reader() -> None:
    rng = np.random.default_rng(0)
    good = [saved(gradient(), kind) for kind in ("JPEG", "PNG", "WEBP", "TIFF", "BMP")]
    for data in good * 30:
        broken = bytearray(data)
        for position in rng.integers(0, len(broken), 8):
            broken[position] = rng.integers(0, 256)
        try:
            read_picture(bytes(broken))
        except InvalidImage:
            continue


def take(library: Library, *paths: Path) -> ImportReport:
    return import_paths(paths, engines=library.engines, files=library.files, project_id=library.project_id)


def test_a_folder_is_imported_with_a_report(library: Library, tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    (folder / "inner").mkdir(parents=True)
    (folder / "b.png").write_bytes(saved(gradient(), "PNG"))
    (folder / "inner" / "a.jpg").write_bytes(saved(gradient(50, 50), "JPEG"))
    (folder / "inner" / "same.png").write_bytes(saved(gradient(), "PNG"))
    (folder / "broken.jpg").write_bytes(b"no photo")
    (folder / "notes.txt").write_text("left alone")
    (folder / "inner" / "loop").symlink_to(folder)
    report = take(library, folder)
    assert (report.imported, report.duplicates, report.refused) == (2, 1, 1)
    assert report.reasons == [("broken.jpg", "an image must be JPEG, PNG, WebP, TIFF or BMP, got something else")]
    assert report.sentence() == "2 imported, 1 already in the library, 1 refused, 1 of other kinds left alone (.txt)."
    assert take(library, folder).imported == 0
    with library.engines.reading() as session:
        rows = images.page(1, session=session, limit=10)
    assert [row.name for row in rows] == ["b.png", "a.jpg"]
    for row in rows:
        assert library.files.get("working", row.working_sha256)
        assert library.files.get("originals", row.sha256)


def test_a_folder_that_cannot_be_read_is_named(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "photos" / "closed").mkdir(parents=True)
    (tmp_path / "photos" / "a.png").write_bytes(saved(gradient(), "PNG"))
    scandir = os.scandir

    def closed(path: str) -> object:
        if Path(path).name == "closed":  # who may do everything cannot be shut out by rights
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", closed)
    report = take(library, tmp_path / "photos")
    assert (report.imported, report.refused) == (1, 1)
    assert report.reasons == [("closed", "a folder must be readable, got: Permission denied")]


def test_a_library_that_can_take_no_more_ends_the_import_with_a_report(library: Library, tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    for name, side in (("a", 30), ("b", 40), ("c", 50)):
        (folder / f"{name}.png").write_bytes(saved(gradient(side, side), "PNG"))

    def spoil(done: int, _total: int, _name: str) -> None:
        if done == 1:
            shutil.rmtree(library.files.root / "working")
            (library.files.root / "working").touch()

    report = import_paths([folder], engines=library.engines, files=library.files, project_id=1, progress=spoil)
    assert (report.imported, report.files) == (1, 1)
    assert report.stopped is not None
    assert report.sentence().startswith("1 imported. Stopped: ")
    (library.files.root / "working").unlink()
    assert take(library, folder).sentence() == "2 imported, 1 already in the library."


@pytest.mark.parametrize("mode", ["I;16", "F", "RGBA", "L"])
def test_large_photos_of_every_depth_keep_their_tones_when_reduced(mode: str) -> None:
    rows, columns = np.mgrid[:1700, :2000]
    tones = (rows / 1700 + columns / 2000) / 2
    if mode == "I;16":
        image = Image.fromarray((tones * 65535).astype(np.uint16))
    elif mode == "F":
        image = Image.fromarray(tones.astype(np.float32))
    elif mode == "L":
        image = Image.fromarray((tones * 255).astype(np.uint8))
    else:
        image = Image.fromarray((tones * 255).astype(np.uint8)).convert("RGBA")
        image.paste((0, 0, 0, 0), (0, 0, 200, 200))
        tones[:200, :200] = 1
    got = working(saved(image, "TIFF"))
    assert got.shape == (1275, 1500, 3)
    expected = np.asarray(Image.fromarray((tones * 255).astype(np.uint8)).resize((1500, 1275)))
    assert np.abs(got.mean(axis=2) - expected).mean() < 1.5


def test_a_refused_file_leaves_nothing_behind(library: Library) -> None:
    refused = import_bytes(
        [("x.jpg", saved(gradient(600, 400), "JPEG")[:3000])],
        engines=library.engines,
        files=library.files,
        project_id=1,
    )
    assert refused.refused == 1
    assert [path for path in library.files.root.rglob("*") if path.is_file()] == []


def test_a_path_that_is_not_there_is_named_before_anything_happens(library: Library, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(saved(gradient(), "PNG"))
    with pytest.raises(InvalidInput, match="must exist"):
        take(library, tmp_path / "a.png", tmp_path / "nowhere")
    with library.engines.reading() as session:
        assert images.count(1, session=session) == 0


def test_what_never_ends_or_is_too_large_is_refused_unread(library: Library, tmp_path: Path) -> None:
    with (tmp_path / "huge.jpg").open("wb") as file:
        file.truncate(MAX_BYTES + 1)  # a hole: it takes no room on the disk
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "broken.jpg").symlink_to(tmp_path / "nowhere")
    tracemalloc.start()
    report = take(library, tmp_path / "huge.jpg", tmp_path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert report.reasons == [
        ("huge.jpg", "an image file must be at most 500 MB, got 500 MB"),
        ("broken.jpg", "a file must be readable, got: No such file or directory"),
        ("huge.jpg", "an image file must be at most 500 MB, got 500 MB"),
        ("pipe.jpg", "an image must be a file, got something else"),
    ]
    assert peak < 50_000_000


@pytest.mark.sqlite_only
def test_memory_stays_flat_over_many_files(library: Library, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for number in range(300):
        pixels = rng.integers(0, 256, (120, 160, 3), np.uint8)
        (tmp_path / f"{number:04}.jpg").write_bytes(saved(Image.fromarray(pixels), "JPEG"))
    process, seen = psutil.Process(), {}

    def look(done: int, _total: int, _name: str) -> None:
        seen[done] = process.memory_info().rss

    report = import_paths([tmp_path], engines=library.engines, files=library.files, project_id=1, progress=look)
    assert report.imported == 300
    assert seen[300] - seen[100] < 15_000_000


@pytest.mark.parametrize(
    ("name", "cleaned"),
    [
        ("a.jpg", "a.jpg"),
        ("C:\\photos\\a.jpg", "a.jpg"),
        ("../../a\n\x1b[31m.jpg", "a[31m.jpg"),
        ("", "unnamed"),
        ("\u202egpj.exe", "gpj.exe"),
    ],
)
def test_names_are_cleaned(name: str, cleaned: str) -> None:
    assert clean_name(name) == cleaned
    assert len(clean_name("x" * 500 + ".jpeg")) == 200
    assert clean_name("x" * 500 + ".jpeg").endswith(".jpeg")


def test_samples_come_once(library: Library) -> None:
    first = import_samples(engines=library.engines, files=library.files, project_id=1)
    again = import_samples(engines=library.engines, files=library.files, project_id=1)
    assert (first.imported, first.refused) == (len(NAMES), 0)
    assert (again.imported, again.duplicates) == (0, len(NAMES))
