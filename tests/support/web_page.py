"""What a browser shows of a report's page."""

from __future__ import annotations

from typing import Any


def rows(page: Any) -> list[str]:
    """The methods of the table that can be compared, from above."""
    found = page.locator("#table tbody:first-of-type tr")
    labels: list[str] = found.evaluate_all("rows => rows.map(r => r.dataset.method)")
    return labels


def need(page: Any, px: str = "", ms: str = "") -> str:
    """What the page answers to a size in pixels and a time in milliseconds."""
    page.fill("#need-px", px)
    page.fill("#need-ms", ms)
    return str(page.locator("#need-answer").inner_text())


def detail(page: Any, method: str, scale: int) -> str:
    """The dialog behind a number."""
    page.locator(f'#table tr[data-method="{method}"] button[data-scale="{scale}"]').click()
    text = str(page.locator("#detail-body").inner_text())
    page.keyboard.press("Escape")
    return text
