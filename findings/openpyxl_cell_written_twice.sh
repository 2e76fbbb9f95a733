#!/usr/bin/env bash
# openpyxl 3.1.5; Python 3.11; seen on 2026-11-29.
#
# A write-only workbook takes cells that the program made. It looks as if one cell could be made once and appended wherever
# its text is needed. openpyxl takes the cell, once it is written, for the next plain value of the row: where it is appended
# again, it says what stood to the right of it before. Twice in one row it is written as a number, and openpyxl itself cannot
# read the workbook any more. Nothing is raised while it is written. A cell that has a style stays as it is.
#
# Needs: python3 with venv.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check openpyxl==3.1.5

cat > "$folder/seen" << 'END'
plain cell in two rows, before a text: [['absent', 'Asha'], ['Asha', 'Ben']]
plain cell in two rows, before a number: [['absent', 7], [7, 8]]
plain cell twice in one row: ValueError: could not convert string to float: 'absent'
bold cell in two rows, before a text: [['absent', 'Asha'], ['absent', 'Ben']]
bold cell in two rows, before a number: [['absent', 7], ['absent', 8]]
bold cell twice in one row: [['absent', 'absent']]
END

cat > "$folder/look.py" << 'END'
import sys
from pathlib import Path

from openpyxl import Workbook, load_workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font

FILE = Path(sys.argv[1]) / "marks.xlsx"
CELL = object()  # stands for the cell that is used again
ROWS = {
    "in two rows, before a text": [[CELL, "Asha"], [CELL, "Ben"]],
    "in two rows, before a number": [[CELL, 7], [CELL, 8]],
    "twice in one row": [[CELL, CELL]],
}


def read_back(font, rows):
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Marks")
    cell = WriteOnlyCell(sheet, "absent")
    if font is not None:
        cell.font = font
    for row in rows:
        sheet.append([cell if value is CELL else value for value in row])
    book.save(FILE)
    try:
        return [[cell.value for cell in row] for row in load_workbook(FILE).active.iter_rows()]
    except ValueError as failure:
        return f"ValueError: {failure.__cause__}"


for style, font in (("plain", None), ("bold", Font(bold=True))):
    for name, rows in ROWS.items():
        print(f"{style} cell {name}: {read_back(font, rows)}")
END

"$folder/venv/bin/python" "$folder/look.py" "$folder" > "$folder/found"
cat "$folder/found"
diff "$folder/seen" "$folder/found" > "$folder/changes" || { echo "CHANGED:"; cat "$folder/changes"; exit 1; }
