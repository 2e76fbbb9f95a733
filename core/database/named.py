"""Names that are found and sorted without regard to letter case and accents, in every alphabet, on every database.

The databases fold differently: SQLite knows ASCII's letter case alone, and PostgreSQL no accents. So each row keeps its
name a second time, folded (`core.names`), and a search folds what it looks for.
"""

from collections.abc import Iterable
from typing import Any, TypeVar

from django.db import migrations, models
from django.db.models import lookups

from core.database.batches import batches
from core.names import fold

M = TypeVar("M", bound=models.Model)


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
    """The step of a migration that folds the names that stand, or folds them anew where `fold` has changed."""

    def fill(apps: Any, schema_editor: Any) -> None:
        rows = apps.get_model(app, model).objects.using(schema_editor.connection.alias)
        names = rows.order_by("id").values_list("id", "name", "name_folded")
        for some in batches([key for key, name, folded in names if fold(name) != folded]):
            found = list(rows.filter(pk__in=some))
            for row in found:
                row.name_folded = fold(row.name)
            rows.bulk_update(found, ["name_folded"], batch_size=100)

    return migrations.RunPython(fill, migrations.RunPython.noop)
