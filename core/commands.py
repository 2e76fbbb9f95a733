"""The base of the project's commands: help texts keep their lines, and an example stands below them."""

import argparse
import os
import sys
from typing import Any, ClassVar

from django.core.management.base import BaseCommand, CommandParser, DjangoHelpFormatter


class HelpFormatter(DjangoHelpFormatter, argparse.RawDescriptionHelpFormatter):
    """Django's order of arguments, with the line breaks of description and examples as they are in the source."""


class ExplainedCommand(BaseCommand):
    """A command whose `--help` ends with `example`."""

    example: ClassVar[str]

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(
            prog_name, subcommand, formatter_class=HelpFormatter, epilog=f"example:\n{self.example}", **kwargs
        )

    def run_from_argv(self, argv: list[str]) -> None:
        try:
            super().run_from_argv(argv)
        except BrokenPipeError:  # as in `… | head`, which stops reading
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(1)


def printable(text: str) -> str:
    """`text` with a replacement character for each that is not printable. A file's text must not steer a terminal."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)
