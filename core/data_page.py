"""What a library holds, in the words in which SA-1B's paper describes its own (arXiv 2304.02643, section 5)."""

from core.metric_quality import Quality
from core.metrics import Effort, Figures


def data_page(found: Figures, said: Quality) -> list[str]:
    """Return paragraphs that can be published beside the data; each figure is one of the Metrics page."""
    progress, effort = found.progress, found.effort
    if not effort.masks:
        return ["The library holds no masks yet."]
    per_image = progress.masks / progress.images if progress.images else 0.0
    small, middling, large = (count / sum(found.shares) for count in found.shares)
    paragraphs = [
        f"Images. The library has {progress.images:,} images, of which {progress.done:,} are finished. They are kept "
        "upright with a longest side of at most 1500 pixels; masks are given at that size.",
        f"Masks. {effort.masks:,} masks were accepted by people, {per_image:.1f} an image on average; "
        f"{effort.assisted:,} began as a model's candidate and {effort.by_hand:,} were outlined by "
        f"hand{_imported(effort)}. {effort.edited:.0%} were painted on.",
        f"Mask sizes. {small:.0%} of the masks cover less than 1 % of their image, {middling:.0%} from 1 to 10 %, and "
        f"{large:.0%} more.",
    ]
    judged = said.above95 + said.from90 + said.below90
    if judged:
        good = said.good
        paragraphs.append(
            f"Mask quality. Of {judged:,} reviewed masks {good.mean:.0%} have at least 90 % IoU with what their "
            f"reviewer made of them (95 % interval {good.low:.0%} to {good.high:.0%})."
        )
    else:
        paragraphs.append("Mask quality. No mask has been reviewed.")
    if effort.assisted:
        paragraphs.append(
            f"Effort. A mask with a model's help took {effort.active:.1f} active seconds and {effort.prompts:.1f} "
            "prompts on average."
        )
    return paragraphs


def _imported(effort: Effort) -> str:
    count = effort.masks - effort.assisted - effort.by_hand
    return f"; {count:,} came from other tools and were accepted as they were" if count else ""
