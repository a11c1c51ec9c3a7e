"""The tables. Words are the glossary's; every time is UTC, every coordinate a working-image pixel.

Only queries in storage see their rows.
"""

from storage.models.base import IMPORTED, LIVE, OPEN, RETURNED, UNANSWERED, UNRANKED
from storage.models.images import DiscardedFile, Image, RegionRow, Search, Survey
from storage.models.masks import EditRow, FlagRow, Mask, MaskRle, ModelVersion, PromptRow, Tally
from storage.models.people import Event, Person, Project, Setting, SignIn
from storage.models.reviews import Audit, AuditItem, Review, Round, Seat
from storage.models.work import Job, Lease, Overlap, Skip, Work

__all__ = [
    "IMPORTED",
    "LIVE",
    "OPEN",
    "RETURNED",
    "UNANSWERED",
    "UNRANKED",
    "Audit",
    "AuditItem",
    "DiscardedFile",
    "EditRow",
    "Event",
    "FlagRow",
    "Image",
    "Job",
    "Lease",
    "Mask",
    "MaskRle",
    "ModelVersion",
    "Overlap",
    "Person",
    "Project",
    "PromptRow",
    "RegionRow",
    "Review",
    "Round",
    "Search",
    "Seat",
    "Setting",
    "SignIn",
    "Skip",
    "Survey",
    "Tally",
    "Work",
]
