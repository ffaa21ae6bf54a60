"""What a page does that none of ours may do."""

from __future__ import annotations

from playwright.sync_api import Dialog, Page


def complaints_of(page: Page) -> list[str]:
    """Return a list that fills with all that the page writes to its console, throws or pops up."""
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))

    def refuse(dialog: Dialog) -> None:
        complaints.append("a dialog opened")
        dialog.dismiss()

    page.on("dialog", refuse)
    return complaints
