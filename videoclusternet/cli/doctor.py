"""The command that tells whether a run can start here: doctor."""

from __future__ import annotations

import json

from videoclusternet.cli.app import AsJson, app, err, out
from videoclusternet.terminal import one_line

WIDEST = 24  # characters of the first column


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """Tell whether a run can start here, and what it would find; write and fetch nothing."""
    from videoclusternet.doctor import examine

    health = examine()
    if as_json:
        print(json.dumps(health.to_json(), indent=1))
    else:
        for what, told in health.lines():
            out.print(f"{what:<{WIDEST}}{one_line(told)}")
        if not health.troubles:
            out.print("A run can start.")
    for trouble in health.troubles[1:]:
        err.print(one_line(trouble))
    for trouble in health.troubles[:1]:
        raise trouble
