"""Why the mutants that no test notices are no faults: one reason each."""

from __future__ import annotations

REASONS: dict[str, str] = {}
