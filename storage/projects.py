"""Queries about projects."""

from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from storage.errors import MissingRow
from storage.models import Project
from storage.rows import ProjectRow


def first_or_create(name: str, settings: dict[str, Any], *, session: Session) -> ProjectRow:
    """Return the oldest project, made with `name` and `settings` if there is none."""
    project = session.scalars(select(Project).order_by(col(Project.id)).limit(1)).one_or_none()
    if project is None:
        project = Project(name=name, settings=settings)
        session.add(project)
        session.flush()
    return ProjectRow(project.id or 0, project.name, project.settings)


def get(project_id: int, *, session: Session) -> ProjectRow:
    """Return a project.

    Raises
    ------
    MissingRow
        If there is none.
    """
    project = session.get(Project, project_id)
    if project is None:
        raise MissingRow(f"project {project_id} must exist, but does not")
    return ProjectRow(project_id, project.name, project.settings)


def set_settings(project_id: int, settings: dict[str, Any], *, session: Session) -> None:
    """Keep a project's settings in place of the old ones."""
    project = session.get(Project, project_id)
    if project is None:
        raise MissingRow(f"project {project_id} must exist, but does not")
    project.settings = settings
    session.flush()
