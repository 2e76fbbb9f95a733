"""What the project's REST routes share, on top of Django REST framework."""

from core.optional import without

# For fields of PostgreSQL's own, a client for tests, and pages in colours. They took a tenth of a start.
with without("django.contrib.postgres", "requests", "pygments"):
    import rest_framework.compat  # noqa: F401
