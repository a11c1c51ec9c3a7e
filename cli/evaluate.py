"""`masksmith evaluate`: how good a model is, by the standard click protocol."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.table import Table

from cli.screen import AsJson, console, print_json, progress_bar, say, sentences
from core.evaluating import MAX_CLICKS, Evaluation, EvaluationReport, Measured, evaluate
from core.segmentation.catalogue import DEFAULT, NAMES
from core.settings import from_environment
from core.training.examples import LEAST_AREA
from core.training.scores import Scores

_ROWS: Final = (
    *((f"iou_at_{n}", f"IoU after {n} click{'s' * (n > 1)}", 3) for n in (1, 3, 5, 10)),
    *((f"best3_at_{n}", f"  best of three after {n}", 3) for n in (1, 3, 5, 10)),
    *((f"noc{t}", f"clicks to IoU .{t}", 2) for t in (80, 85, 90)),
    *((f"failures{t}", f"  share that never has .{t}", 3) for t in (80, 85, 90)),
    ("box_iou", "IoU for a box", 3),
    ("box_best3", "  best of three", 3),
    ("ece", "calibration error", 3),
    ("ms_per_click", "ms per click, median", 0),
    ("ms_per_click_p95", "  95th percentile", 0),
    ("ms_per_encode", "ms per encoding, median", 0),
    ("ms_per_encode_p95", "  95th percentile", 0),
)


def evaluate_command(
    dataset: Annotated[
        str,
        typer.Option(
            "--dataset",
            help="Folder with manifest.csv, COCO, SA-1B or maps of labels; or: library.",
            show_default=False,
        ),
    ],
    model: Annotated[str, typer.Option("--model", help=f"{', '.join(NAMES)}.")] = DEFAULT,
    path: Annotated[Path | None, typer.Option("--path", help="The checkpoint, if not downloaded here.")] = None,
    objects: Annotated[int | None, typer.Option("--objects", help="So many, chosen at random; else all.")] = None,
    max_clicks: Annotated[int, typer.Option("--max-clicks", help="Clicks after which it has failed.")] = MAX_CLICKS,
    seed: Annotated[int, typer.Option("--seed", help="Decides the choice and the intervals.")] = 0,
    out: Annotated[Path | None, typer.Option("--out", help="File of results; a run cut off goes on.")] = None,
    baseline: Annotated[bool, typer.Option("--baseline/--no-baseline", help="Measure GrabCut beside it.")] = True,
    pictures: Annotated[
        Path | None, typer.Option("--pictures", help="HTML file for the best, typical and worst answers.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Measure a model on known objects: clicks it needs, IoU, calibration, time, each beside GrabCut's."""
    asked = Evaluation(dataset, model, path, objects, max_clicks, seed, out, baseline, pictures)
    with sentences(), progress_bar(hidden=as_json) as bar:
        tasks = {}

        def show(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=total)
            bar.update(tasks[what], completed=done, total=total)

        report = evaluate(from_environment(), asked, progress=show)
    if as_json:
        print_json(as_document(report))
    else:
        _show(report)


def as_document(report: EvaluationReport) -> dict[str, Any]:
    """Return a report as programs get it; figures are rounded to six digits after the point."""
    return {
        "dataset": report.dataset,
        "objects": report.model.scores.objects,
        "images": report.model.scores.images,
        "left_out": report.left_out,
        "crowds": report.crowds,
        "seed": report.seed,
        "max_clicks": report.max_clicks,
        **_figures(report.model),
        "baseline": _figures(report.baseline) if report.baseline else None,
        "differences": {
            name: [round(value, 6) for value in (found.mean, found.low, found.high)]
            for name, found in report.differences.items()
        },
    }


def _figures(measured: Measured) -> dict[str, Any]:
    scores = measured.scores
    return {
        "model": measured.name,
        "content_hash": measured.content_hash,
        **{name: None if value is None else round(value, 6) for name, value in scores.values.items()},
        "iou_by_click": [round(value, 6) for value in scores.iou_by_click],
        "best3_by_click": [round(value, 6) for value in scores.best3_by_click],
        "intervals": {name: [round(low, 6), round(high, 6)] for name, (low, high) in scores.intervals.items()},
        "reliability": [asdict(found) for found in scores.reliability],
        "results": str(measured.results),
    }


def _show(report: EvaluationReport) -> None:
    scores = report.model.scores
    columns = [report.model] + ([report.baseline] if report.baseline else [])
    table = Table(box=None, pad_edge=False)
    table.add_column("", no_wrap=True)
    for measured in columns:
        table.add_column(measured.name, justify="right")
        table.add_column("95 %", style="dim", no_wrap=True)
    for name, title, digits in _ROWS:
        cells = [cell for measured in columns for cell in _cells(measured.scores, name, digits)]
        table.add_row(title, *cells)
    count = f"{scores.objects} objects on {scores.images} images"
    say(f"{report.dataset}: {count}, at most {report.max_clicks} clicks each.")
    if report.left_out:
        say(f"{report.left_out} objects of less than {LEAST_AREA} pixels were left out.")
    if report.crowds:
        say(f"{report.crowds} annotations of many objects at once were left out.")
    console.print(table)
    if report.baseline:
        say(f"{report.model.name} less {report.baseline.name}, object by object:")
        console.print(_difference_table(report))
    say(f"Object by object: {report.model.results}")


def _difference_table(report: EvaluationReport) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False)
    for name, title, digits in _ROWS:
        if found := report.differences.get(name):
            interval = f"{found.low:+.{digits}f} to {found.high:+.{digits}f}"
            table.add_row(title, f"{found.mean:+.{digits}f}", f"[dim]{interval}[/dim]")
    return table


def _cells(scores: Scores, name: str, digits: int) -> tuple[str, str]:
    value = scores.values[name]
    if value is None:
        return "-", ""
    if name not in scores.intervals:
        return f"{value:.{digits}f}", ""
    low, high = scores.intervals[name]
    return f"{value:.{digits}f}", f"{low:.{digits}f} to {high:.{digits}f}"
