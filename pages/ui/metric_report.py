"""The Metrics page as one HTML file to print or to send, with a page about the data that can be published."""

import html
from datetime import datetime

import plotly.io

from core.data_page import data_page
from core.metric_quality import Quality
from core.metrics import Chosen, Figures
from core.workshop import Workshop
from pages.ui.chart import Chart

_STYLE = """
  body { font: 15px/1.5 system-ui, sans-serif; max-width: 1000px; margin: 2rem auto; padding: 0 1rem; color: #1b1e24; }
  section { break-inside: avoid; border-top: 1px solid #d4d8df; padding: .5rem 0; }
  h1 { font-size: 1.6rem; } h2 { font-size: 1.1rem; margin: .4rem 0; } small { color: #5a6270; }
"""


def report(
    shop: Workshop,
    chosen: Chosen,
    found: Figures,
    said: Quality,
    shown: list[Chart],
    people: dict[int, str],
    moment: datetime,
) -> str:
    """Return the report; it holds what draws its charts, so it needs no network."""
    parts = [
        f"<h1>Masksmith, {moment:%Y-%m-%d %H:%M} UTC</h1><p><small>{html.escape(_said(chosen, people))}</small></p>"
    ]
    scripts: bool | str = True
    for one in shown:
        drawn = html.escape(one.instead)
        if one.figure is not None:
            drawn = plotly.io.to_html(one.figure, include_plotlyjs=scripts, full_html=False)
            scripts = False
        parts.append(
            f"<section><h2>{html.escape(one.title)}</h2>{drawn}<p><small>{html.escape(one.definition)}</small></p></section>"
        )
    text = "".join(f"<p>{html.escape(line)}</p>" for line in data_page(found, said))
    body = "".join(parts) + f"<section><h1>The data</h1>{text}</section>"
    head = f'<meta charset="utf-8"><title>Masksmith</title><style>{_STYLE}</style>'
    return f'<!doctype html><html lang="en">{head}{body}</html>'


def _said(chosen: Chosen, people: dict[int, str]) -> str:
    days = f"{chosen.since or 'the beginning'} to {chosen.until or 'now'}"
    who = ", ".join(people.get(one, "?") for one in chosen.people) or "everybody"
    versions = ", ".join(str(one) for one in chosen.versions) or "all model versions"
    return f"{days}; {who}; {versions}"
