"""One person, one key: no door makes a second account that looks like the first, and every door finds the first."""

import io

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader

from accounts import invitations, registration, services
from accounts.models import Origin, User
from accounts.registration import Newcomer
from accounts.selectors import account_by_login, account_find
from core import errors
from core.identity import Role
from core.ids import new_id
from tests.support.database import Databases

pytestmark = pytest.mark.django_db(transaction=True)

ANN = "ann@school.example"
#: Addresses that are Ann's, and that every client can send.
SPELLINGS = ["ANN@School.example", "ann@school.example\u200b", "ann@sch\u00adool.example", "ann@ｓｃｈｏｏｌ.example"]
#: Accounts from before there were keys: `email_key` was the address in lower case.
BEFORE = [("accounts", "0010_sealed_second_factors")]


@pytest.fixture
def ann() -> User:
    return services.user_add(name="Ann", email=ANN, password="secret1", role=Role.STUDENT)


@pytest.mark.parametrize("email", SPELLINGS)
def test_nobody_signs_up_with_another_spelling(ann: User, email: str) -> None:
    with pytest.raises(errors.EmailTaken):
        services.user_signup(name="Ann", email=email, password="secret2", role=Role.STUDENT)
    with pytest.raises(errors.EmailTaken):
        invitations.invitation_mail(role=Role.STUDENT, email=email)
    with pytest.raises(errors.EmailTaken):
        registration.teacher_add(Newcomer(email, "Ann", ""))
    assert User.objects.count() == 1


@pytest.mark.parametrize("email", SPELLINGS)
def test_who_types_another_spelling_is_found(ann: User, email: str) -> None:
    assert services.user_login(email=email, password="secret1")
    assert account_find(role=Role.STUDENT, email=email) == ann
    assert User.objects.get_by_natural_key(email) == ann


def test_no_account_is_made_for_an_address_whose_key_is_another_mailbox() -> None:
    for email in ("\u017fam@school.example", "sam@" + "㎢" * 60 + "." + "㎢" * 30 + ".example"):
        with pytest.raises(errors.InvalidSchema):
            services.user_signup(name="Sam", email=email, password="secret1", role=Role.STUDENT)
        with pytest.raises(errors.InvalidSchema):
            invitations.invitation_accept(secret="x", name="Sam", email=email, password="secret1")
    assert not User.objects.exists()


def test_what_was_typed_is_kept() -> None:
    services.user_signup(name="Ann", email="Ann@ｓｃｈｏｏｌ.example", password="secret1", role=Role.STUDENT)
    assert User.objects.values_list("email", "email_key").get() == ("Ann@ｓｃｈｏｏｌ.example", ANN)


def test_a_roll_number_is_one_in_all_its_spellings(ann: User) -> None:
    ann.roll_number = "CS-É1"
    ann.save()
    for spelled in ("CS-É1", "cs-é1", " cs-e\u03011 "):
        assert account_find(role=Role.STUDENT, roll_number=spelled) == ann
        assert account_by_login(spelled) == ann
    assert User.objects.values_list("roll_number", flat=True).get() == "CS-É1"


def test_a_write_of_many_rows_writes_their_keys() -> None:
    people = [User(name=name, email=f"{name}@School.example", roll_number=name.upper(), password="!") for name in "ab"]
    User.objects.bulk_create(people)
    assert set(User.objects.values_list("email_key", "roll_number_key")) == {
        ("a@school.example", "a"),
        ("b@school.example", "b"),
    }
    User.objects.filter(name="a").update(email="C@School.example", roll_number=None)
    assert User.objects.values_list("email_key", "roll_number_key").get(name="a") == ("c@school.example", None)


def old_accounts(rows: list[tuple[str, str, str | None]]) -> list[str]:
    """Makes accounts (name, e-mail, roll number) as they were before there were keys. Returns their ids."""
    MigrationExecutor(connection).migrate(BEFORE)
    old = MigrationLoader(connection).project_state(BEFORE).apps.get_model("accounts", "User")
    made = [
        old(
            id=new_id(),
            name=name,
            email=email,
            email_key=email.lower(),
            roll_number=roll_number,
            password="!",
            role=Role.STUDENT,
            origin=Origin.SCHOOL,
        )
        for name, email, roll_number in rows
    ]
    old._default_manager.bulk_create(made)
    return [row.pk for row in made]


def found_doubles() -> list[str]:
    out = io.StringIO()
    call_command("find_doubles", stdout=out)
    return out.getvalue().splitlines()


def test_the_migration_names_the_doubles_of_before_and_stops_nobody(
    databases: Databases, capsys: pytest.CaptureFixture[str]
) -> None:
    def upgrade() -> None:
        ids = old_accounts(
            [
                ("Odd", "ann@school.example\u200b", "CS-1"),
                ("Ann", "Ann@School.example", "cs-1"),
                ("Wide", "ben@ｓｃｈｏｏｌ.example", "7 "),
                ("Alone", "cleo@ｓｃｈｏｏｌ.example", None),
                ("Ben", "BEN@school.example\u200b", None),
            ]
        )
        capsys.readouterr()
        executor = MigrationExecutor(connection)
        executor.migrate(executor.loader.graph.leaf_nodes())
        said = capsys.readouterr().out
        odd, ann, wide, alone, ben = ids
        assert f"double email: account {odd} ('ann@school.example\\u200b') and account {ann}" in said
        assert f"double email: account {ben} ('BEN@school.example\\u200b') and account {wide}" in said
        assert f"double roll_number: account {odd} ('CS-1') and account {ann}" in said
        assert said.count("double") == 3
        # Each is found by its own spelling, and whoever has the key by every other one.
        by_email = {
            email: getattr(User.objects.by_email(email), "id", None)
            for email in ("ANN@school.example\u200b", ANN, "ann@school.example\u200d", "cleo@school.example")
        }
        assert list(by_email.values()) == [odd, ann, ann, alone]
        assert [getattr(User.objects.by_roll_number(one), "id", None) for one in ("CS-1", "cs-1", "Cs-1", "7")] == [
            odd, ann, ann, wide,
        ]  # fmt: skip
        listed = found_doubles()
        assert listed[-1] == "3 doubles."
        assert any("ann@school.example<U+200B>" in line for line in listed)

        # Saving a double changes no key while there are two, and heals the other once one is gone.
        User.objects.get(pk=odd).save()
        assert User.objects.get(pk=odd).email_key == "ann@school.example\u200b"
        User.objects.filter(pk=ann).delete()
        User.objects.get(pk=odd).save()
        healed = User.objects.get(pk=odd)
        assert (healed.email, healed.email_key, healed.roll_number_key) == ("ann@school.example\u200b", ANN, "cs-1")
        User.objects.filter(pk=ben).delete()
        assert found_doubles() == ["There are no doubles."]

    databases.fresh().ask(upgrade)
