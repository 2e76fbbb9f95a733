"""The path of this protocol's sockets: `/ws/v2`."""

from typing import Any

from django.urls import re_path

from dialects.v2.live.consumer import V2Consumer

sockets: list[Any] = [re_path(r"^ws/v2/?\Z", V2Consumer.as_asgi())]
