"""Rosters from files: all students of a file are enrolled in one class, or none.

The data flows one way, and each step is a module:

- `sources`: a file becomes a `Table`, its rows with their line numbers. A further kind of file is a further source.
- `headings`: which column of a table is which, by its heading. A further word for a column goes there.
- `entries`: a table's rows become entries, each checked as far as that is possible without the database.
- `plan`: the entries and the database become a `Plan`, which says what becomes of every entry.
- `write`: a plan without a refused entry becomes accounts and enrolments, in one unit of work.
- `passwords`: an import that also gives its new accounts passwords, and the file that shows them.
- `report`: a plan in words.

What stops the whole import is a `RosterError`. What is wrong with one row is the reason of that row.
"""
