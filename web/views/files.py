"""The files that pages need."""

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.cache import patch_cache_control
from django.views import View

from web.files import page_file

YEAR = 365 * 24 * 60 * 60  # seconds


class File(View):
    """`/app/files/NAME.DIGEST.js` and `.css`: for anyone, and kept by browsers for good.

    A page that was made by an earlier version of the server gets the file as it is now, and does not keep it.
    """

    def get(self, request: HttpRequest, name: str, digest: str, kind: str) -> HttpResponse:
        found = page_file(name, kind)
        if found is None:
            raise Http404
        response = HttpResponse(found.text, content_type=found.content_type)
        if digest == found.digest:
            patch_cache_control(response, public=True, max_age=YEAR, immutable=True)
        else:
            patch_cache_control(response, no_cache=True)
        return response
