"""YOLO segmentation, as Ultralytics reads it: a text file an image, a polygon a line, in shares of width and height.

A line is one object, so islands and holes hang together by bridges without width, as Ultralytics' own converter joins
islands. Corners lie on the edges of pixels, as COCO's do.
"""

import json
import re
from array import array
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Final

from core import masks
from core.errors import InvalidInput
from core.formats import fields
from core.formats.polygons import all_checked, merged, one_outline_of
from core.formats.records import FoundImage, FoundMask, ImageRecord, Troubles
from core.masks import Rle

YAML: Final = ("data.yaml", "data.yml", "dataset.yaml")
UNLABELLED: Final = "object"
MOST_BYTES: Final = 200_000_000
_SLACK: Final = 0.05
"""How far outside a share may lie: tools round, and annotators draw over the edge."""


class Writer:
    """Writes `labels` and `data.yaml`; classes are numbered as their labels come up."""

    images = "images"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._classes: dict[str, int] = {}
        (folder / "labels").mkdir(parents=True)

    def add(self, image: ImageRecord) -> None:
        """Write an image's polygons."""
        with (self._folder / "labels" / f"{Path(image.file_name).stem}.txt").open("w", encoding="ascii") as file:
            for mask in image.masks:
                number = self._classes.setdefault(mask.label or UNLABELLED, len(self._classes))
                outline = one_outline_of(masks.decode(mask.rle))
                # Nine digits tell pixels of the largest images apart a thousand times over.
                shares = (value / (image.height if at % 2 else image.width) for at, value in enumerate(outline))
                line = " ".join([str(number), *(f"{share:.9g}" for share in shares)])
                file.write(line + "\n" if outline else "")

    def __enter__(self) -> "Writer":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        names = self._classes or {UNLABELLED: 0}
        lines = [f"  {number}: {json.dumps(name, ensure_ascii=False)}\n" for name, number in names.items()]
        text = "train: images\nval: images\nnames:\n" + "".join(lines)
        (self._folder / YAML[0]).write_text(text, encoding="utf-8")


def read(path: Path, troubles: Troubles) -> Iterator[FoundImage]:
    """Yield the image of each text file of a folder, of its folder `labels`, or of a data set's YAML file.

    Names of classes are those of `data.yaml`. Lines of four numbers are boxes and left alone. An odd number of shares
    ends with a score.
    """
    folder = path if path.is_dir() else path.parent
    yaml = (
        path
        if path.suffix.lower() in (".yaml", ".yml")
        else next((folder / name for name in YAML if (folder / name).is_file()), None)
    )
    labels: dict[int, str] = {}
    if yaml is not None:
        with troubles.noted():
            labels = names_of(fields.content(yaml, 1 << 20).decode("utf-8", "replace"))
    if path.suffix.lower() == ".txt" and not path.is_dir():
        files = [path]
    else:
        below = folder / "labels" if (folder / "labels").is_dir() else folder
        files = sorted(
            file for file in below.rglob("*.txt") if file.name not in ("classes.txt", "train.txt", "val.txt")
        )
    if not files:
        troubles.add(f"a YOLO data set must have text files in it or in labels, got none in {fields.shown(path.name)}")
    for file in files:
        with troubles.noted():
            yield FoundImage(file.stem, None, tuple(_masks(file, labels, troubles)))


def _masks(file: Path, labels: dict[int, str], troubles: Troubles) -> Iterator[FoundMask]:
    text = fields.content(file, MOST_BYTES).decode("utf-8", "replace")
    for place, line in enumerate(text.splitlines(), start=1):
        words = line.split()
        if not words:
            continue
        where = f"line {place} of {fields.shown(file.name)}"
        with troubles.noted():
            if len(words) == 5:
                troubles.pass_over("box")
                continue
            try:
                if not (words[0].isascii() and words[0].isdecimal() and len(words[0]) < 10):
                    raise ValueError("a class is a whole number")
                number, shares = int(words[0]), [float(word) for word in words[1:]]
            except ValueError as error:
                # The line is not quoted: any text file of the server may be taken for one with masks.
                raise InvalidInput(f"{where} must be a class and numbers, got another thing") from error
            score = shares.pop() if len(shares) % 2 else None
            if len(shares) < 6:
                raise InvalidInput(f"{where} must have at least three corners, got {len(shares) // 2}")
            if not all(fields.finite(share) and -_SLACK <= share <= 1 + _SLACK for share in shares):
                raise InvalidInput(f"{where} must have corners in shares of 0 to 1, got others")
            if score is not None and not 0 <= score <= 1:
                raise InvalidInput(f"{where} must have a score of 0 to 1, got {fields.shown(score)}")
            label = fields.label_of(labels.get(number, number))
            yield FoundMask(where, partial(_drawn, array("d", shares)), label, score)  # a quarter of a list's size


def _drawn(shares: Sequence[float], height: int, width: int) -> Rle:
    polygon = [share * (height if at % 2 else width) for at, share in enumerate(shares)]
    return merged(all_checked([polygon]), height, width)


def names_of(yaml: str) -> dict[int, str]:
    """Return the names of classes by number, in any of the forms in use: a list, one on a line, or numbered.

    Examples
    --------
    >>> names_of("nc: 2\\nnames: [cup, 'big cup']\\n")
    {0: 'cup', 1: 'big cup'}
    >>> names_of("names:\\n  0: cup\\n  3: plate # white\\n")
    {0: 'cup', 3: 'plate'}
    """
    begun = re.search(r"^names[ \t]*:[ \t]*(.*)$", yaml, re.MULTILINE)
    if begun is None:
        return {}
    rest = yaml[begun.start(1) :]
    if rest.lstrip().startswith(("[", "{")):
        inside = re.match(r"\s*[\[{]([^\]}]*)", rest)
        found = [_scalar(word) for word in _SCALAR.findall(inside.group(1) if inside else "") if word.strip(" ,\n")]
        if rest.lstrip().startswith("["):
            return dict(enumerate(found))
        pairs = re.findall(r"(\d{1,9})\s*:\s*(" + _SCALAR.pattern + ")", inside.group(1) if inside else "")
        return {int(number): _scalar(name) for number, name in pairs}
    names: dict[int, str] = {}
    for line in rest.splitlines()[1:] if not begun.group(1).strip() else []:
        if line.strip().startswith("#") or not line.strip():
            continue
        entry = re.fullmatch(r"\s*(?:-|(\d{1,9})\s*:)\s+(.*)", line)
        if entry is None:
            break
        names[int(entry[1]) if entry[1] else len(names)] = _scalar(entry[2])
    return names


_SCALAR: Final = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\']|\'\')*\'|[^,\n]+')


def _scalar(word: str) -> str:
    word = word.strip()
    if word.startswith('"'):
        quoted = re.match(r'"(?:[^"\\]|\\.)*"', word)
        try:
            return str(json.loads(quoted.group(0))) if quoted else word
        except ValueError:
            return word.strip('"')
    if word.startswith("'"):
        quoted = re.match(r"'((?:[^']|'')*)'", word)
        return quoted.group(1).replace("''", "'") if quoted else word
    return word.partition(" #")[0].strip()
