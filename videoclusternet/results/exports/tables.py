"""Exports as columns, for those who work with many films at once."""

from __future__ import annotations

import io

from videoclusternet.errors import UsageError
from videoclusternet.results.exports.sheet import Sheet


def to_parquet(sheet: Sheet) -> bytes:
    """Return Parquet with a row for each appearance.

    Columns: film, number, person, start and end in seconds, first_frame and frames at the rate of
    the sheet. Raises UsageError where pyarrow is missing.
    """
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise UsageError(
            "Parquet asks for pyarrow, which is not installed: run 'pip install "
            '"videoclusternet[parquet]"\'.'
        ) from None
    rows = [
        (sheet.film.name, person.number, person.name, one.start, one.end, *sheet.span(one))
        for person, one in sheet.appearances()
    ]
    columns = list(zip(*rows, strict=True)) or [()] * 7
    fields = {
        "film": pyarrow.string(), "number": pyarrow.int64(), "person": pyarrow.string(),
        "start": pyarrow.float64(), "end": pyarrow.float64(),
        "first_frame": pyarrow.int64(), "frames": pyarrow.int64(),
    }  # fmt: skip
    arrays = [
        pyarrow.array(column, kind) for column, kind in zip(columns, fields.values(), strict=True)
    ]
    file = io.BytesIO()
    parquet.write_table(pyarrow.table(arrays, names=list(fields)), file)
    return file.getvalue()
