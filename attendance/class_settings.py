"""What a class's teachers chose for it, as the rest of the code has it; the class's row has texts."""

import msgspec

from attendance.check_in import CheckInOptions
from attendance.enums import Status
from classes.models import Class


def tap_order(found: Class) -> tuple[Status, ...]:
    """What taps on the board mark, one after the other. A status that is none of these is chosen by its own button."""
    return tuple(Status(word) for word in found.tap_order.split())


def check_in_defaults(found: Class) -> CheckInOptions | None:
    """How students of the class mark themselves where who opens the check-in does not say; None: nobody chose."""
    return msgspec.json.decode(found.check_in, type=CheckInOptions) if found.check_in else None


def packed_order(order: list[Status]) -> str:
    """An order of taps, for the class's row."""
    return " ".join(order)


def packed_defaults(options: CheckInOptions | None) -> str:
    """Defaults, for the class's row."""
    return "" if options is None else msgspec.json.encode(options).decode()
