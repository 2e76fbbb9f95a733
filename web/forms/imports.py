"""The form that takes a file."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from classes.previews import SentFile
from web.forms.base import Form

#: The columns that a list of students may have, in the words of the page.
COLUMNS = {
    "name": _("Name"),
    "first_name": _("First name"),
    "last_name": _("Last name"),
    "email": _("E-mail"),
    "roll_number": _("Roll number"),
}


#: The columns of a file of marks.
MARK_COLUMNS = {
    "roll_number": _("Roll number"),
    "email": _("E-mail"),
    "status": _("Status"),
    "time": _("Time"),
    "note": _("Note"),
}


#: How a text file may be written that says nothing of it, and is not UTF-8: the encodings of spreadsheets.
ENCODINGS = {
    "": "UTF-8, UTF-16",
    **{f"windows-{number}": f"Windows-{number}" for number in range(1250, 1259)},
    "iso-8859-15": "ISO-8859-15",
    "shift_jis": "Shift JIS",
    "gb18030": "GB 18030",
    "big5": "Big5",
    "euc_kr": "EUC-KR",
}


class FileForm(Form):
    """A file that is sent; with `token` that of a preview is meant."""

    file = forms.FileField(
        required=False, label=_("File"), widget=forms.FileInput(attrs={"accept": ".csv,.tsv,.txt,.xlsx,.xls,.ods,.zip"})
    )
    token = forms.CharField(required=False, widget=forms.HiddenInput)

    def keep(self, token: str) -> None:
        """The form that comes back means the file of this token, unless another one is chosen."""
        data = self.data.copy()  # type: ignore[attr-defined]  # a QueryDict, which does not change
        data["token"] = token
        self.data = data

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("file") is not None:
            cleaned["sent"] = SentFile(cleaned["file"].read(), cleaned["file"].name[:255])
        elif not cleaned.get("token"):
            self.add_error("file", _("Choose a file."))
        return cleaned
