"""Where GrabCut begins: which windows of the photo it cuts, and what it believes of their pixels before."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from core.segmentation.protocol import Logits, Mask, Prompt
from core.segmentation.windows import Window, around, expanded, whole

WHOLE_PIXELS: Final = 10_000
CUT_PIXELS: Final = 4_000
PREVIEW_PIXELS: Final = 3_000
FIRST_WINDOWS: Final = ((1.0, 0.3), (0.6, 0.35), (0.3, 0.25))
FURTHER_WINDOW: Final = (1.0, 0.25)
NARROW_WINDOW: Final = (0.5, 0.2)
"""Side of a window as a share of the photo's longest, and radius of the disk round a click that is
probably object, as a share of the window's shorter side."""
REACH: Final = 0.2
MIN_WINDOW: Final = 48

Labels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Start:
    """Where to cut, and what is believed before: 0/1 certain background/foreground, 2/3 probable.

    `trust` in [0, 1] says how much this start is to be preferred to the others.
    """

    window: Window
    labels: Labels
    trust: float = 0.5


class Scene:
    """One prompt on one photo, in the pixels of its small copy.

    Parameters
    ----------
    size_hw : tuple of int
        Height and width of the small copy.
    scale : tuple of float
        Its pixels per pixel of the photo, across and down.
    """

    def __init__(self, size_hw: tuple[int, int], prompt: Prompt, scale: tuple[float, float]) -> None:
        height, width = self.size_hw = size_hw
        self.points = [
            (min(point.x * scale[0], width - 1e-3), min(point.y * scale[1], height - 1e-3), point.label)
            for point in prompt.points
        ]
        self.box = tuple(side * scale[axis % 2] for axis, side in enumerate(prompt.box)) if prompt.box else None

    def starts(self, refine: Logits | None, *, insist: bool) -> list[Start]:
        """Return the three things to try.

        Cut anew from all points, the photo recovers from a bad first guess; cut from the chosen candidate, it
        keeps what the annotator saw. The first is the better bet by far (docs/segmentation.md has figures), unless
        the annotator insists on the second.
        """
        known = refine > 0 if refine is not None and refine.shape == self.size_hw else None
        chosen = self._from_mask(known, 1.0 if insist else 0.0) if known is not None and known.any() else None
        sure = 0.0 if chosen is not None and insist else 1.0
        if self.box is not None:
            boxed = self._from_box(self.box, sure)
            return boxed if chosen is None else [boxed[0], chosen, boxed[-1]]
        if len(self.points) == 1 and chosen is None:
            return [self._from_disks(share, reach, frame=share == 1.0) for share, reach in FIRST_WINDOWS]
        anew = self._from_disks(*FURTHER_WINDOW, frame=True, trust=sure)
        narrow = self._from_disks(*NARROW_WINDOW, frame=True, trust=0.0)
        middle = chosen or self._from_disks(*FIRST_WINDOWS[1], frame=True, trust=0.0)
        return [anew, middle, narrow]

    def preview_start(self) -> Start:
        """Return the one thing to try for a hover."""
        if self.box is not None:
            return self._from_box(self.box, 1.0)[0]
        if len(self.points) == 1:
            return self._from_disks(*FIRST_WINDOWS[1], frame=False, pixels=PREVIEW_PIXELS)
        return self._from_disks(*FURTHER_WINDOW, frame=True, pixels=PREVIEW_PIXELS)

    def _from_box(self, box: Sequence[float], trust: float) -> list[Start]:
        window = expanded(box, 1.3, self.size_hw, MIN_WINDOW)
        starts = []
        for share in (1.0, 0.8, 0.6):
            labels = np.full(window.cut_shape(CUT_PIXELS), cv2.GC_BGD, np.uint8)
            x0, y0 = window.to_cut(box[0], box[1], labels.shape)
            x1, y1 = window.to_cut(box[2], box[3], labels.shape)
            rows, columns = slice(int(y0), int(np.ceil(y1))), slice(int(x0), int(np.ceil(x1)))
            labels[rows, columns] = cv2.GC_PR_FGD if share == 1.0 else cv2.GC_PR_BGD
            if share < 1.0:
                axes = (max(1, int((x1 - x0) * share / 2)), max(1, int((y1 - y0) * share / 2)))
                centre = (int((x0 + x1) / 2), int((y0 + y1) / 2))
                cv2.ellipse(labels, centre, axes, 0, 0, 360, int(cv2.GC_PR_FGD), -1)
            starts.append(Start(window, self._certain(labels, window, frame=False), trust if share == 1.0 else 0.0))
        return starts

    def _from_mask(self, known: Mask, trust: float) -> Start:
        """Start from the chosen candidate, with a disk round each point that it does not agree with."""
        rows, columns = np.nonzero(known)
        x0, y0, x1, y1 = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
        for x, y, label in self.points:
            if label == 1:
                x0, y0, x1, y1 = min(x0, x), min(y0, y), max(x1, x), max(y1, y)
        window = expanded((x0, y0, x1, y1), 1.5, self.size_hw, MIN_WINDOW)
        inside = window.sample(known.astype(np.uint8) * 255, window.cut_shape(CUT_PIXELS)) > 127
        labels = np.where(inside, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
        for x, y, label in self.points:
            column, row = (int(value) for value in window.to_cut(x, y, labels.shape))
            if bool(inside[row, column]) != (label == 1):
                value = cv2.GC_PR_FGD if label == 1 else cv2.GC_PR_BGD
                cv2.circle(labels, (column, row), int(REACH * min(labels.shape)), int(value), -1)
        return Start(window, self._certain(labels, window, frame=False), trust)

    def _from_disks(
        self, share: float, reach: float, *, frame: bool, trust: float = 0.5, pixels: int | None = None
    ) -> Start:
        """Start from a disk round each foreground point, in a window; with `frame` its border is no object."""
        inside = [(x, y) for x, y, label in self.points if label == 1] or [(x, y) for x, y, _ in self.points]
        if share == 1.0:
            window = whole(self.size_hw)
        else:
            window = around(inside, max(MIN_WINDOW, share * max(self.size_hw)), self.size_hw)
        grain = pixels or (WHOLE_PIXELS if share == 1.0 else CUT_PIXELS)
        labels = np.full(window.cut_shape(grain), cv2.GC_PR_BGD, np.uint8)
        self._disks(labels, window, reach * min(labels.shape), cv2.GC_PR_FGD, label=1)
        return Start(window, self._certain(labels, window, frame=frame), trust)

    def _disks(self, labels: Labels, window: Window, radius: float, value: int, *, label: int) -> None:
        for x, y, kind in self.points:
            if kind == label:
                column, row = window.to_cut(x, y, labels.shape)
                cv2.circle(labels, (int(column), int(row)), max(2, int(radius)), int(value), -1)

    def _certain(self, labels: Labels, window: Window, *, frame: bool) -> Labels:
        if frame:
            labels[[0, -1]] = cv2.GC_BGD
            labels[:, [0, -1]] = cv2.GC_BGD
        self._disks(labels, window, 2, cv2.GC_FGD, label=1)
        self._disks(labels, window, 2, cv2.GC_BGD, label=0)
        return labels
