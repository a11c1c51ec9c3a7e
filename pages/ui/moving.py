"""What goes into the library and out of it: dialogs for import, export and deletion."""

from datetime import datetime
from pathlib import Path

import streamlit as st

from core import library
from core.errors import FORESEEN
from core.exporting import ExportReport, Format, export, sweep
from core.importing import ImportReport, import_bytes, import_paths
from core.roles import require
from core.workshop import Workshop
from pages.ui.grid import forget_choice
from pages.ui.text import plain

_MOST_WHOLE = 30
_KINDS = ["jpg", "jpeg", "png", "webp", "tif", "tiff", "bmp"]


@st.dialog("Import photos", width="medium", on_dismiss="rerun")
def import_dialog(shop: Workshop) -> None:
    """Take uploads, or a folder of this server, into the library."""
    require(shop, "import")
    uploads = st.file_uploader("Photos from this computer", type=_KINDS, accept_multiple_files=True)
    folder = st.text_input(
        "Or a file or folder on the server",
        placeholder="/path/to/photos",
        help="Folders are read with all folders below them.",
    ).strip()
    if not st.button("Import", type="primary", disabled=not uploads and not folder):
        return
    bar = st.progress(0.0, "Reading…")
    report = ImportReport()

    def show(done: int, total: int, name: str) -> None:
        bar.progress(done / total, f"{done} of {total}: {plain(name)}")

    try:
        for done, upload in enumerate(uploads or [], start=1):
            import_bytes(
                [(upload.name, upload.getvalue())],
                engines=shop.engines,
                files=shop.files,
                project_id=shop.project_id,
                report=report,
            )
            show(done, len(uploads or []), upload.name)
        if folder:
            import_paths(
                [Path(folder).expanduser()],
                engines=shop.engines,
                files=shop.files,
                project_id=shop.project_id,
                progress=show,
                report=report,
            )
    except FORESEEN as error:
        st.error(plain(str(error)), icon=":material/error:")
    bar.empty()
    _show_import(report)


def _show_import(report: ImportReport) -> None:
    if not report.files and not report.stopped:
        st.warning("No photo was found there.", icon=":material/search_off:")
        return
    well = not report.refused and not report.stopped
    (st.success if well else st.warning)(plain(report.sentence()))
    if report.reasons:
        rows = [{"File": plain(name), "Why it was refused": plain(reason)} for name, reason in report.reasons]
        # A table shows whole sentences; thousands of them need one that draws only what is in sight.
        if len(rows) <= _MOST_WHOLE:
            st.table(rows, hide_index=True)
        else:
            st.dataframe(rows, hide_index=True)
    if st.button("Close"):
        st.rerun()


@st.dialog("Export masks")
def export_dialog(shop: Workshop) -> None:
    """Write all accepted masks and offer them for download."""
    formats = {"COCO, run-length": "coco", "COCO, polygons": "coco-polygons", "SA-1B, one file an image": "sa1b"}
    chosen = formats[str(st.radio("Format", list(formats), captions=_CAPTIONS))]
    with_images = st.checkbox("With the photos", value=True)
    if not st.button("Export", type="primary"):
        return
    sweep(shop.settings.exports)
    name = f"{chosen}-{datetime.now():%Y%m%d-%H%M%S}"
    bar = st.progress(0.0, "Writing…")

    def show(done: int, total: int) -> None:
        bar.progress(done / total, f"Image {done} of {total}")

    try:
        report = export(
            shop,
            shop.settings.exports / name,
            format=_format(chosen),
            polygons=chosen == "coco-polygons",
            with_images=with_images,
            progress=show,
        )
    except FORESEEN as error:
        st.error(plain(str(error)), icon=":material/error:")
        return
    bar.empty()
    _show_export(report, name)


# A link of plain HTML is blue on any ground.
_LINK = "color: inherit; display: inline-block; padding: 0.4rem 0.8rem; border: 1px solid; border-radius: 0.5rem"
_CAPTIONS = [
    "Exact. Read by pycocotools and most tools.",
    "For tools that cannot read run-length. Loses holes and some edge pixels; how many is said.",
    "As Meta publishes its own: RLE, scores and clicks.",
]


def _format(chosen: str) -> Format:
    return "sa1b" if chosen == "sa1b" else "coco"


def _show_export(report: ExportReport, name: str) -> None:
    differs = report.differing > 0
    (st.warning if differs else st.success)(
        plain(report.sentence()), icon=":material/rule:" if differs else ":material/verified:"
    )
    # The route streams the folder as it zips it; a Streamlit download would hold it in memory.
    size = f"{report.bytes / 1e6:.1f} MB before zipping"
    st.html(f'<a href="/api/exports/{name}" download style="{_LINK}">Download {name}.zip ({size})</a>')
    st.caption("The server keeps it for a day.")


@st.dialog("Delete images")
def delete_dialog(shop: Workshop, image_ids: list[int]) -> None:
    """Ask, then take images out of the library."""
    what = "this image" if len(image_ids) == 1 else f"these {len(image_ids)} images"
    st.write(f"Take {what} out of the library? Their masks go with them and are not exported.")
    st.caption("Importing a photo again brings it back with its masks.")
    row = st.container(horizontal=True)
    if row.button("Delete", type="primary", icon=":material/delete:"):
        library.delete(shop, image_ids)
        forget_choice()
        st.rerun()
    if row.button("Keep"):
        st.rerun()
