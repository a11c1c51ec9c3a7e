"""Files that pages were sent and still keep."""

from streamlit.runtime import Runtime
from streamlit.runtime.stats import CacheStat
from streamlit.runtime.uploaded_file_manager import UploadedFileManager


def waiting_bytes() -> int:
    """Return how many bytes of uploads this server keeps in memory."""
    return kept_by(Runtime.instance().uploaded_file_mgr) if Runtime.exists() else 0


def kept_by(manager: UploadedFileManager) -> int:
    """Return how many bytes of uploads a manager keeps."""
    kept = [stat for stats in manager.get_stats().values() for stat in stats if isinstance(stat, CacheStat)]
    return sum(stat.byte_length for stat in kept)
