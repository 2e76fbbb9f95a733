"""Whose pages may ask a server that lists its origins, as a table."""

#: ALLOWED_ORIGINS, as the environment has it.
LIST = "https://school.example, http://localhost:5173/"
#: The `Origin` (None: there is none; {host}: the request's own) and whether it passes.
ORIGINS: dict[str | None, bool] = {
    None: True,
    "https://school.example": True,
    "HTTPS://School.Example": True,
    "http://localhost:5173": True,
    "http://{host}": True,
    "https://{host}": True,
    "https://evil.example": False,
    "https://school.example.evil.example": False,
    "http://school.example": False,
    "null": False,
    "http://[": False,
}
