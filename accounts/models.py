"""People: teachers, students, and the staff who run the server. A superuser is a teacher with all of the admin."""

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F
from django.db.models.signals import post_delete
from django.dispatch import receiver
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from accounts import passwords
from accounts.signals import accounts_changed, person_changed
from core import errors
from core.database.batches import batches
from core.database.named import Named, NamedQuerySet
from core.database.prepared import Prepared
from core.database.unit_of_work import after_commit, unit_of_work
from core.emails import email_key
from core.identity import Role
from core.ids import id_field
from core.roll_numbers import roll_number_key
from core.times import now

#: A change of one of these fields ends all tokens of the account.
CREDENTIAL_FIELDS = ("password", "role", "is_active", "is_superuser")
#: The fields of a person that others see.
SHOWN_FIELDS = ("name", "email", "roll_number")
#: The fields that an instance remembers as they are in the database.
_LOADED_FIELDS = (*CREDENTIAL_FIELDS, *SHOWN_FIELDS)


class Origin(models.TextChoices):
    """How an account came to be. `accounts.standing` says what follows from it."""

    SELF = "self", "signed up"
    INVITED = "invited", "invited by the school"
    SHEET = "sheet", "on a teacher's class sheet"
    SCHOOL = "school", "made by the school"


#: A column of what is typed → the function that makes its key, which stands in the column `…_key`.
KEYED: Mapping[str, Callable[[str], str | None]] = {
    "email": lambda email: email_key(email) or None,
    "roll_number": roll_number_key,
}
#: The key of a double: how it is spelled.
_SPELLING: Mapping[str, Callable[[str], str]] = {"email": str.lower, "roll_number": str}


class UserQuerySet(NamedQuerySet["User"]):
    """Finds people by any spelling of their e-mail or roll number, and writes the keys with what they are keys of.

    Accounts that are older than the keys may be doubles: two spellings of one key. One of them has the key, and each
    other one its own spelling in the key's place (`find_doubles`), by which it is found as before.
    """

    def by_email(self, email: str) -> "User | None":
        """The account with this e-mail; None if there is none."""
        return self.by_emails([email]).get(email)

    def by_roll_number(self, roll_number: str) -> "User | None":
        """The account with this roll number; None if there is none."""
        return self.by_roll_numbers([roll_number]).get(roll_number)

    def by_emails(self, emails: Iterable[str]) -> "dict[str, User]":
        """E-mail, as it is in `emails` → the account that has it. Those that nobody has are left out."""
        return self._by("email", emails)

    def by_roll_numbers(self, roll_numbers: Iterable[str]) -> "dict[str, User]":
        """Roll number, as it is in `roll_numbers` → the account that has it. Those that nobody has are left out."""
        return self._by("roll_number", roll_numbers)

    def _by(self, name: str, typed: Iterable[str]) -> "dict[str, User]":
        column = f"{name}_key"
        keys = {text: (_SPELLING[name](text), KEYED[name](text)) for text in typed}
        found: dict[str | None, User] = {}
        for some in batches(sorted({key for pair in keys.values() for key in pair if key})):
            found.update((getattr(user, column), user) for user in self.filter(**{f"{column}__in": some}))
        both = {text: found.get(spelling) or found.get(key) for text, (spelling, key) in keys.items()}
        return {text: user for text, user in both.items() if user is not None}

    def update(self, **fields: Any) -> int:
        return super().update(**{**fields, **_keys_of({name: fields[name] for name in KEYED if name in fields})})

    def bulk_create(self, objs: Iterable["User"], *args: Any, **options: Any) -> "list[User]":
        users = list(objs)
        for user in users:
            user.__dict__.update(_keys_of({name: user.__dict__[name] for name in KEYED}))
        return super().bulk_create(users, *args, **options)


def _keys_of(typed: Mapping[str, Any]) -> dict[str, Any]:
    return {f"{name}_key": KEYED[name](text) for name, text in typed.items()}


if TYPE_CHECKING:

    class _Manager(UserQuerySet, BaseUserManager["User"]):  # type: ignore[misc]  # as `from_queryset` makes it
        """Found by mypy in whatever order it reads the modules, which the call is not."""
else:
    _Manager = BaseUserManager.from_queryset(UserQuerySet)


class UserManager(_Manager):
    def get_by_natural_key(self, username: str | None) -> "User":
        """The user with this e-mail, in any spelling. Raises User.DoesNotExist for an unknown e-mail."""
        user: User | None = self.by_email(username or "")
        if user is None:
            raise User.DoesNotExist
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """For `manage.py createsuperuser` and the first start."""
        fields = {"role": Role.TEACHER, "is_staff": True, "is_superuser": True, **fields}
        user = self.model(email=email, **fields)
        user.set_password(password)
        user.save()
        return user


class User(AbstractBaseUser, PermissionsMixin, Named):
    """One account. `save` sets the keys, and raises `token_version` when credentials change."""

    id = id_field()
    name = models.CharField(max_length=255)
    #: Empty for a student who is known by the roll number alone. That nobody has another's, the key sees to.
    email = models.EmailField(max_length=254, blank=True, default="")
    #: Twice as long as an e-mail: older rows may have a key that is longer than its e-mail.
    email_key = models.CharField(max_length=508, unique=True, null=True, default=None, editable=False)
    role = models.CharField(max_length=16, choices=Role.choices, default=Role.STUDENT, db_index=True)
    roll_number = models.CharField(max_length=64, unique=True, null=True, blank=True, default=None)
    #: Some letters become three when their case is folded.
    roll_number_key = models.CharField(max_length=192, unique=True, null=True, default=None, editable=False)
    is_active = models.BooleanField(
        "active", default=True, help_text="Unticked, the person can sign in nowhere; nothing of theirs is deleted."
    )
    is_staff = models.BooleanField("staff", default=False, help_text="May open this admin.")
    token_version = models.PositiveIntegerField(default=0, editable=False)
    credentials_changed_at = models.DateTimeField(null=True, editable=False)
    #: The language that the person chose, or last signed in with; empty where no client said. Mails are written in it.
    language = models.CharField(max_length=8, blank=True, default="", editable=False)
    #: Until this time a token of the user's is void that has not expired yet; null if there is no such token.
    tokens_voided_until = models.DateTimeField(null=True, editable=False)
    #: Changed by `accounts.services.user_hold`. The number has no meaning.
    holds = models.PositiveBigIntegerField(default=0, editable=False)
    email_verified_at = models.DateTimeField(null=True, blank=True, editable=False)
    origin = models.CharField(max_length=16, choices=Origin.choices, default=Origin.SCHOOL, editable=False)
    #: Whose class sheet or invitation made the account; empty where nobody's did, or where that account is gone.
    made_by = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, blank=True, editable=False, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        if self.email:
            return f"{self.name} <{self.email}>"
        return f"{self.name} ({self.roll_number})" if self.roll_number else self.name

    @classmethod
    def from_db(cls, db: str | None, field_names: Collection[str], values: Collection[Any], **options: Any) -> "User":
        user = super().from_db(db, field_names, values, **options)
        user._loaded = {field: user.__dict__[field] for field in _LOADED_FIELDS if field in user.__dict__}
        return user

    @property
    def is_proved(self) -> bool:
        """Somebody has shown that the account's mailbox is theirs."""
        return self.email_verified_at is not None

    @property
    def awaits_proof(self) -> bool:
        """The account has an address, and nobody has shown yet that its mailbox is theirs."""
        return bool(self.email) and not self.is_proved

    @property
    def awaits_registration(self) -> bool:
        """Whether nobody can sign in yet: a roster made the account, or its owner gave the password up."""
        return not self.has_usable_password()

    @property
    def never_registered(self) -> bool:
        """Whether no password was ever chosen for the account, and no code ever proved its mailbox."""
        return self.awaits_registration and self.email_verified_at is None and self.credentials_changed_at is None

    def clean(self) -> None:
        """For forms: `refuse_nameless` as a `ValidationError`."""
        super().clean()
        try:
            refuse_nameless(role=self.role, email=self.email, roll_number=self.roll_number)
        except errors.InvalidSchema as refusal:
            raise ValidationError({"email": refusal.fields["email"]}) from None

    #: Fields as they are in the database. Empty for a new user.
    _loaded: dict[str, Any]

    def set_password(self, raw_password: str | None) -> None:
        if raw_password is None:
            self.set_unusable_password()
        else:
            self.password = passwords.hash_password(raw_password)

    def get_session_auth_hash(self) -> str:
        """A session at the admin is good for as long as a token of the same sign-in.

        Django's own method uses the password's hash. Signing in renews an outdated hash, and would end the session
        that it has just begun.
        """
        return salted_hmac("accounts.models.User", f"{self.pk}\n{self.token_version}", algorithm="sha256").hexdigest()

    def check_password(self, raw_password: str | None) -> bool:
        """As Django's method, but a renewed hash of the same password ends no token."""

        def renew(encoded: str) -> None:
            User.objects.filter(pk=self.pk, password=self.password).update(password=encoded)

        return raw_password is not None and passwords.password_matches(raw_password, self.password, renew)

    @unit_of_work
    def save(self, *, update_fields: Iterable[str] | None = None, **options: Any) -> None:
        if update_fields is not None:
            update_fields = set(update_fields)
        for name in KEYED if update_fields is None else update_fields & KEYED.keys():
            self._take_key(name)
            if update_fields is not None:
                update_fields.add(f"{name}_key")
        saved = [field for field in _LOADED_FIELDS if update_fields is None or field in update_fields]
        loaded = getattr(self, "_loaded", {})
        changed = {field for field in saved if field in loaded and self.__dict__[field] != loaded[field]}
        if changed.intersection(CREDENTIAL_FIELDS):
            self.token_version = F("token_version") + 1  # in the database, where another process may have raised it
            self.credentials_changed_at = now()
            if update_fields is not None:
                update_fields |= {"token_version", "credentials_changed_at"}
        super().save(update_fields=update_fields, **options)
        if changed.intersection(CREDENTIAL_FIELDS):
            self.refresh_from_db(fields=["token_version"])
            announce_change()
        if changed.intersection(SHOWN_FIELDS):
            person_changed.send(sender=User, user_id=self.pk)
        self._loaded = {**loaded, **{field: self.__dict__[field] for field in saved if field in self.__dict__}}

    def _take_key(self, name: str) -> None:
        """Sets the key of what is typed. A double keeps its own spelling for as long as another account has the key."""
        column, typed = f"{name}_key", getattr(self, name)
        key = KEYED[name](typed)
        if getattr(self, column) == key:
            return
        is_as_it_was = self.__dict__.get(name) == getattr(self, "_loaded", {}).get(name, ...)
        if is_as_it_was and User.objects.filter(**{column: key}).exclude(pk=self.pk).exists():
            return
        setattr(self, column, key)


def refuse_nameless(*, role: str, email: str, roll_number: str | None) -> None:
    """Only a student with a roll number may have no e-mail: nobody else could be named. Raises `InvalidSchema`."""
    if not email and (role != Role.STUDENT or roll_number_key(roll_number) is None):
        raise errors.InvalidSchema({"email": [_("Only a student with a roll number may have no e-mail.")]})


class StudentProfile(models.Model):
    """What a school notes of a student besides the account. The row is made when the first such fact is known."""

    id = id_field()
    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="student_profile")
    batch = models.CharField(max_length=64, blank=True, default="")
    branch = models.CharField(max_length=128, blank=True, default="")
    semester = models.CharField(max_length=64, blank=True, default="")
    phone = models.CharField(max_length=64, blank=True, default="")
    enroll = models.CharField("enrolment number", max_length=64, blank=True, default="")
    guardian_email = models.EmailField(
        "guardian's address", max_length=254, blank=True, default="", help_text="Told of absences (NOTICE_TO)."
    )

    def __str__(self) -> str:
        return f"Profile of {self.user}"


class TeacherProfile(models.Model):
    """What a school notes of a teacher besides the account."""

    id = id_field()
    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="teacher_profile")
    department = models.CharField(max_length=128, blank=True, default="")
    education = models.CharField(max_length=255, blank=True, default="")
    telephone = models.CharField(max_length=64, blank=True, default="")
    interest = models.CharField(max_length=255, blank=True, default="")

    def __str__(self) -> str:
        return f"Profile of {self.user}"


class SchoolAccount(models.Model):
    """An account at the school's provider, and who has it here, whatever its address says later.

    `accounts.school_accounts` makes the rows. The provider never gives a subject to somebody else.
    """

    id = id_field()
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    issuer = models.CharField(max_length=255)
    subject = models.CharField(max_length=255)
    created_at = models.DateTimeField("first signed in", auto_now_add=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("issuer", "subject"), name="school_account_once"),)
        ordering = ("-created_at", "-id")

    def __str__(self) -> str:
        return f"Account of {self.user} at {self.issuer}"


class OneTimeCode(models.Model):
    """A code that was mailed to a person, for one purpose. Only the code's keyed hash is kept (`accounts.codes`)."""

    id = id_field()
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    purpose = models.CharField(max_length=16)
    code_hash = models.CharField(max_length=64)
    #: The hash of the address that asked for the code; empty where it is not known.
    asked_from = models.CharField(max_length=64, blank=True, default="")
    #: How many tries whoever asked for the code has left. Others' tries are counted apart (`accounts.codes`).
    tries_left = models.PositiveSmallIntegerField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (models.Index(fields=("user", "purpose"), name="code_of_person"),)


class Invitation(models.Model):
    """Leave to sign up, once, with a role. Only the hash of its secret is kept (`accounts.invitations`)."""

    id = id_field()
    secret_hash = models.CharField(max_length=64, unique=True, editable=False)
    role = models.CharField(max_length=16, choices=Role.choices)
    email = models.EmailField(
        "for", max_length=254, blank=True, help_text="The one address that may use it; empty: whoever has the link."
    )
    #: Whether the secret went to that mailbox and nowhere else: then whoever has it has the mailbox.
    is_mailed = models.BooleanField("sent by mail", default=False)
    made_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField("made", auto_now_add=True)
    expires_at = models.DateTimeField("good until")
    voided_at = models.DateTimeField("withdrawn", null=True, blank=True)
    used_at = models.DateTimeField("used", null=True, blank=True)
    used_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ("-created_at", "-id")

    def __str__(self) -> str:
        return f"Invitation of a {self.role} ({self.email or 'printed link'})"


class Card(models.Model):
    """A student's printed card. Only the hash of its secret is kept (`accounts.cards`)."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, primary_key=True, related_name="+")
    secret_hash = models.CharField(max_length=64, unique=True, editable=False)
    made_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    made_at = models.DateTimeField()


class SecondFactor(models.Model):
    """The authenticator app of somebody at the admin (`accounts.second_factor`)."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, primary_key=True, related_name="second_factor")
    #: The app's secret, sealed (`core.sealing`).
    secret = models.CharField(max_length=255, editable=False)
    #: The time step of the last code that was taken.
    last_step = models.PositiveBigIntegerField(editable=False)
    created_at = models.DateTimeField(auto_now_add=True)


class RecoveryCode(models.Model):
    """A code that replaces the app once. Only its keyed hash is kept, until it is used."""

    key = models.CharField(primary_key=True, max_length=64)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")


class VoidedToken(models.Model):
    """A token whose owner has signed out, or all those of a browser's sign-in, until it would have expired.

    `accounts.tokens` writes and reads them.
    """

    key = models.CharField(primary_key=True, max_length=64)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    expires_at = models.DateTimeField(db_index=True)


class Attempts(models.Model):
    """How many attempts `accounts.limits` has counted for one key. The row means nothing after `until`."""

    #: A hash of the limit and of the client or account, so that the table holds neither addresses nor e-mails.
    key = models.CharField(primary_key=True, max_length=64)
    number = models.PositiveIntegerField()
    until = models.DateTimeField(db_index=True)
    #: The time of the last guess of a password. None after a right guess, and for other attempts.
    last_at = models.DateTimeField(null=True)
    #: Whether the account has signed in from this address.
    known = models.BooleanField(default=False)


class AccountsVersion(models.Model):
    """A number that every change of any account's credentials raises. The live server watches the number.

    The table has one row, which is made with the table.
    """

    key = models.CharField(primary_key=True, max_length=16, default="accounts", editable=False)
    number = models.PositiveBigIntegerField(default=0)

    @classmethod
    def current(cls) -> int:
        return _version.first() or 0


_version = Prepared(lambda: AccountsVersion.objects.order_by("pk").values_list("number", flat=True)[:1])


@unit_of_work
def announce_change() -> None:
    """Announces a change of an account: raises the version in the unit of work, tells the live server after commit."""
    if not AccountsVersion.objects.update(number=F("number") + 1):
        AccountsVersion.objects.create(number=1)  # the row is missing, after a restored backup perhaps
    after_commit(lambda: accounts_changed.send(sender=User))


@receiver(post_delete, sender=User)
def _user_deleted(sender: type[User], **kwargs: Any) -> None:
    announce_change()


def second_of(moment: datetime) -> int:
    """The Unix time of `moment` in whole seconds, as a token's `iat` has it."""
    return int(moment.timestamp())
