"""Photos into the library and out of it: dialogs for import and deletion."""

from pathlib import Path

import streamlit as st

from core import library
from core.errors import FORESEEN
from core.importing import ImportReport, import_bytes, import_paths
from core.projects import change_settings, settings
from core.roles import may, require
from core.workshop import Workshop
from pages.ui.grid import forget_choice
from pages.ui.reasons import show_reasons
from pages.ui.text import plain

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
    _offer_blur(shop)
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


def _offer_blur(shop: Workshop) -> None:
    st.toggle(
        "Blur faces and number plates",
        settings(shop).blur,
        key="import-blur",
        on_change=_set_blur,
        args=(shop,),
        disabled=not may(shop, "settings"),
        help="Before anybody sees the photo. A setting of the project; the view Privacy shows what was found.",
    )


def _set_blur(shop: Workshop) -> None:
    change_settings(shop, {"blur": st.session_state["import-blur"]})


def _show_import(report: ImportReport) -> None:
    if not report.files and not report.stopped:
        st.warning("No photo was found there.", icon=":material/search_off:")
        return
    well = not report.refused and not report.stopped
    (st.success if well else st.warning)(plain(report.sentence()))
    if report.reasons:
        rows = [{"File": plain(name), "Why it was refused": plain(reason)} for name, reason in report.reasons]
        show_reasons(rows)
    if st.button("Close"):
        st.rerun()


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
