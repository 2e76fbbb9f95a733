"""How languages write days and times where Django's own formats are missing: there it writes them as the USA do.

Each module has Django's names; what it does not have is Django's.
"""
