#!/usr/bin/env bash
# django-mongodb-backend 5.2.4 with Django 5.2.19 and pymongo 4.20.0, on secantusdb 0.7.0b3 (a server of MongoDB's
# protocol); Python 3.11; seen on 2026-11-29.
#
# A text is a text, one would expect, as it is in plain filters and updates here. In two places the backend sends it where
# MongoDB expects an expression, in which a text that begins with a dollar sign names a field. (1) A migration adds a field
# with such a default: the rows that are there get the value of another field, or nothing where there is no such field; new
# rows get the text. (2) A condition within an expression (`Count(filter=…)`, `When`) compares with such a field, so that
# nothing is counted. Neither says a word. What is sent is shown as well, since the server is not MongoDB's own.
#
# Needs: python3 with venv.
set -euo pipefail
folder=$(mktemp -d)
trap 'kill "$server" 2> /dev/null || true; rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  django==5.2.19 django-mongodb-backend==5.2.4 pymongo==4.20.0 secantusdb==0.7.0b3
port=$(python3 -c "import socket; s = socket.socket(); s.bind(('127.0.0.1', 0)); print(s.getsockname()[1])")
"$folder/venv/bin/python" -m secantus --host 127.0.0.1 --port "$port" --storage-path "$folder/data" > "$folder/log" 2>&1 &
server=$!
for _ in $(seq 200); do grep -q "listening on" "$folder/log" && break || sleep 0.1; done

cat > "$folder/seen" << 'END'
mongodb, default 'EUR': rows from before 'EUR', new ones 'EUR'; sent [{"$set": {"currency": "EUR"}}]; of 2 with 'EUR': filter 2, count 2, case 2
sqlite, default 'EUR': rows from before 'EUR', new ones 'EUR'; of 2 with 'EUR': filter 2, count 2, case 2
mongodb, default '$place': rows from before 'Sydney', new ones '$place'; sent [{"$set": {"currency": "$place"}}]; of 2 with '$place': filter 2, count 0, case 0
sqlite, default '$place': rows from before '$place', new ones '$place'; of 2 with '$place': filter 2, count 2, case 2
mongodb, default '$AUD': rows from before None, new ones '$AUD'; sent [{"$set": {"currency": "$AUD"}}]; of 2 with '$AUD': filter 2, count 0, case 0
sqlite, default '$AUD': rows from before '$AUD', new ones '$AUD'; of 2 with '$AUD': filter 2, count 2, case 2
END

cat > "$folder/look.py" << 'END'
import json
import sys

from django.conf import settings
from pymongo.monitoring import CommandListener

SENT = []


class Listener(CommandListener):
    def started(self, event):
        if event.command_name == "update":
            SENT.append(json.dumps(event.command["updates"][0]["u"]))

    def succeeded(self, event):
        pass

    failed = succeeded


MONGODB = {
    "ENGINE": "django_mongodb_backend",
    "HOST": f"mongodb://127.0.0.1:{sys.argv[1]}/?replicaSet=secantus",
    "NAME": "finding",
    "OPTIONS": {"event_listeners": [Listener()]},
}
SQLITE = {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}
settings.configure(DATABASES={"default": {}, "mongodb": MONGODB, "sqlite": SQLITE}, USE_TZ=True)

import django

django.setup()
from django.db import connections, models
from django.db.models import Case, Count, Q, When


def look(alias, number, default):
    fields = {"place": models.CharField(max_length=9, primary_key=True), "__module__": __name__}
    meta = type("Meta", (), {"app_label": f"finding{number}", "db_table": f"room{number}"})
    before = type("Before", (models.Model,), {**fields, "Meta": meta})
    currency = models.CharField(max_length=9, default=default)
    after = type("After", (models.Model,), {**fields, "currency": currency, "Meta": meta})
    rooms = after.objects.using(alias)

    with connections[alias].schema_editor() as editor:
        editor.create_model(before)
    before.objects.using(alias).create(place="Sydney")
    SENT.clear()
    with connections[alias].schema_editor() as editor:
        editor.add_field(before, after._meta.get_field("currency"))
    sent = [f"sent {text}" for text in SENT]
    rooms.create(place="Perth")
    of = dict(rooms.values_list("place", "currency"))
    rooms.update(currency=default)
    condition = Q(currency=default)
    found = (
        f"filter {rooms.filter(condition).count()}",
        f"count {rooms.aggregate(number=Count('pk', filter=condition))['number']}",
        f"case {rooms.annotate(number=Case(When(condition, then=1), default=0)).filter(number=1).count()}",
    )
    told = [f"rows from before {of['Sydney']!r}, new ones {of['Perth']!r}", *sent, f"of 2 with {default!r}: {', '.join(found)}"]
    print(f"{alias}, default {default!r}: {'; '.join(told)}")


for number, default in enumerate(("EUR", "$place", "$AUD")):
    look("mongodb", f"{number}m", default)
    look("sqlite", f"{number}s", default)
END

"$folder/venv/bin/python" "$folder/look.py" "$port" > "$folder/found"
cat "$folder/found"
diff "$folder/seen" "$folder/found" > "$folder/changes" || { echo "CHANGED:"; cat "$folder/changes"; exit 1; }
