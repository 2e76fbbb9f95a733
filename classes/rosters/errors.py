"""The error of this package."""

import re

#: What messages say besides, for the command's own options.
_FOR_COMMANDS = re.compile(r",? or (?:name|say) [^:]*: --column.*", re.DOTALL)


class RosterError(Exception):
    """The import cannot be done. The message says what to do about it."""

    @property
    def plain(self) -> str:
        """The message without what only the command can do."""
        return _FOR_COMMANDS.sub(".", str(self))
