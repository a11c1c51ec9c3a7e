"""The charts of the Metrics page: each a title, a sentence that defines it, a figure, and the numbers behind it."""

from core.metric_quality import Quality
from core.metrics import Figures
from core.round_summaries import RoundSummary
from pages.ui import effort_charts, mask_charts, quality_charts
from pages.ui.chart import Chart


def charts(found: Figures, quality: Quality, rounds: list[RoundSummary], people: dict[int, str]) -> list[Chart]:
    """Return all charts, in the order of the page."""
    weeks = {f"{day:%Y-%m-%d}": (day.toordinal(), one) for day, one in found.by_week.items()}
    versions = {effort_charts.version_name(one): (one, of) for one, of in found.by_version.items()}
    annotators = {people.get(one, "?"): (one, of) for one, of in found.by_person.items()}
    return [
        mask_charts.days(found),
        mask_charts.per_image(found),
        mask_charts.shares(found),
        mask_charts.sizes(found),
        quality_charts.measured(quality),
        quality_charts.calibration(quality),
        quality_charts.verdicts(quality),
        quality_charts.flags(found),
        quality_charts.agreement(rounds),
        mask_charts.predicted(found),
        mask_charts.where(found),
        mask_charts.concavity(found),
        effort_charts.bands(found.effort),
        effort_charts.times("weeks", "Time a mask, by week", weeks, picks="week"),
        effort_charts.times("versions", "Time a mask, by model version", versions, picks="version"),
        effort_charts.times("people", "Time a mask, by annotator", annotators, picks="person"),
        effort_charts.speed_up(found),
        quality_charts.skips(quality),
    ]
