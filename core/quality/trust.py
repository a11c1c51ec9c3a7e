"""Checks of what the model said of its candidate. After an edit it speaks of another mask, so they keep silent."""

from collections.abc import Iterator

from core.quality.flags import Flag, Subject


def unstable(subject: Subject) -> Iterator[Flag]:
    """Say so if the model's answer would change much with its cut."""
    told = subject.prediction
    if told is None or told.edited or told.stability_score is None:
        return
    if told.stability_score < subject.limits.stability:
        yield Flag(
            "unstable",
            "info",
            f"The mask's stability score is {told.stability_score:.2f}, below {subject.limits.stability:.2f}.",
            subject.box,
            detail={"stability_score": told.stability_score},
        )


def unsure(subject: Subject) -> Iterator[Flag]:
    """Say so if the model itself expects little of its answer."""
    told = subject.prediction
    if told is None or told.edited or told.predicted_iou is None:
        return
    if told.predicted_iou < subject.limits.predicted_iou:
        yield Flag(
            "unsure",
            "info",
            f"The mask's predicted IoU is {told.predicted_iou:.2f}, below {subject.limits.predicted_iou:.2f}.",
            subject.box,
            detail={"predicted_iou": told.predicted_iou},
        )


def reworked(subject: Subject) -> Iterator[Flag]:
    """Say so if so much was painted that the prediction no longer speaks for the mask."""
    told = subject.prediction
    if told is None or told.kept_iou is None or told.kept_iou >= subject.limits.kept:
        return
    yield Flag(
        "reworked",
        "info",
        f"The mask has only {told.kept_iou:.0%} IoU with its candidate: what the model predicted is not of this mask.",
        subject.box,
        detail={"kept_iou": told.kept_iou},
    )
