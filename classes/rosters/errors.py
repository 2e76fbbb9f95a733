"""The error of this package."""


class RosterError(Exception):
    """The import cannot be done. The message says what to do about it, in the reader's language.

    `option`: what can be done besides by an option of the commands, in English; it goes on where `message` ends, which
    then has no full stop.
    """

    def __init__(self, message: str, option: str = "") -> None:
        super().__init__(message + option)
        self.option = option
        self._message = message

    @property
    def plain(self) -> str:
        """The message without what only the command can do."""
        return f"{self._message}." if self.option else self._message

    def of(self, name: str) -> "RosterError":
        """The same error, of the file `name`."""
        return RosterError(f"{name}: {self._message}", self.option)
