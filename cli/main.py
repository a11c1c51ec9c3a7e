"""`masksmith`: import, export, blur, backup, check, coverage, encode, evaluate, retrain, models, people and others."""

import logging
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, cast

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn
from rich.table import Table

from cli.backup import backup_command, restore_command
from cli.blur import blur_command
from cli.check import check_command
from cli.coverage import coverage_command
from cli.encode import encode_command
from cli.evaluate import evaluate_command
from cli.import_masks import import_masks_command
from cli.migrate_to import migrate_to_command
from cli.people import app as people_app
from cli.retrain import as_document, retrain_command
from cli.screen import AsJson, console, opened_library, print_json, progress_bar, say, sentences
from cli.train_starter import train_starter_command
from core import doctor as diagnosis
from core import model_choice, versions
from core.errors import InvalidInput
from core.export_report import EXACT, FORMATS, Format
from core.export_source import SAMPLE
from core.exporting import export as export_library
from core.importing import ImportReport, import_paths
from core.segmentation.catalogue import CHECKPOINTS, NAMES, download
from core.settings import from_environment

app = typer.Typer(help="Turn photos into precise masks.", no_args_is_help=True, add_completion=False)
models_app = typer.Typer(help="Choose the model that answers prompts.", invoke_without_command=True)
app.add_typer(models_app, name="models")
app.command("import-masks")(import_masks_command)
app.command("backup")(backup_command)
app.command("restore")(restore_command)
app.add_typer(people_app, name="people")
app.command("blur")(blur_command)
app.command("check")(check_command)
app.command("coverage")(coverage_command)
app.command("encode")(encode_command)
app.command("evaluate")(evaluate_command)
app.command("migrate-to")(migrate_to_command)
app.command("retrain")(retrain_command)
app.command("train-starter")(train_starter_command)


@app.callback()
def main() -> None:
    """Turn photos into precise masks."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s")


@app.command("import")
def import_command(
    paths: Annotated[list[Path], typer.Argument(help="Photos, or folders of photos.")],
    blur: Annotated[
        bool | None,
        typer.Option("--blur/--no-blur", help="Blur faces and number plates; the project's setting if not given."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Take photos into the library; say what was refused and why."""
    with opened_library() as library, progress_bar(hidden=as_json) as bar:
        task = bar.add_task("Importing", total=None)
        report = import_paths(
            paths,
            engines=library.engines,
            files=library.files,
            project_id=library.project_id,
            progress=lambda done, total, _name: bar.update(task, completed=done, total=total),
            blur=blur,
        )
    if as_json:
        print_json(asdict(report))
    else:
        _say_import(report)
    if report.stopped:
        raise typer.Exit(1)


def _say_import(report: ImportReport) -> None:
    say(report.sentence())
    for name, reason in report.reasons:
        say(f"  {name}: {reason}")
    if report.refused > len(report.reasons):
        say(f"  and {report.refused - len(report.reasons)} more")


@app.command("export")
def export_command(
    out: Annotated[Path, typer.Option("--out", help="A new or empty folder.")],
    format: Annotated[str, typer.Option("--format", help=f"{', '.join(FORMATS)}.")] = "coco",
    polygons: Annotated[
        bool, typer.Option("--polygons", help="Polygons in place of run lengths: coco, labelme, cvat.")
    ] = False,
    images: Annotated[bool, typer.Option("--images/--no-images", help="Copy the working images too.")] = True,
    trial: Annotated[bool, typer.Option("--trial", help="Only say what would be lost; nothing stays.")] = False,
    read_all: Annotated[
        bool, typer.Option("--read-all", help=f"Read back every mask, not {SAMPLE} of a large library.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write all accepted masks, read them back, compare, and say what the format cannot hold."""
    with opened_library() as library, progress_bar(hidden=as_json) as bar:
        if format not in FORMATS:
            raise InvalidInput(f"an export's format must be one of {', '.join(FORMATS)}, got {format!r}")
        task = bar.add_task("Exporting", total=None)
        report = export_library(
            library,
            out,
            format=cast(Format, format),
            polygons=polygons,
            with_images=images,
            trial=trial,
            sample=None if read_all else SAMPLE,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    if as_json:
        print_json({**asdict(report), "folder": str(report.folder)})
    else:
        say(report.sentence())
    if report.differing and not polygons and format in EXACT:
        raise typer.Exit(1)


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """Say what is installed, which model and device are used, and what is wrong."""
    with sentences():
        findings = diagnosis.examine(from_environment())
    if as_json:
        print_json({"ok": diagnosis.well(findings), "findings": [asdict(finding) for finding in findings]})
    else:
        table = Table(show_header=False, box=None)
        for finding in findings:
            table.add_row("ok" if finding.ok else "[red]wrong[/red]", finding.what, finding.says)
        console.print(table)
    if not diagnosis.well(findings):
        raise typer.Exit(1)


@models_app.callback()
def list_models(context: typer.Context, as_json: AsJson = False) -> None:
    """List the models and say which is used."""
    if context.invoked_subcommand is not None:
        return
    with opened_library() as library:
        found = model_choice.models(library)
    rows = [{"name": model.name, "title": model.title, "here": model.here, "used": model.used} for model in found]
    if as_json:
        print_json({"models": rows})
        return
    for row in rows:
        state = "in use" if row["used"] else "here" if row["here"] else "not downloaded"
        say(f"{row['name']:<8} {row['title']:<20} {state}")


@models_app.command("use")
def use_model(
    name: Annotated[str, typer.Argument(help=f"{', '.join(NAMES)}.")],
    path: Annotated[Path | None, typer.Option("--path", help="The checkpoint, if not downloaded here.")] = None,
) -> None:
    """Use a model from the server's next start on."""
    with opened_library() as library:
        model_choice.use(library, name, path)
    say(f"{name} answers from the next start on.")


@models_app.command("versions")
def list_versions(as_json: AsJson = False) -> None:
    """List the versions that answered or were retrained, newest first."""
    with opened_library() as library:
        now, found = versions.answering(library), versions.every(library)
    if as_json:
        print_json({"answering": now.id, "versions": [as_document(row) for row in found]})
        return
    for row in found:
        verdict = (row.detail.get("verdict") or {}).get("reason", "")
        state = "in use" if row.id == now.id else f"of {row.parent_id}" if row.parent_id else ""
        say(f"{row.id:>4}  {row.name:<10} {row.content_hash[:12]}  {state:<8} {verdict}".rstrip())


@models_app.command("promote")
def promote_version(version: Annotated[int, typer.Argument(help="Its number, as `models versions` lists it.")]) -> None:
    """Let a retrained version answer from the server's next start on."""
    with opened_library() as library:
        promoted = versions.promote(library, version)
    say(f"Version {promoted.id} answers from the next start on.")


@models_app.command("roll-back")
def roll_back_version() -> None:
    """Let the version answer again, from the next start on, that the one in use was made of."""
    with opened_library() as library:
        before = versions.roll_back(library)
    say(f"Version {before.id} answers from the next start on.")


@models_app.command("export")
def export_version(
    version: Annotated[int, typer.Argument(help="Its number, as `models versions` lists it.")],
    out: Annotated[Path, typer.Option("--out", help="The ONNX file to write.")],
) -> None:
    """Write a version's prompt encoder and mask decoder as ONNX, once it answers as torch does."""
    from core.segmentation.onnx_export import export_onnx  # torch takes seconds to load

    with opened_library() as library:
        exported = export_onnx(versions.loaded(library, versions.get(library, version)))
        try:
            out.write_bytes(exported.data)
        except OSError as error:
            raise InvalidInput(f"the ONNX file must be writable, but {out} is not ({error.strerror})") from error
    say(f"{out} is written; its answers differ from torch's by {exported.largest_difference:.1g} at most.")


@models_app.command("download")
def download_model(name: Annotated[str, typer.Argument(help=", ".join(CHECKPOINTS))]) -> None:
    """Download one of Meta's checkpoints and check its hash; run it again to go on after a break."""
    with (
        opened_library() as library,
        Progress(TextColumn("{task.description}"), BarColumn(), DownloadColumn(), console=console) as bar,
    ):
        if name not in CHECKPOINTS:
            raise InvalidInput(f"a checkpoint must be one of {', '.join(CHECKPOINTS)}, got {name!r}")
        task = bar.add_task(name, total=CHECKPOINTS[name].size_bytes)
        path = download(
            CHECKPOINTS[name],
            library.settings.models,
            progress=lambda had, total: bar.update(task, completed=had, total=total),
        )
    say(f"{path} is here; `masksmith models use {name}` makes it answer.")
