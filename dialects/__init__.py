"""The protocols of other attendance systems, a folder each: translation to and from the core.

No dialect imports another dialect or a model of the core. What only one dialect needs to keep stands in tables of its
own. Everything else works without a dialect's folder and the lines of attendance_project/ that name it.
"""
