#!/bin/sh
# Writes the locks anew: exact versions and hashes for Python 3.11 to 3.13 on every system, without the address of any index.
set -eu
uv=.venv/bin/uv
[ -x "$uv" ] || { echo "lock: uv is not in .venv; run make setup first" >&2; exit 3; }
# A private mirror must not leak into the repository: its settings are left out.
unset UV_INDEX_URL UV_EXTRA_INDEX_URL UV_DEFAULT_INDEX UV_INDEX UV_FIND_LINKS
compile() {
  "$uv" pip compile --quiet --upgrade --universal --generate-hashes --no-emit-index-url --python-version 3.11 \
    --custom-compile-command "make lock" "$@"
}
compile requirements/uv.in -o requirements/uv.txt
compile requirements/node.in -o requirements/node.txt
compile requirements/build.in -o requirements/build.txt
compile pyproject.toml -o requirements/run.txt
compile --group dev pyproject.toml -c requirements/run.txt -o requirements/dev.txt
