"""E-mail addresses: what one is, and the key that all spellings of one address share.

An address is kept as it was typed, and compared by its key.
"""

import unicodedata

import idna
from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator
from django.utils.translation import gettext as _

from core import errors
from core.characters import without_invisible

#: RFC 5321's limit, and that of the column.
LONGEST = 254


def email_key(email: str) -> str:
    """The key of an address. No text is refused, and the key of a key is the key itself.

    Invisible characters are left out, compatibility characters (full-width letters) are what they stand for, and letter
    case is folded. A domain has its IDNA form, as in a mail's way.
    """
    if email.isascii():
        return email.lower()
    local, at, domain = email.rpartition("@")
    return f"{_folded(local)}{at}{domain_key(domain)}" if at else _folded(email)


def domain_key(domain: str) -> str:
    """The key of a domain: its IDNA form in lower case (`xn--…`), or the folded text where it has none."""
    # Folded first: mails go by the older IDNA, in which `ß` is `ss`, and the key is to name the mailbox they reach.
    folded = _folded(domain)
    if folded.isascii():
        return folded
    try:
        return idna.encode(folded, uts46=True).decode()
    except UnicodeError:  # all of idna's errors are
        return folded


def _folded(text: str) -> str:
    """NFKC, case folded, without invisible characters: done until nothing changes, since each may undo another."""
    while True:
        folded = unicodedata.normalize("NFKC", without_invisible(text).casefold())
        if folded == text:
            return folded
        text = folded


class AddressValidator(EmailValidator):
    """Django's, for addresses that one mailbox alone can have.

    Django takes letters outside ASCII for those that they fold to (`ſ` for `s`, `K` for `k`). Before the `@` such an
    address is another mailbox, whose key is this one's. And it bounds no domain's IDNA form.
    """

    def __call__(self, value: str | None) -> None:
        super().__call__(value)
        address = value or ""
        if not address.rpartition("@")[0].isascii() or len(email_key(address)) > LONGEST:
            raise ValidationError(self.message, code=self.code, params={"value": value})


def refuse_other_mailboxes(email: str) -> None:
    """Raises `InvalidSchema` for an address whose key may be another mailbox's: no account is made for it."""
    if not email.rpartition("@")[0].isascii() or len(email_key(email)) > LONGEST:
        raise errors.InvalidSchema({"email": [_("Not an e-mail address.")]})


#: Raises `ValidationError` for a text that is no e-mail address.
valid_email = AddressValidator(allowlist=[])
