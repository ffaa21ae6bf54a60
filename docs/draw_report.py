"""Draw the picture of the README from a finished run: `python docs/draw_report.py RUN`.

It shows the people of the run and their times as the report does, with drawn heads where the report
has their faces: the pictures of the demonstration are not ours to hand on.
"""

from __future__ import annotations

import sys
from pathlib import Path
from xml.sax.saxutils import escape

import videoclusternet as vcn

WIDTH, ROW, SHOWN = 760, 58, 6
COLOURS = ("#a8482c", "#3d6b75", "#8a7430", "#5d4a7a", "#44704a", "#7a4054")
SKIN = ("#e7c3a4", "#c99a74", "#8f6245", "#f0d2b8", "#b07c58", "#dcae8a")


def head(x: float, y: float, number: int) -> str:
    """Return a drawn head and shoulders, 40 units wide."""
    colour, skin = COLOURS[number % 6], SKIN[number % 6]
    return (
        f'<g transform="translate({x},{y})"><rect width="40" height="40" rx="5" fill="#ece8df"/>'
        f'<path d="M4 40c2-12 9-14 16-14s14 2 16 14z" fill="{colour}"/>'
        f'<ellipse cx="20" cy="17" rx="8.5" ry="10.5" fill="{skin}"/>'
        f'<path d="M11 16c-1-14 19-14 18 0-3-6-15-6-18 0z" fill="#3b322c"/></g>'
    )


def row(person: vcn.Person, number: int, duration: float) -> str:
    """Return a person's line: head, name, screen time and the strip of appearances."""
    y = 84 + number * ROW
    scale = (WIDTH - 300) / duration
    bars = "".join(
        f'<rect x="{270 + a.start * scale:.1f}" y="{y + 10}" height="20" '
        f'width="{max(2.0, (a.end - a.start) * scale):.1f}" fill="#a8482c"/>'
        for a in person.appearances
    )
    count = len(person.appearances)
    facts = f"{person.seconds:.1f} s, {count} appearance{'s' * (count != 1)}"
    return (
        f"{head(28, y, number)}"
        f'<text x="82" y="{y + 17}" class="name">{escape(person.name)}</text>'
        f'<text x="82" y="{y + 35}" class="facts">{facts}</text>'
        f'<rect x="270" y="{y + 10}" width="{WIDTH - 300}" height="20" fill="#ece8df"/>{bars}'
    )


def draw(run: vcn.RunView) -> str:
    """Return the picture as SVG text."""
    people = run.people
    shown = list(people)[:SHOWN]
    height = 84 + len(shown) * ROW + 34
    rows = "".join(row(person, number, people.duration) for number, person in enumerate(shown))
    more = f"and {len(people) - len(shown)} more" if len(people) > len(shown) else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">'
        f"<title>Who is in the demonstration film, and when</title>"
        "<style>text{font-family:system-ui,sans-serif;fill:#23201b}"
        ".film{font:700 26px Georgia,serif}.name{font:700 15px Georgia,serif}"
        ".facts{font-size:12px;fill:#6a645a}</style>"
        f'<rect width="{WIDTH}" height="{height}" rx="8" fill="#fbfaf6" stroke="#ddd8cc"/>'
        f'<text x="28" y="42" class="film">{escape(run.manifest.film.name)}</text>'
        f'<text x="28" y="64" class="facts">{len(people)} people in {people.duration:.0f} s</text>'
        f'{rows}<text x="82" y="{height - 16}" class="facts">{more}</text></svg>\n'
    )


if __name__ == "__main__":
    Path(__file__).with_name("report.svg").write_text(draw(vcn.load_run(Path(sys.argv[1]))))
