#!/usr/bin/env bash
# django-mongodb-backend 5.2.4 with Django 5.2.19 and pymongo 4.20.0, on secantusdb 0.7.0b3 (a server of MongoDB's
# protocol); Python 3.11; seen on 2026-11-29.
#
# `iexact` asks for a text whatever its case, as `icontains` does for a part of one. On MongoDB both become regular
# expressions. The backend escapes the text of `contains`, `startswith`, `endswith` and their twins; that of `iexact` it
# does not. So an address with a plus sign does not find itself, and one with a dot finds its neighbours as well.
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
mongodb, ann+maths@example.com: exact 1, iexact 0 [], icontains 1, istartswith 1, iendswith 1
sqlite, ann+maths@example.com: exact 1, iexact 1 ['ann+maths@example.com'], icontains 1, istartswith 1, iendswith 1
mongodb, a.b@example.com: exact 1, iexact 2 ['a-b@example.com', 'a.b@example.com'], icontains 1, istartswith 1, iendswith 1
sqlite, a.b@example.com: exact 1, iexact 1 ['a.b@example.com'], icontains 1, istartswith 1, iendswith 1
mongodb, Kim (10a): exact 1, iexact 0 [], icontains 1, istartswith 1, iendswith 1
sqlite, Kim (10a): exact 1, iexact 1 ['Kim (10a)'], icontains 1, istartswith 1, iendswith 1
END

cat > "$folder/look.py" << 'END'
import sys

from django.conf import settings

MONGODB = {
    "ENGINE": "django_mongodb_backend",
    "HOST": f"mongodb://127.0.0.1:{sys.argv[1]}/?replicaSet=secantus",
    "NAME": "finding",
}
SQLITE = {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}
settings.configure(DATABASES={"default": {}, "mongodb": MONGODB, "sqlite": SQLITE}, USE_TZ=True)

import django

django.setup()
from django.db import connections, models


class Person(models.Model):
    email = models.CharField(max_length=40, primary_key=True)

    class Meta:
        app_label = "finding"


for alias in ("mongodb", "sqlite"):
    with connections[alias].schema_editor() as editor:
        editor.create_model(Person)
    for email in ("ann+maths@example.com", "a.b@example.com", "a-b@example.com", "Kim (10a)"):
        Person.objects.using(alias).create(email=email)
for text in ("ann+maths@example.com", "a.b@example.com", "Kim (10a)"):
    for alias in ("mongodb", "sqlite"):
        told = []
        for lookup in ("exact", "iexact", "icontains", "istartswith", "iendswith"):
            found = list(Person.objects.using(alias).filter(**{f"email__{lookup}": text}).order_by("email"))
            told.append(f"{lookup} {len(found)}")
            if lookup == "iexact":
                told[-1] += f" {[person.email for person in found]}"
        print(f"{alias}, {text}: {', '.join(told)}")
END

"$folder/venv/bin/python" "$folder/look.py" "$port" > "$folder/found"
cat "$folder/found"
diff "$folder/seen" "$folder/found" > "$folder/changes" || { echo "CHANGED:"; cat "$folder/changes"; exit 1; }
