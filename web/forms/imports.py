"""The form that takes a file of students."""

import base64
import binascii
import zlib
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from classes.rosters.sources import LARGEST
from web.forms.base import Form

#: The columns that a file may have, in the words of the page.
COLUMNS = {
    "name": _("Name"),
    "first_name": _("First name"),
    "last_name": _("Last name"),
    "email": _("E-mail"),
    "roll_number": _("Roll number"),
}


class FileForm(Form):
    """A file, as it is sent or as the preview brings it back."""

    file = forms.FileField(
        required=False, label=_("File"), widget=forms.FileInput(attrs={"accept": ".csv,.tsv,.txt,.xlsx,.xls,.ods,.zip"})
    )
    file_name = forms.CharField(required=False, max_length=255, widget=forms.HiddenInput)
    content = forms.CharField(required=False, widget=forms.HiddenInput)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("file") is not None:
            cleaned["data"], cleaned["file_name"] = cleaned["file"].read(), cleaned["file"].name[:255]
        elif cleaned.get("content"):
            cleaned["data"] = _unpacked(cleaned["content"])
        else:
            self.add_error("file", _("Choose a file."))
        return cleaned


def packed(data: bytes) -> str:
    """A file's bytes, for a field of the preview."""
    return base64.b64encode(zlib.compress(data)).decode()


def _unpacked(content: str) -> bytes:
    try:
        unpacking = zlib.decompressobj()
        data = unpacking.decompress(base64.b64decode(content, validate=True), LARGEST)
    except (binascii.Error, ValueError, zlib.error):
        raise forms.ValidationError(_("Choose the file once more.")) from None
    if unpacking.unconsumed_tail:
        raise forms.ValidationError(_("The file is too large."))
    return data
