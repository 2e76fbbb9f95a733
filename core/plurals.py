"""Numbers of things in English, for commands, the admin and the log. Pages and mails have `ngettext`."""


def counted(number: int, one: str, many: str = "") -> str:
    """`1 row` and `2 rows`; `many` is a plural that is not made with an s."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def are(number: int) -> str:
    """`is` after one thing, `are` after any other number."""
    return "is" if number == 1 else "are"
