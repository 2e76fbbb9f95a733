"""Names that are found without regard to letter case and accents, in every alphabet, on every database.

The databases fold differently: SQLite knows ASCII's letter case alone, and PostgreSQL no accents. So each row keeps its
name a second time, folded here, and a search folds what it looks for.
"""

import unicodedata
from collections.abc import Iterable
from typing import Any, TypeVar

from django.db import migrations, models
from django.db.models import lookups

from core.database.batches import batches

M = TypeVar("M", bound=models.Model)


def fold(text: str) -> str:
    """`text` without letter case and accents, for comparing. Both forms of a letter with an accent fold alike."""
    if text.isascii():
        return text.lower()
    parts = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return "".join(part for part in parts if not unicodedata.combining(part))


class FoldedName(models.TextField):  # type: ignore[type-arg]
    """The column of the folded name. What a query looks for in it with `contains` is folded, too."""

    def pre_save(self, model_instance: Any, add: bool) -> str:
        model_instance.name_folded = fold(model_instance.name)
        return str(model_instance.name_folded)


@FoldedName.register_lookup
class _Contains(lookups.Contains):
    def get_prep_lookup(self) -> str:
        return fold(str(super().get_prep_lookup()))


class NamedQuerySet(models.QuerySet[M]):
    """Writes the folded name with the name."""

    def update(self, **fields: Any) -> int:
        folded = {"name_folded": fold(fields["name"])} if "name" in fields else {}
        return super().update(**fields, **folded)


class Named(models.Model):
    """A row whose `name` is searched for: `filter(name_folded__contains=text)`."""

    name_folded = FoldedName(editable=False, default="")

    class Meta:
        abstract = True

    def save(self, *, update_fields: Iterable[str] | None = None, **options: Any) -> None:
        if update_fields is not None and "name" in update_fields:
            update_fields = {*update_fields, "name_folded"}
        super().save(update_fields=update_fields, **options)


def fill_folded_names(app: str, model: str) -> migrations.RunPython:
    """The step of a migration that folds the names that stand."""

    def fill(apps: Any, schema_editor: Any) -> None:
        rows = apps.get_model(app, model).objects.using(schema_editor.connection.alias)
        names = dict(rows.order_by("id").values_list("id", "name"))
        for some in batches(list(names)):
            found = list(rows.filter(pk__in=some))
            for row in found:
                row.name_folded = fold(row.name)
            rows.bulk_update(found, ["name_folded"], batch_size=100)

    return migrations.RunPython(fill, migrations.RunPython.noop)
