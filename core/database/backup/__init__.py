"""Backups: all that the database has, in one file that any of the three databases can take back.

The file is a zip of one file of JSON lines a table, and of `backup.json`, which says what they are (`archive.py`).
"""
