"""The admin's pages of people, and what all pages of this project's admin have in common."""

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from django import forms
from django.contrib import admin
from django.contrib.auth import admin as auth_admin
from django.contrib.auth import forms as auth_forms
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse

from accounts.models import StudentProfile, TeacherProfile, User, email_key
from accounts.passwords import hash_password
from core.database.unit_of_work import unit_of_work
from core.identity import Role

M = TypeVar("M", bound=Model)

if TYPE_CHECKING:
    _ChangeForm = auth_forms.UserChangeForm[User]
    _CreationForm = auth_forms.AdminUserCreationForm[User]
    _UserAdmin = auth_admin.UserAdmin[User]
    _UserForm = forms.ModelForm[User]
    _StudentInline = admin.StackedInline[StudentProfile, User]
    _TeacherInline = admin.StackedInline[TeacherProfile, User]
else:
    _ChangeForm = auth_forms.UserChangeForm
    _CreationForm = auth_forms.AdminUserCreationForm
    _UserAdmin = auth_admin.UserAdmin
    _UserForm = object
    _StudentInline = _TeacherInline = admin.StackedInline

#: The hash of the new account's password, for the running request.
_hashed: ContextVar[str | None] = ContextVar("hashed", default=None)


class WritablePage:
    """Mixin: all that a page writes is one unit of work."""

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> tuple[Any, Any, Any, Any]:
        found, counts, lacking, protected = super().get_deleted_objects(objs, request)  # type: ignore[misc]
        # Nobody may delete marks. An object that marks protect is refused for that, and not for a missing permission.
        return found, counts, set() if protected else lacking, protected

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        view = super().changeform_view  # type: ignore[misc]
        done: HttpResponse = (unit_of_work(view) if request.method == "POST" else view)(request, *args, **kwargs)
        return done

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        view = super().delete_view  # type: ignore[misc]
        done: HttpResponse = (unit_of_work(view) if request.method == "POST" else view)(request, *args, **kwargs)
        return done

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        unit_of_work(super().delete_queryset)(request, queryset)  # type: ignore[misc]


class EmailForm(_UserForm):
    """Mixin: refuses an e-mail that another account has, in any letter case."""

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"]
        if User.objects.filter(email_key=email_key(email)).exclude(pk=self.instance.pk).exists():
            raise ValidationError("Somebody has this e-mail already; letter case does not make another one.")
        return email


class AddForm(EmailForm, _CreationForm):
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


class ChangeForm(EmailForm, _ChangeForm):
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


class StudentProfileInline(_StudentInline):
    model = StudentProfile


class TeacherProfileInline(_TeacherInline):
    model = TeacherProfile


@admin.register(User)
class UserAdmin(WritablePage, _UserAdmin):
    """People. Only a superuser can change a superuser's account or make another superuser."""

    form = ChangeForm
    add_form = AddForm
    list_display = ("name", "email", "role", "roll_number", "is_active", "is_staff", "created_at")
    list_filter = ("role", "is_active", "is_staff")
    search_fields = ("name", "email", "roll_number")
    search_help_text = "Name, e-mail or roll number"
    ordering = ("name", "id")
    readonly_fields = ("id", "email_verified_at", "last_login", "created_at", "updated_at")
    filter_horizontal = ("groups", "user_permissions")
    fieldsets = (
        (None, {"fields": ("name", "email", "password")}),
        ("School", {"fields": ("role", "roll_number")}),
        ("Access", {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")}),
        ("Record", {"fields": ("id", "email_verified_at", "last_login", "created_at", "updated_at")}),
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

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_change_permission(request, obj) and _may_touch(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_delete_permission(request, obj) and _may_touch(request, obj)


def _may_touch(request: HttpRequest, user: User | None) -> bool:
    return bool(user is None or request.user.is_superuser or not user.is_superuser)
