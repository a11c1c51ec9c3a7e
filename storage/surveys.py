"""Queries about surveys: what is left on images, and where each stands among the others."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from sqlalchemy import case, func, select, update
from sqlmodel import Session, col

from storage.live import accepted_mask
from storage.models import Image, Mask, Survey
from storage.rows import NewSurvey, SpreadRow, StandingRow, SurveyRow, SurveyTotals
from storage.types import now

STREAM_PAGE: Final = 500
_MANY: Final = 500
"""Ids in one query; databases allow only so many."""


def _now_of(what: Any) -> Any:
    """Select something of the accepted masks of a survey's image, one look into an index."""
    query = select(what).select_from(Mask).where(col(Mask.image_id) == col(Survey.image_id), accepted_mask())
    return query.correlate(Survey).scalar_subquery()


def _fresh() -> Any:
    """Return the condition of a survey beside whose masks there is no other by now."""
    return (col(Survey.masks) == _now_of(func.count())) & (
        col(Survey.mask_ids) == _now_of(func.coalesce(func.sum(col(Mask.id)), 0))
    )


def _live(query: Any, project_id: int) -> Any:
    here = (col(Survey.project_id) == project_id, col(Image.deleted_at).is_(None))
    return query.select_from(Survey).join(Image, col(Image.id) == col(Survey.image_id)).where(*here)


def put(new: NewSurvey, *, session: Session) -> None:
    """Keep a survey in place of the image's older one. Its cluster stays until it is computed anew."""
    survey = session.scalars(select(Survey).where(col(Survey.image_id) == new.image_id)).one_or_none()
    if survey is None:
        survey = Survey(
            project_id=new.project_id,
            image_id=new.image_id,
            content_hash="",
            encoder_hash="",
            masks=0,
            mask_ids=0,
            proposals=0,
            left_over=0,
            coverage=0.0,
            uncovered=0.0,
        )
    if survey.encoder_hash != new.encoder_hash:
        survey.cluster = None  # its neighbours were told by other features
    survey.content_hash, survey.encoder_hash = new.content_hash, new.encoder_hash
    survey.masks, survey.mask_ids = len(new.mask_ids), sum(new.mask_ids)
    survey.proposals, survey.left_over = new.proposals, new.left_over
    survey.coverage, survey.uncovered = new.coverage, new.uncovered
    survey.detail, survey.spread, survey.summary = new.detail, new.spread, new.summary
    survey.made_at = now()
    session.add(survey)
    session.flush()


def to_do(project_id: int, content_hash: str, *, session: Session, after: int, limit: int) -> list[int]:
    """Return up to `limit` live images after image `after` that have no fresh survey by this model."""
    fresh = select(col(Survey.id)).where(
        col(Survey.image_id) == col(Image.id), col(Survey.content_hash) == content_hash, _fresh()
    )
    query = select(col(Image.id)).where(
        col(Image.project_id) == project_id,
        col(Image.deleted_at).is_(None),
        col(Image.id) > after,
        ~fresh.correlate(Image).exists(),
    )
    return [one for one in session.scalars(query.order_by(col(Image.id)).limit(limit)) if one is not None]


def count_to_do(project_id: int, content_hash: str, *, session: Session) -> int:
    """Return how many live images have no fresh survey by this model."""
    images = select(func.count()).select_from(Image)
    images = images.where(col(Image.project_id) == project_id, col(Image.deleted_at).is_(None))
    fresh = _live(select(func.count()), project_id).where(col(Survey.content_hash) == content_hash, _fresh())
    return int(session.execute(images).scalar_one()) - int(session.execute(fresh).scalar_one())


def some(image_ids: Sequence[int], *, session: Session) -> dict[int, SurveyRow]:
    """Return the surveys of some images, by image; images without one are left out."""
    query = select(
        col(Survey.image_id),
        col(Survey.content_hash),
        col(Survey.masks),
        col(Survey.proposals),
        col(Survey.left_over),
        col(Survey.coverage),
        col(Survey.uncovered),
        col(Survey.made_at),
        case((_fresh(), 1), else_=0),
    ).where(col(Survey.image_id).in_(image_ids))
    return {row[0]: _row(row) for row in session.execute(query)}


def _row(values: Any) -> SurveyRow:
    fields = list(values)
    fields[-1] = bool(fields[-1])
    return SurveyRow(*fields)


def detail(image_id: int, *, session: Session) -> dict[str, Any] | None:
    """Return where what is left on an image lies, or None if it has no survey."""
    query = select(col(Survey.detail)).where(col(Survey.image_id) == image_id)
    found: dict[str, Any] | None = session.execute(query).scalar_one_or_none()
    return found


def totals(project_id: int, *, session: Session) -> SurveyTotals:
    """Return how many live images there are, how many have a survey, and what is left on them in all."""
    images = select(func.count()).select_from(Image)
    images = images.where(col(Image.project_id) == project_id, col(Image.deleted_at).is_(None))
    fresh = func.coalesce(func.sum(case((_fresh(), 1), else_=0)), 0)
    left = func.coalesce(func.sum(col(Survey.left_over)), 0)
    row = session.execute(_live(select(func.count(), fresh, left), project_id)).one()
    return SurveyTotals(int(session.execute(images).scalar_one()), int(row[0]), int(row[1]), int(row[2]))


def coverage(project_id: int, *, session: Session) -> tuple[int, float]:
    """Return how many live images have a survey, and their mean coverage; 0 without any."""
    query = _live(select(func.count(), func.coalesce(func.avg(col(Survey.coverage)), 0.0)), project_id)
    count, mean = session.execute(query).one()
    return int(count), float(mean)


def newest_encoder(project_id: int, *, session: Session) -> str | None:
    """Return by which encoder the newest survey with a vector was made: those of others do not compare."""
    query = _live(select(col(Survey.encoder_hash)), project_id).where(col(Survey.summary).is_not(None))
    found: str | None = session.scalars(query.order_by(col(Survey.made_at).desc(), col(Survey.id).desc())).first()
    return found


def summaries(project_id: int, encoder_hash: str, *, session: Session) -> Iterator[list[tuple[int, bytes]]]:
    """Yield (survey id, vector) of every live surveyed image by this encoder, page by page in the order of ids."""
    last = 0
    while True:
        query = _live(select(col(Survey.id), col(Survey.summary)), project_id).where(
            col(Survey.encoder_hash) == encoder_hash, col(Survey.summary).is_not(None), col(Survey.id) > last
        )
        rows = [(row[0], row[1]) for row in session.execute(query.order_by(col(Survey.id)).limit(STREAM_PAGE))]
        if not rows:
            return
        yield rows
        last = rows[-1][0]


def standings(project_id: int, *, session: Session) -> list[StandingRow]:
    """Return where every live surveyed image stands, in the order of images: numbers only."""
    columns = (
        col(Survey.id),
        col(Survey.image_id),
        col(Survey.cluster),
        col(Survey.left_over),
        col(Image.state) == "done",
        _now_of(func.count()),
    )
    rows = session.execute(_live(select(*columns), project_id).order_by(col(Survey.image_id)))
    return [StandingRow(row[0], row[1], row[2], row[3], bool(row[4]), int(row[5])) for row in rows]


def spreads(project_id: int, *, session: Session) -> Iterator[dict[str, Any]]:
    """Yield how what is left is spread, of every live surveyed image."""
    yield from session.scalars(_live(select(col(Survey.spread)), project_id).execution_options(yield_per=STREAM_PAGE))


def mask_spread(project_id: int, bands: tuple[float, float], *, session: Session) -> list[SpreadRow]:
    """Return how the accepted masks of surveyed images are spread over size bands and the nine fields of a photo.

    A mask is in the field where the middle of its box lies. Reads every mask of the surveyed images once.
    """
    share = col(Mask.area) * 1.0 / (col(Image.width) * col(Image.height))
    band = case((share < bands[0], 0), (share <= bands[1], 1), else_=2)
    middle_x = (2 * col(Mask.bbox_x) + col(Mask.bbox_width)) * 3 / (2 * col(Image.width))
    middle_y = (2 * col(Mask.bbox_y) + col(Mask.bbox_height)) * 3 / (2 * col(Image.height))
    place = _field(middle_y) * 3 + _field(middle_x)
    query = _live(select(band.label("band"), place.label("field"), func.count()), project_id)
    query = query.join(Mask, col(Mask.image_id) == col(Image.id)).where(accepted_mask()).group_by("band", "field")
    return [SpreadRow(int(row[0]), int(row[1]), int(row[2])) for row in session.execute(query)]


def _field(value: Any) -> Any:
    return case((value < 1, 0), (value < 2, 1), else_=2)


def of_cluster(project_id: int, cluster: int, *, session: Session, limit: int) -> list[int]:
    """Return the first live images of a cluster."""
    query = _live(select(col(Survey.image_id)), project_id).where(col(Survey.cluster) == cluster)
    return list(session.scalars(query.order_by(col(Survey.image_id)).limit(limit)))


def set_clusters(clusters: Sequence[tuple[int, int | None]], *, session: Session) -> None:
    """Put surveys, given by their ids, into clusters; those that are in theirs, or are gone, are passed over."""
    for begin in range(0, len(clusters), _MANY):
        wanted = dict(clusters[begin : begin + _MANY])
        kept = session.execute(select(col(Survey.id), col(Survey.cluster)).where(col(Survey.id).in_(wanted)))
        rows = [{"id": row[0], "cluster": wanted[row[0]]} for row in kept if row[1] != wanted[row[0]]]
        if rows:
            session.execute(update(Survey), rows)
