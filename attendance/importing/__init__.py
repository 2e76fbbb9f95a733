"""Moving in: an existing Node system's users, classes and attendances.

`sources` reads what there is, `documents` holds each document to its shape, `plan` compares all of it with the
database, `write` does what the plan says.
"""
