"""The admin's pages of people, and what all pages of this project's admin have in common."""

from collections.abc import Iterable
from contextlib import suppress
from contextvars import ContextVar
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.models import LogEntry
from django.contrib.admin.utils import flatten_fieldsets, unquote
from django.contrib.auth import admin as auth_admin
from django.contrib.auth import forms as auth_forms
from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.formats import date_format

from accounts import second_factor
from accounts.admin_passwords import NewPasswords, may_touch
from accounts.invitations import (
    LIFETIME,
    Made,
    invitation_mail,
    invitation_print,
    invitation_print_if_unmailed,
    invitation_void,
)
from accounts.late_saves import AS_SHOWN, Change, late_form
from accounts.models import Invitation, Origin, SchoolAccount, StudentProfile, TeacherProfile, User
from accounts.passwords import hash_password
from accounts.proofs import accounts_vouch
from accounts.standing import address_counts, is_set_aside
from core import errors
from core.characters import says_something
from core.database.unit_of_work import unit_of_work
from core.emails import valid_email
from core.identity import Role
from core.times import now

M = TypeVar("M", bound=Model)

if TYPE_CHECKING:
    _ChangeForm = auth_forms.UserChangeForm[User]
    _CreationForm = auth_forms.AdminUserCreationForm[User]
    _UserAdmin = auth_admin.UserAdmin[User]
    _UserForm = forms.ModelForm[User]
    _InvitationForm = forms.ModelForm[Invitation]
    _InvitationAdmin = admin.ModelAdmin[Invitation]
    _SchoolAccountAdmin = admin.ModelAdmin[SchoolAccount]
    _StudentInline = admin.StackedInline[StudentProfile, User]
    _TeacherInline = admin.StackedInline[TeacherProfile, User]
else:
    _ChangeForm = auth_forms.UserChangeForm
    _CreationForm = auth_forms.AdminUserCreationForm
    _UserAdmin = auth_admin.UserAdmin
    _UserForm = object
    _InvitationForm = forms.ModelForm
    _InvitationAdmin = _SchoolAccountAdmin = admin.ModelAdmin
    _StudentInline = _TeacherInline = admin.StackedInline

#: So many characters of a search are looked for. No name has as many, and MongoDB takes no pattern of any length.
LONGEST_SEARCH = 500
#: The hash of the new account's password, for the running request.
_hashed: ContextVar[str | None] = ContextVar("hashed", default=None)
#: The invitation that the running request has made.
_made: ContextVar[Made | None] = ContextVar("made", default=None)


def last_change(changed: Model, label: str, since: datetime) -> Change | None:
    """Who changed the field of this label last, by the admin's own log."""
    entries = LogEntry.objects.filter(
        content_type=ContentType.objects.get_for_model(changed), object_id=str(changed.pk), action_time__gte=since
    )
    for entry in entries.select_related("user").order_by("-action_time"):
        if label.casefold() in entry.get_change_message().casefold():
            return Change(entry.user.name, entry.action_time)
    return None


class LateSaves:
    """Mixin for a page: see `accounts.late_saves`."""

    form: type[Any]

    def who_changed(self, changed: Model, label: str, since: datetime) -> Change | None:
        """Who changed the field that the page calls `label` last, not before `since`; None if nobody knows."""
        return last_change(changed, label, since)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        if obj is not None and self.has_change_permission(request, obj):  # type: ignore[attr-defined]
            kwargs.setdefault("form", late_form(self.form, self.who_changed))
        return super().get_form(request, obj, change=change, **kwargs)  # type: ignore[misc]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        found: Any = super().get_fieldsets(request, obj)  # type: ignore[misc]
        is_late = obj is not None and self.has_change_permission(request, obj)  # type: ignore[attr-defined]
        if not is_late or AS_SHOWN in flatten_fieldsets(found):
            return found
        (name, first), *others = found
        return [(name, {**first, "fields": (*first["fields"], AS_SHOWN)}), *others]


class KnownRows:
    """Mixin for a list: what no row can have chooses nothing in a form, and breaks no search."""

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> Any:
        return super().get_search_results(request, queryset, search_term[:LONGEST_SEARCH])  # type: ignore[misc]

    def response_action(self, request: HttpRequest, queryset: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            queryset.filter(pk__in=request.POST.getlist(ACTION_CHECKBOX_NAME))
        except (ValueError, ValidationError):
            said = "Items must be selected in order to perform actions on them. No items have been changed."
            self.message_user(request, said, messages.WARNING)  # type: ignore[attr-defined]
            return None
        return super().response_action(request, queryset, *args, **kwargs)  # type: ignore[misc]


class WritablePage(KnownRows, LateSaves):
    """Mixin: all that a page writes is one unit of work, and a page saved late undoes nothing."""

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> tuple[Any, Any, Any, Any]:
        found, counts, lacking, protected = super().get_deleted_objects(objs, request)  # type: ignore[misc]
        # Nobody may delete marks. An object that marks protect is refused for that, and not for a missing permission.
        return found, counts, set() if protected else lacking, protected

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)  # type: ignore[misc]
        if isinstance(field, forms.CharField) and field.required:
            field.validators.append(says_something)
        return field

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        view = super().changeform_view  # type: ignore[misc]
        done: HttpResponse = (unit_of_work(self._save) if request.method == "POST" else view)(request, *args, **kwargs)
        return done

    def _save(self, request: HttpRequest, object_id: str | None = None, *args: Any, **kwargs: Any) -> HttpResponse:
        if object_id is not None and connection.features.has_select_for_update:
            # So that nobody saves between this page's look at the row and its own write.
            rows = self.model._default_manager.filter(pk=unquote(object_id))  # type: ignore[attr-defined]
            with suppress(ValueError, ValidationError):  # no id: the page says so
                rows.select_for_update().values_list("pk").first()
        done: HttpResponse = super().changeform_view(request, object_id, *args, **kwargs)  # type: ignore[misc]
        return done

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        view = super().delete_view  # type: ignore[misc]
        done: HttpResponse = (unit_of_work(view) if request.method == "POST" else view)(request, *args, **kwargs)
        return done

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        unit_of_work(super().delete_queryset)(request, queryset)  # type: ignore[misc]


class Archivable:
    """Mixin for a list with the action `archive`: what has a history is not deleted, and the page says what to do."""

    delete_confirmation_template: Any = "admin/delete_or_archive.html"
    delete_selected_confirmation_template: Any = "admin/delete_selected_or_archive.html"


class NamedRows:
    """Mixin for a list of rows with names, which stand and are sorted as people look for them."""

    ordering: Any = ("name_folded", "id")

    @admin.display(description="name", ordering="name_folded")
    def shown_name(self, row: Any) -> str:
        return str(row.name)


class KeysForm(_UserForm):
    """Mixin: refuses an e-mail and a roll number that another account has, in any spelling."""

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"]
        if not email or email == self.instance.email:
            return email
        valid_email(email)
        if User.objects.exclude(pk=self.instance.pk).by_email(email) is not None:
            raise ValidationError("Somebody has this e-mail already; letter case does not make another one.")
        return email

    def clean_roll_number(self) -> str | None:
        roll_number: str | None = self.cleaned_data["roll_number"]
        if roll_number is None or roll_number == self.instance.roll_number:
            return roll_number
        if User.objects.exclude(pk=self.instance.pk).by_roll_number(roll_number) is not None:
            raise ValidationError("Somebody has this roll number already; letter case does not make another one.")
        return roll_number


class AddForm(KeysForm, _CreationForm):
    """A new account."""

    class Meta:
        model = User
        fields = ("name", "email", "role", "roll_number")

    def set_password_and_save(self, user: User, commit: bool = True, **kwargs: Any) -> User:
        encoded = _hashed.get()
        if encoded is None or not self.cleaned_data["set_usable_password"]:
            return super().set_password_and_save(user, commit=commit, **kwargs)
        user.password = encoded
        if commit:
            user.save()
        return user


class ChangeForm(KeysForm, _ChangeForm):
    """An account. Its role cannot change while classes depend on the role."""

    class Meta:
        model = User
        fields = "__all__"
        field_classes: ClassVar[dict[str, type[forms.Field]]] = {}

    def clean_role(self) -> str:
        role: str = self.cleaned_data["role"]
        if role != Role.TEACHER and self.instance.classes_taught.exists():
            raise ValidationError("This teacher has classes. Give them to another teacher first.")
        if role != Role.STUDENT and self.instance.enrolments.exists():
            raise ValidationError("This student is enrolled in classes. Take the student off their rosters first.")
        return role

    def clean(self) -> dict[str, Any] | None:
        """Nothing of the school's is given to somebody who only says that the address is theirs."""
        given = [name for name in _GIVEN_BY_SCHOOL if name in self.changed_data and self.cleaned_data.get(name)]
        if given and is_set_aside(self.instance):
            labels = ", ".join(str(self.fields[name].label).lower() for name in given)
            raise ValidationError(
                f"Nobody has shown that this e-mail address is theirs, so the account cannot get: {labels}. Let its"
                " owner confirm the address, or, if you know that it is them, vouch for them by the list's action."
            )
        cleaned = super().clean()
        stays = {name: self.cleaned_data.get(name, getattr(self.instance, name)) for name in _OFFICE}
        if not all(stays.values()) and is_last_of_office([self.instance]):
            raise ValidationError(f"{LAST_OF_OFFICE} Let this account stay active, staff and superuser.")
        return cleaned


_GIVEN_BY_SCHOOL = ("role", "roll_number", "is_staff", "is_superuser", "groups", "user_permissions")


#: Who has all of this can do everything in the admin.
_OFFICE = ("is_active", "is_staff", "is_superuser")
LAST_OF_OFFICE = (
    "This is the last active superuser: without one nobody can run the school here. Make another one first."
)


def is_last_of_office(users: Iterable[User]) -> bool:
    """Whether no superuser who can come in would be left without these, of whom one is such."""
    everything = dict.fromkeys(_OFFICE, True)
    office = set(User.objects.filter(**everything).values_list("pk", flat=True))
    gone = office.intersection(user.pk for user in users)
    return bool(gone) and gone == office


def address_standing(user: User) -> str:
    """Why an account counts as its address's owner's, or that it does not."""
    if not user.email:
        return "no e-mail"
    if user.email_verified_at is not None:
        return f"proved {date_format(timezone.localtime(user.email_verified_at), 'j M Y')}"
    return user.get_origin_display() if address_counts(user) else "NOT PROVED"


class AddressFilter(admin.SimpleListFilter):
    """Whose address counts."""

    title = "address"
    parameter_name = "address"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("no", "not proved"), ("proved", "proved"), ("school", "made by the school, not proved")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> QuerySet[User]:
        claimed = (Origin.SELF, Origin.INVITED)
        match self.value():
            case "no":
                return queryset.filter(email_verified_at=None, origin__in=claimed)
            case "proved":
                return queryset.exclude(email_verified_at=None)
            case "school":
                return queryset.filter(email_verified_at=None).exclude(origin__in=claimed)
        return queryset


class ProfileInline:
    """Mixin for the part of a user's page that is their profile."""

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        kwargs["form"] = late_form(forms.ModelForm, lambda profile, label, since: last_change(obj, label, since))
        return super().get_formset(request, obj, **kwargs)  # type: ignore[misc]


class StudentProfileInline(ProfileInline, _StudentInline):
    model = StudentProfile


class TeacherProfileInline(ProfileInline, _TeacherInline):
    model = TeacherProfile


class UserAdmin(NewPasswords, NamedRows, Archivable, WritablePage, _UserAdmin):
    """People. Only a superuser can change a superuser's account or make another superuser."""

    form = ChangeForm
    add_form = AddForm
    list_display: Any = ("shown_name", "role", "is_active", "roll_number", "email", "address", "is_staff", "created_at")
    list_filter = ("role", AddressFilter, "origin", "is_active", "is_staff")
    actions: Any = ("vouch", "new_passwords", "second_factor_remove")
    search_fields = ("name_folded__contains", "email", "roll_number")
    search_help_text = "Name, e-mail or roll number"
    readonly_fields = ("id", "email_verified_at", "origin", "made_by", "last_login", "created_at", "updated_at")
    filter_horizontal = ("groups", "user_permissions")
    fieldsets = (
        (None, {"fields": ("name", "email", "password")}),
        ("School", {"fields": ("role", "roll_number")}),
        ("Access", {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")}),
        ("Record", {"fields": readonly_fields}),
    )
    add_fieldsets = (
        (
            None,
            {
                "classes": ("wide",),
                "fields": ("name", "email", "role", "roll_number", "usable_password", "password1", "password2"),
            },
        ),
    )

    @admin.display(description="address", ordering="email_verified_at")
    def address(self, user: User) -> str:
        return address_standing(user)

    @admin.action(description="Vouch for selected users: they are who they say", permissions=["change"])
    def vouch(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        found = list(queryset.filter(origin=Origin.SELF))
        done = accounts_vouch(user_ids=[user.id for user in found if may_touch(request, user)])
        for user in found:
            self.log_change(request, user, "Vouched for the address.")
        others = "" if done else " Only who signed up needs that."
        self.message_user(request, f"Vouched for {done}.{others}", messages.SUCCESS if done else messages.WARNING)

    @admin.action(description="Take the second factor away (a lost phone)", permissions=["superuser"])
    def second_factor_remove(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        removed = [user for user in queryset if second_factor.remove(user)]
        for user in removed:
            self.log_change(request, user, "Took the second factor away.")
        self.message_user(request, f"Second factors taken away: {len(removed)}.", messages.SUCCESS)

    def has_superuser_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        if not change:
            obj.made_by = request.user if isinstance(request.user, User) else None
        super().save_model(request, obj, form, change)

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        if request.method != "POST":
            return super().add_view(request, form_url, extra_context)
        # The password is hashed before the unit of work: on SQLite every mark waits while a unit of work is open.
        token = _hashed.set(hash_password(request.POST.get("password1", "")))
        try:
            return unit_of_work(super().add_view)(request, form_url, extra_context)
        finally:
            _hashed.reset(token)

    def user_change_password(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return super().user_change_password(request, *args, **kwargs)

    #: Both hash a password, so they run on the threads for slow requests (`core.rest.routes.is_slow`).
    add_view.slow = user_change_password.slow = True  # type: ignore[attr-defined]

    def get_inlines(self, request: HttpRequest, obj: User | None) -> list[Any]:
        if obj is None:
            return []
        return [StudentProfileInline if obj.role == Role.STUDENT else TeacherProfileInline]

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        if request.user.is_superuser:
            return self.readonly_fields
        return (*self.readonly_fields, "is_staff", "is_superuser", "groups", "user_permissions")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[User], search_term: str
    ) -> tuple[QuerySet[User], bool]:
        found, doubled = super().get_search_results(request, queryset, search_term)
        picked = request.GET.get("field_name") if request.path.endswith("/autocomplete/") else None
        if picked in Role.values:
            found = found.filter(role=picked)  # the fields are called `teacher` and `student`, as the roles are
        return found, doubled

    def delete_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        user = self.get_object(request, unquote(object_id))
        if user is not None and self.has_delete_permission(request, user) and is_last_of_office([user]):
            self.message_user(request, LAST_OF_OFFICE, messages.ERROR)
            return redirect("admin:accounts_user_change", object_id)
        return super().delete_view(request, object_id, *args, **kwargs)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> tuple[Any, Any, Any, Any]:
        found, counts, lacking, protected = super().get_deleted_objects(objs, request)
        if is_last_of_office(objs):
            return found, counts, set(), [*protected, LAST_OF_OFFICE]
        return found, counts, lacking, protected

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_change_permission(request, obj) and may_touch(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_delete_permission(request, obj) and may_touch(request, obj)


admin.site.unregister(Group)


@admin.register(Group)
class GroupsAdmin(WritablePage, auth_admin.GroupAdmin):
    """Groups of permissions. Who is no superuser can only look at them: otherwise they could give themselves rights."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)

    def has_change_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return bool(request.user.is_superuser)

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return bool(request.user.is_superuser)


class InvitationForm(_InvitationForm):
    """A new invitation. It is made while the form is checked, because only then is it known whether it may be."""

    by_mail = forms.BooleanField(
        label="Send it by mail",
        required=False,
        initial=True,
        help_text="The next page shows the link once, to be printed or handed over, where this is not ticked or no mail"
        " can be sent.",
    )
    #: Set by `clean`.
    made: Made
    #: Whoever fills the form in.
    made_by: ClassVar[User | None] = None

    class Meta:
        model = Invitation
        fields = ("role", "email")

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"]
        if email:
            valid_email(email)
        return email

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if self.errors:
            return cleaned
        role, email = Role(self.cleaned_data["role"]), self.cleaned_data["email"]
        try:
            if not self.cleaned_data["by_mail"]:
                self.made = invitation_print(role=role, email=email, made_by=self.made_by)
            elif email:
                self.made = invitation_mail(role=role, email=email, made_by=self.made_by)
            else:
                self.add_error("email", "Say whom to mail it to, or untick the box below.")
        except errors.EmailTaken:
            self.add_error("email", "Somebody signs in with this address already. Change their role on their own page.")
        except errors.SignupClosed:
            self.add_error(None, "SIGNUP=closed: nobody can sign up, with an invitation neither.")
        except errors.TooManyRequests:
            self.add_error(None, "That is too many mails for an hour. Wait, or use `manage.py invite`.")
        return cleaned

    def save(self, commit: bool = True) -> Invitation:
        self.save_m2m = lambda: None  # type: ignore[method-assign]  # as Django does; there are none
        return self.made.invitation


@admin.register(Invitation)
class InvitationAdmin(WritablePage, _InvitationAdmin):
    """Invitations: made and withdrawn here, never changed; who used one and when stays."""

    form = InvitationForm
    list_display = ("for_whom", "role", "state", "made_by", "created_at", "expires_at", "used_by", "used_at")
    list_select_related = ("made_by", "used_by")
    list_filter = ("role", ("used_at", admin.EmptyFieldListFilter), ("voided_at", admin.EmptyFieldListFilter))
    search_fields = ("email", "used_by__email", "used_by__name_folded__contains")
    search_help_text = "Address, or the name or e-mail of who used it"
    actions = ("withdraw",)

    def get_fields(self, request: HttpRequest, obj: Invitation | None = None) -> tuple[str, ...]:
        if obj is None:
            return ("role", "email", "by_mail")
        return ("role", "email", "is_mailed", "state", "made_by", "created_at", "expires_at", "used_by", "used_at")

    def get_form(self, request: HttpRequest, obj: Invitation | None = None, change: bool = False, **kwargs: Any) -> Any:
        if obj is not None:
            kwargs["form"] = forms.ModelForm
            return super().get_form(request, obj, change, **kwargs)
        made_by = request.user if isinstance(request.user, User) else None
        return type("InvitationForm", (super().get_form(request, obj, change, **kwargs),), {"made_by": made_by})

    def get_readonly_fields(self, request: HttpRequest, obj: Invitation | None = None) -> tuple[str, ...]:
        return () if obj is None else self.get_fields(request, obj)

    @admin.display(description="for")
    def for_whom(self, invitation: Invitation) -> str:
        return invitation.email or "whoever has the link"

    @admin.display(description="state")
    def state(self, invitation: Invitation) -> str:
        if invitation.used_at is not None:
            return "used"
        if invitation.voided_at is not None:
            return "withdrawn"
        return "open" if invitation.expires_at > now() else "too old"

    def save_model(self, request: HttpRequest, obj: Invitation, form: Any, change: bool) -> None:
        """The form has made it."""
        _made.set(form.made)

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        token = _made.set(None)
        try:
            response = super().add_view(request, form_url, extra_context)
            if (made := _made.get()) is not None:
                self._hand_over(request, made)
        finally:
            _made.reset(token)
        return response

    add_view.slow = True  # type: ignore[attr-defined]  # it waits for the mail server, a moment

    def _hand_over(self, request: HttpRequest, made: Made) -> None:
        """Says what became of the mail, or shows the link; after the commit, since the mail goes only then."""
        good = invitation_print_if_unmailed(made)
        if good.mailed is not None:
            self.message_user(request, f"The invitation is on its way to {good.invitation.email}.", messages.SUCCESS)
            return
        link = good.link(request.build_absolute_uri("/"))
        level, text = messages.SUCCESS, f"Shown this once, good for {LIFETIME.days} days: {link}"
        if good is not made:
            self.log_change(request, made.invitation, "Withdrawn: the mail could not be sent.")
            self.log_addition(request, good.invitation, "Made in place of one that could not be mailed.")
            level = messages.WARNING
            text = (
                f"The mail to {good.invitation.email} could not be sent, and its invitation is withdrawn."
                f" Hand this link over instead. {text}"
            )
        self.message_user(request, text, level)

    @admin.action(description="Withdraw selected invitations", permissions=["withdraw"])
    def withdraw(self, request: HttpRequest, queryset: QuerySet[Invitation]) -> None:
        done = 0
        for invitation in queryset:
            if invitation_void(invitation_id=invitation.id):
                self.log_change(request, invitation, "Withdrawn.")
                done += 1
        self.message_user(request, f"Withdrawn: {done}. Used ones stay as they are.", messages.SUCCESS)

    def has_withdraw_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("accounts.add_invitation"))

    def has_change_permission(self, request: HttpRequest, obj: Invitation | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Invitation | None = None) -> bool:
        return False


@admin.register(SchoolAccount)
class SchoolAccountAdmin(WritablePage, _SchoolAccountAdmin):
    """Who has signed in with which account of the school's provider; deleted where an address went to somebody else."""

    list_display = ("user", "issuer", "subject", "created_at")
    list_select_related = ("user",)
    search_fields = ("user__email", "user__name_folded__contains", "subject")
    search_help_text = "Person, or the provider's subject"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: SchoolAccount | None = None) -> bool:
        return False
