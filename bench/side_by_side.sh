#!/usr/bin/env bash
# This server and the yardstick (a Node server without a database) on the same load, in turn:
#   bench/side_by_side.sh YARDSTICK [options of compare.py, such as --sockets 1000 --runs 3]
# YARDSTICK is the folder that holds compare.py and peer-node/. Each run has a fresh database; needs cc, node, npm.
set -euo pipefail
cd "$(dirname "$0")/.."
yardstick=$(cd "$1" && pwd)
shift

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$yardstick/peer-node/package.json" "$yardstick/peer-node/server.js" "$work"
npm install --silent --no-audit --no-fund --prefix "$work"

ours="cd '$PWD' && DATA_DIR=\$(mktemp -d -p '$work') exec .venv/bin/python manage.py serve --setup"
python3 "$yardstick/compare.py" "$@" "$ours" "exec node '$work/server.js'"
