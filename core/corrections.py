"""What reviewers make of masks: how far a mask was from its correction, in IoU. This is the quality statistic."""

from core import masks as pixels
from core.mask_rows import decoded, rle_of
from core.quality.boundary import boundary_iou
from storage import masks, reviews
from storage.engine import Session


def remeasure(mask_id: int, *, session: Session) -> None:
    """Note how far the masks with the verdict fix that this one corrects are from what stands in their place now.

    To be called in the transaction that saved, deleted or brought back the mask. It costs one query for each mask it
    corrects, and pixels are looked at only where a reviewer asked for a fix.
    """
    for reviewed in reviews.to_fix(masks.lineage(mask_id, session=session), session=session):
        heir = masks.heir(reviewed, session=session)
        if heir == reviewed:
            reviews.corrected(reviewed, None, None, None, session=session)
            continue
        old, new = (masks.get(one, session=session) for one in (reviewed, heir))
        iou = float(pixels.iou(rle_of(new), [rle_of(old)])[0])
        reviews.corrected(reviewed, heir, iou, boundary_iou(decoded(old), decoded(new)), session=session)
