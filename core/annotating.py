"""What an annotator does to images and masks: accept, delete, restore, label, answer. Each call is one transaction."""

from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from core import corrections, overlapping
from core import masks as pixels
from core.assigning import assigned
from core.authorship import check_author, check_free, check_own, check_stands
from core.bounds import check_key, check_own_key, check_times
from core.errors import Conflict, InvalidInput
from core.masks import Mask, Rle
from core.object_state import check_state
from core.projects import settings_in
from core.proposals import accepted as accept_proposal
from core.proposals import is_proposal
from core.quality.checks import ExistingMask, Flag, Limits, check_mask
from core.quality.concavity import concavity
from core.scope import image_in, stay_in
from core.seen import Seen, check_seen
from core.workshop import Library
from storage import events, flags, images, leases, masks, model_versions, people, proposals, saving, work
from storage.rows import FlagRow, ImageRow, NewEdit, NewFlag, NewMask, NewPrompt, Times, Touched
from storage.types import now

Origin = Literal["assisted", "by_hand", "imported"]
HASH_CHARS: Final = 12


@dataclass(frozen=True, slots=True)
class Accepted:
    """A mask as the annotator leaves it, with how it came about.

    Attributes
    ----------
    rle : Rle
        Its pixels, at the working image's size; checked before anything is done with them.
    object_key : str
        Which object in work it was.
    model : str, optional
        Name of the model that offered the candidate, as its answer gave it.
    kept_iou : float, optional
        IoU of the mask with the candidate it was made of; none without a candidate.
    supersedes : int or str, optional
        Id or key of the mask this one corrects.
    by_chance : bool
        Whether it was left to chance how the object is made, as far as the project has some outlined by hand.
    """

    rle: Rle
    object_key: str
    origin: Origin = "assisted"
    predicted_iou: float | None = None
    stability_score: float | None = None
    level: str | None = None
    rank: int | None = None
    model: str | None = None
    label: str | None = None
    edited: bool = False
    kept_iou: float | None = None
    supersedes: int | str | None = None
    by_chance: bool = False
    prompts: list[dict[str, Any]] = field(default_factory=list)
    edits: list[dict[str, Any]] = field(default_factory=list)
    times: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Saved:
    """A mask that is kept: its id, whether this call kept it, and what the checks said."""

    mask_id: int
    created: bool
    flags: list[FlagRow]


def accept(library: Library, image_id: int, key: str, accepted: Accepted) -> Saved:
    """Keep a mask under an idempotency key, with what the automatic checks say of it.

    The same key again changes nothing and returns what was kept first.

    Raises
    ------
    InvalidInput
        If the runs are not a mask of the image's size, it supersedes a mask of another image, or it is said to be
        imported and corrects none that is; or its keys or times are none.
    Conflict
        If the key has saved another mask before, or the mask to supersede was corrected or deleted meanwhile.
    MissingRow
        If the image, or the mask to supersede, does not exist.
    Forbidden
        If the mask to supersede is somebody else's, and the person may not change those.
    """
    check_own_key(key)
    check_key(accepted.object_key, "an object's key")
    check_times(accepted.times)
    for one in (*accepted.prompts, *accepted.edits):
        check_times({"at_ms": one.get("at_ms", 0)})
    with library.engines.reading() as session:
        image = image_in(library, image_id, session=session)
        others = masks.rles_of_image(image_id, session=session)
        chosen = settings_in(library, session=session)
        superseded = None
        if accepted.supersedes is not None:
            superseded = masks.get(accepted.supersedes, session=session)
            if not is_proposal(superseded):
                check_author(library, superseded.id, superseded.person_id)
    if superseded is not None and superseded.image_id != image_id:
        raise InvalidInput(
            f"a mask must supersede one of its own image {image_id}, got one of image {superseded.image_id}"
        )
    if accepted.origin == "imported" and (superseded is None or superseded.origin != "imported"):
        raise InvalidInput("a mask must correct an imported one to be imported itself, got one that does not")
    sent = pixels.check(accepted.rle["size"], accepted.rle["counts"], expected_hw=(image.height, image.width))
    drawn = pixels.decode(sent)
    # One mask, one text: runs of no pixels are legal, but pycocotools computes absurd boxes from them.
    rle = pixels.encode(drawn)
    existing = [
        ExistingMask(other.mask_id, {"size": [other.height, other.width], "counts": other.counts}, other.bbox)
        for other in others
        if superseded is None or other.mask_id != superseded.id
    ]
    said = check_mask(drawn, existing, limits=Limits(min_area=chosen.min_area), off=chosen.checks_off, rle=rle)
    asked_chance = accepted.by_chance and superseded is None
    way = assigned(accepted.object_key, chosen.by_hand_share) if asked_chance else None
    made = _new_mask(library, image, key, accepted, drawn, rle, said)
    with library.engines.writing() as session:
        if superseded is not None and not saving.is_known(key, session=session):
            check_stands(superseded.id, session)
        version, replaced = _version(accepted.model, session), superseded.id if superseded else None
        new = replace(made, model_version_id=version, supersedes_id=replaced, assigned=way)
        mask_id, created = saving.insert(new, session=session)
        if created:
            images.set_state(image_id, "in_work", session=session, only_from="new")
            work.drop(image_id, library.person_id, session=session, object_key=accepted.object_key)
            if superseded is not None:
                corrections.remeasure(mask_id, session=session)
            events.add("accept", person_id=library.person_id, image_id=image_id, mask_id=mask_id, session=session)
        elif not saving.same(mask_id, image_id, rle["counts"], session=session):
            raise Conflict(f"an idempotency key must belong to one mask, but {key!r} has saved another one before")
        kept = flags.of_masks([mask_id], session=session).get(mask_id, []) if said or not created else []
    return Saved(mask_id, created, kept)


def _version(model: str | None, session: Any) -> int | None:
    """Return the version that a model's name speaks of; its hash must be as long as answers give it."""
    prefix = (model or "").rpartition("@")[2]
    return model_versions.by_hash_prefix(prefix, session=session) if len(prefix) >= HASH_CHARS else None


def _new_mask(
    library: Library,
    image: ImageRow,
    key: str,
    accepted: Accepted,
    drawn: Mask,
    rle: Rle,
    said: list[Flag],
) -> NewMask:
    x, y, width, height = box = pixels.bbox(rle)
    return NewMask(
        key=key,
        image_id=image.id,
        person_id=library.person_id,
        object_key=accepted.object_key,
        origin=accepted.origin,
        height=rle["size"][0],
        width=rle["size"][1],
        counts=rle["counts"],
        area=pixels.area(rle),
        bbox=box,
        label=accepted.label or None,
        predicted_iou=accepted.predicted_iou,
        stability_score=accepted.stability_score,
        candidate_level=accepted.level,
        candidate_rank=accepted.rank,
        edited=accepted.edited,
        kept_iou=accepted.kept_iou,
        concavity=concavity(drawn[y : y + height, x : x + width]),
        times=Times(**accepted.times),
        prompts=tuple(NewPrompt(**prompt) for prompt in accepted.prompts),
        edits=tuple(NewEdit(**edit) for edit in accepted.edits),
        flags=tuple(NewFlag(flag.name, flag.severity, flag.message, flag.as_detail()) for flag in said),
    )


def delete_mask(library: Library, ref: int | str, *, revive: bool = False) -> None:
    """Delete a mask, and with it the versions it corrected. Deleting it once more changes nothing.

    With `revive` only its acceptance is undone: the version it corrected lives again.

    Raises
    ------
    Conflict
        If a correction stands for it, so that deleting it would delete nothing and undoing it would take away what
        somebody else has built on it; or if it was deleted with its correction.
    Forbidden
        If it is somebody else's, and the person may not change those; so for all that changes a mask.
    """
    kind = "undo_accept" if revive else "delete"
    with library.engines.writing() as session:
        check_own(library, ref, session)
        mask = masks.find(ref, session=session)
        if mask.deleted_at is None and mask.superseded_at is not None:
            check_stands(mask.id or 0, session)
        deleted = masks.delete(ref, session=session, revive=revive)
        corrections.remeasure(deleted.id, session=session)
        _note(library, session, kind, deleted)


def restore_mask(library: Library, ref: int | str) -> None:
    """Bring a deleted mask back, in the place of the one it corrects. Doing so once more changes nothing.

    Raises
    ------
    Conflict
        If another correction has taken that place, or the mask it corrects was deleted.
    """
    with library.engines.writing() as session:
        check_own(library, ref, session)
        mask = masks.find(ref, session=session)
        if mask.deleted_at is not None and mask.supersedes_id is not None:
            check_free(mask.supersedes_id, session)
        restored = masks.restore(ref, session=session)
        corrections.remeasure(restored.id, session=session)
        _note(library, session, "restore", restored)


def set_label(library: Library, ref: int | str, label: str | None, *, seen: Seen | None = None) -> None:
    """Set or clear a mask's label.

    Raises
    ------
    Conflict
        If the label is not the one that was seen any more.
    """
    with library.engines.writing() as session:
        check_own(library, ref, session)
        check_seen("a label", seen, masks.find(ref, session=session).label, label or None)
        _note(library, session, "label", masks.set_label(ref, label or None, session=session))


def resolve_flag(library: Library, flag_id: int, resolution: str | None, *, seen: Seen | None = None) -> None:
    """Note what the annotator did about a flag; keeping an imported mask accepts it.

    Raises
    ------
    Conflict
        If the answer is not the one that was seen any more.
    """
    with library.engines.writing() as session:
        mask = masks.find(flags.mask_of(flag_id, session=session), session=session)
        stay_in(library, mask.image_id, session=session)
        check_own(library, mask.id or 0, session)
        check_seen("the answer to a flag", seen, flags.resolution_of(flag_id, session=session), resolution)
        flags.resolve(flag_id, resolution, session=session)
        imported = proposals.flag_of(flag_id, session=session)
        if imported is not None and resolution is not None:
            accept_proposal(library, imported, session=session)


@dataclass(frozen=True, slots=True)
class KeptWork:
    """The version under which an object in work is kept, and who else is on its image, if somebody is."""

    version: str
    holder: str | None


def keep_work(
    library: Library,
    image_id: int,
    object_key: str,
    state: dict[str, Any],
    *,
    seen: Seen | None = None,
    client: str = "",
) -> KeptWork:
    """Keep the object in work as the canvas describes it; a sign of life on the image.

    Raises
    ------
    InvalidInput
        If pages could not read the state.
    Conflict
        If what is kept is not of the version that was seen: another tab of the person has changed or ended it.
    """
    check_state(state)
    with library.engines.writing() as session:
        image_in(library, image_id, session=session)
        kept = work.get(image_id, library.person_id, session=session)
        # A tab may not have heard that what it sent was kept: its own word it may always take back.
        own = kept is not None and kept.client == client != ""
        if seen is not None and not own and (kept.version if kept else None) != seen.value:
            raise Conflict("this object is in work in another tab of yours, too; what you do here stays in this tab")
        version = work.put(image_id, library.person_id, object_key, state, client=client, session=session)
        at = now()
        if leases.take(image_id, library.person_id, client, at=at, session=session):
            return KeptWork(version, None)
        holder = leases.of_image(image_id, at=at, session=session)
    return KeptWork(version, holder.name if holder else None)


def drop_work(library: Library, image_id: int, object_key: str | None = None) -> None:
    """Forget the object in work; with `object_key` only if it is still that one."""
    with library.engines.writing() as session:
        image_in(library, image_id, session=session)
        work.drop(image_id, library.person_id, session=session, object_key=object_key)


def set_state(library: Library, image_id: int, state: str, *, seen: int | None = None) -> None:
    """Set how far an image is; one that is done is let go.

    Raises
    ------
    Conflict
        If somebody else has set it since the version that was seen.
    """
    with library.engines.writing() as session:
        image = image_in(library, image_id, session=session)
        if not images.say_state(image_id, state, person_id=library.person_id, seen=seen, session=session):
            other = images.state_by(image_id, session=session)
            name = people.get(other, session=session).name if other else "somebody"
            raise Conflict(f"an image must be as it was shown, but {name} has set it to {image.state} meanwhile")
        if state == "done":
            leases.release(image_id, library.person_id, session=session)
            overlapping.offer(library, image_id, image.sha256, session=session)
        events.add("state", person_id=library.person_id, image_id=image_id, detail={"state": state}, session=session)


def _note(library: Library, session: Any, kind: str, mask: Touched) -> None:
    stay_in(library, mask.image_id, session=session)
    if mask.changed:
        events.add(kind, person_id=library.person_id, image_id=mask.image_id, mask_id=mask.id, session=session)
