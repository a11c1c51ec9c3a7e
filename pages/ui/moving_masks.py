"""Masks of other tools, in and out: the dialogs for importing and exporting them."""

import tempfile
from datetime import datetime
from pathlib import Path
from typing import Final

import streamlit as st

from core.errors import FORESEEN
from core.export_report import LOSES, WITH_POLYGONS, ExportReport, Format
from core.exporting import export, sweep
from core.importing import clean_name
from core.importing_masks import import_masks
from core.mask_import_report import MaskImportReport
from core.workshop import Workshop
from pages.ui.reasons import show_reasons
from pages.ui.text import plain

_TITLES: Final[dict[Format, str]] = {
    "coco": "COCO",
    "sa1b": "SA-1B",
    "yolo": "YOLO segmentation",
    "label-map": "Label maps (PNG)",
    "voc": "Pascal VOC",
    "labelme": "labelme",
    "label-studio": "Label Studio",
    "cvat": "CVAT for images 1.1",
}
_HOLDS: Final[dict[Format, str]] = {
    "coco": "Run lengths, exact; read by pycocotools and most tools.",
    "sa1b": "One JSON file an image, as Meta publishes its own: run lengths, scores and clicks.",
    "yolo": "One text file an image, a polygon an object, and data.yaml.",
    "label-map": "One 16-bit PNG an image, pixels numbered by object, with a table of labels.",
    "voc": "Palette PNGs by object and by class.",
    "labelme": "One JSON file an image; masks exact.",
    "label-studio": "One file of tasks; masks as brush labels, exact.",
    "cvat": "One XML file; masks exact.",
}
_READS: Final[dict[Format, str]] = {
    "coco": "One JSON file with images and annotations; LVIS too.",
    "sa1b": "A folder of JSON files.",
    "yolo": "A folder with labels and data.yaml.",
    "label-map": "A folder of PNGs named like the photos.",
    "voc": "A folder with SegmentationObject and SegmentationClass.",
    "labelme": "A folder of JSON files; polygons and masks.",
    "label-studio": "The JSON export; brush labels.",
    "cvat": "annotations.xml; polygons and masks.",
}
# A link of plain HTML is blue on any ground.
_LINK: Final = "color: inherit; display: inline-block; padding: 0.4rem 0.8rem; border: 1px solid; border-radius: 0.5rem"


@st.dialog("Import masks", width="medium", on_dismiss="rerun")
def import_masks_dialog(shop: Workshop) -> None:
    """Take masks of other tools in, from uploads or from this server."""
    format: Format = st.selectbox("Format", list(_TITLES), format_func=lambda one: _TITLES[one], key="import-format")
    st.caption(
        f"{_READS[format]} Each mask waits on its image until somebody keeps, edits or deletes it; "
        "until then it counts for nothing."
    )
    uploads = st.file_uploader("Files from this computer, or one zip file", accept_multiple_files=True)
    path = st.text_input("Or a file or folder on the server", placeholder="/path/to/annotations").strip()
    photos = st.text_input(
        "Folder of the photos on the server",
        placeholder="/path/to/photos, if the library lacks them",
        help="Photos that masks belong to and the library lacks are imported from there.",
    ).strip()
    if not st.button("Import", type="primary", disabled=not uploads and not path):
        return
    try:
        with st.spinner("Reading…"), tempfile.TemporaryDirectory(prefix="masksmith-upload-") as folder:
            # Uploads lie in a folder of their own meanwhile: readers read folders.
            for upload in uploads or []:
                (Path(folder) / clean_name(upload.name)).write_bytes(upload.getbuffer())
            given = list(Path(folder).iterdir())
            source = Path(path).expanduser() if not given else given[0] if len(given) == 1 else Path(folder)
            report = import_masks(shop, source, format=format, photos=Path(photos).expanduser() if photos else None)
    except FORESEEN as error:
        st.error(plain(str(error)), icon=":material/error:")
        return
    _show_import(report)


def _show_import(report: MaskImportReport) -> None:
    well = not report.reasons and not report.stopped
    (st.success if well else st.warning)(plain(report.sentence()))
    reasons = [*report.reasons, *(f"{name}: {reason}" for name, reason in report.photos.reasons)]
    if reasons:
        rows = [{"What was left out, and why": plain(reason)} for reason in reasons]
        show_reasons(rows)
    if st.button("Close"):
        st.rerun()


@st.dialog("Export masks")
def export_dialog(shop: Workshop) -> None:
    """Write all accepted masks and offer them for download."""
    format: Format = st.selectbox("Format", list(_TITLES), format_func=lambda one: _TITLES[one], key="export-format")
    st.caption(f"{_HOLDS[format]} {LOSES[format]}")
    polygons = format in WITH_POLYGONS and st.checkbox(
        "Polygons", help="For tools that cannot read run lengths. Loses holes; how many pixels is said."
    )
    with_images = st.checkbox("With the photos", value=True)
    row = st.container(horizontal=True)
    asked = row.button("Export", type="primary")
    trial = row.button("What would be lost?", help="Writes and reads back everything, and keeps nothing.")
    if not asked and not trial:
        return
    sweep(shop.settings.exports)
    name = f"{format}{'-polygons' if polygons else ''}-{datetime.now():%Y%m%d-%H%M%S}"
    bar = st.progress(0.0, "Writing…")

    def show(done: int, total: int) -> None:
        bar.progress(done / total, f"Image {done} of {total}")

    try:
        report = export(
            shop,
            shop.settings.exports / name,
            format=format,
            polygons=polygons,
            with_images=with_images and not trial,
            trial=trial,
            progress=show,
        )
    except FORESEEN as error:
        st.error(plain(str(error)), icon=":material/error:")
        return
    bar.empty()
    _show_export(report, name)


def _show_export(report: ExportReport, name: str) -> None:
    differs = report.differing > 0
    (st.warning if differs else st.success)(
        plain(report.sentence()), icon=":material/rule:" if differs else ":material/verified:"
    )
    if report.trial:
        return
    # The route streams the folder as it zips it; a Streamlit download would hold it in memory.
    size = f"{report.bytes / 1e6:.1f} MB before zipping"
    st.html(f'<a href="/api/exports/{name}" download style="{_LINK}">Download {name}.zip ({size})</a>')
    st.caption("The server keeps it for a day.")
