"""SA-1B: one JSON file an image, as Meta's data set has it.

Masks made by hand have no scores, but readers compare scores as numbers: theirs are 0, and `origin` (a key
readers ignore) says "by_hand".
"""

from typing import Any

from core.formats.records import ImageRecord


def document(image: ImageRecord) -> dict[str, Any]:
    """Return the JSON document of one image."""
    return {
        "image": {
            "image_id": image.id,
            "width": image.width,
            "height": image.height,
            "file_name": image.file_name,
        },
        "annotations": [
            {
                "id": mask.id,
                "segmentation": mask.rle,
                "bbox": list(mask.bbox),
                "area": mask.area,
                "predicted_iou": mask.predicted_iou or 0.0,
                "stability_score": mask.stability_score or 0.0,
                "point_coords": [list(point) for point in mask.points],
                "crop_box": [0, 0, image.width, image.height],
                "origin": mask.origin,
                "edited": mask.edited,
            }
            for mask in image.masks
        ],
    }
