"""The first answers to requests with an `Idempotency-Key`.

The table names people by id alone, without a foreign key, which would stay when this folder is deleted.
"""

from django.db import models

from core.ids import ObjectIdField, id_field


class KeptAnswer(models.Model):
    """A person's request of this key, and its answer once there is one (`status`)."""

    id = id_field()
    person_id = ObjectIdField()
    key = models.CharField(max_length=64)
    #: Of what was asked: the method, the path and the body.
    digest = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True)
    body = models.TextField(default="")
    etag = models.CharField(max_length=64, default="")
    #: When the request began.
    began_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("person_id", "key"), name="one_answer_a_key"),)
