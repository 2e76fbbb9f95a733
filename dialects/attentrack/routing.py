"""The paths of AttenTrack's sockets: `/`, which its app uses, and `/attentrack`."""

import logging
from typing import Any

from django.conf import settings
from django.urls import re_path

from dialects.attentrack.consumer import AttenTrackConsumer

sockets: list[Any] = [re_path(r"^(attentrack/?)?\Z", AttenTrackConsumer.as_asgi())]

if settings.ATTENTRACK_OPEN:
    logging.getLogger(__name__).warning(
        "ATTENTRACK_OPEN is on: whoever reaches this server can read and change attendance without a token."
    )
