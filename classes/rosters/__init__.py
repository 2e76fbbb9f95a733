"""Rosters from files: all students of a file are enrolled in one class, or none.

The data flows one way, and each step is a module:

- `sources`: a file becomes a `Table`. It knows the kinds of files by their content: `text` reads what separators
  separate, `workbooks` what spreadsheets save, `oneroster` a zip of OneRoster. `archives` bounds what a zip becomes.
- `tables`: where a table's headings are, and what the file is taken for; its rows with their line numbers.
- `formats`: the files of other systems, known by their headings. A further system is a further row there.
- `headings`: which column a heading names. A further word for a column goes there.
- `cells`: what spreadsheets do to texts and numbers, and what is undone of it.
- `entries`: a table's rows become entries, each checked as far as that is possible without the database.
- `plan`: the entries and the database become a `Plan`, which says what becomes of every entry. It is a plain value.
- `write`: a plan without a refused entry becomes accounts and enrolments, in one unit of work.
- `passwords`: an import that also gives its new accounts passwords, and the file that shows them.
- `report`: a table and a plan in words.

What stops the whole import is a `RosterError`. What is wrong with one row is the reason of that row.
"""
