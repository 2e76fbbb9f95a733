"""Files that become students: looked at first, and done then."""

from typing import Any, ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from classes.access import class_for_teacher
from classes.imports import class_import, class_import_preview
from classes.previews import SentFile
from classes.rosters.errors import RosterError
from core.errors import Changed, InvalidSchema, PreviewNotFound, RosterConflict, TooManyRequests
from core.rest.permissions import Audience
from dialects.v2.base import V2View
from dialects.v2.serializers.imports import ImportDoInput, ImportFileInput, ImportOutput, import_shown
from dialects.v2.views.classes import OF_A_CLASS


def sent_file(body: dict[str, Any]) -> SentFile:
    """The file of a form."""
    return SentFile(body["file"].read(), body["file"].name, body["columns"], body["encoding"])


class RosterImport(V2View):
    """`POST /api/v2/classes/:id/import`: what a list of students would do, or did.

    A form with a `file` answers what would become of every row, and a `token`; JSON with that `token`, within an hour,
    does what was shown.
    """

    audience = Audience.SIGNED_IN
    form = ImportFileInput
    body = ImportDoInput
    answers: ClassVar = {200: ImportOutput}
    raises = (*OF_A_CLASS, PreviewNotFound, RosterConflict, Changed, TooManyRequests)

    def post(self, request: Request, class_id: str) -> Response:
        found, _ = class_for_teacher(actor=self.actor, class_id=class_id)
        body = self.read()
        try:
            if not self.brings_file:
                return Response(import_shown(class_import(actor=self.actor, class_id=found.id, **body)))
            shown = class_import_preview(actor=self.actor, class_id=found.id, file=sent_file(body))
            if not body["dry_run"]:
                if shown.plan.refused:
                    raise RosterConflict
                shown = class_import(actor=self.actor, class_id=found.id, token=str(shown.token))
        except RosterError as failure:
            raise InvalidSchema({"file": [failure.plain]}) from None
        return Response(import_shown(shown))
