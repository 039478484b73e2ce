#!/bin/sh
# The programs of other people that the tests open our door with (QGIS, GDAL), or that the benchmark needs (wrk, PostGIS):
# names the line that brings what is missing (APT=yes runs it). Tests whose program is not there are skipped, and say so.
#   sh scripts/clients.sh            for make test-all
#   sh scripts/clients.sh bench      for make bench-api
set -eu

missing=""
needs() { # Debian package, then a command that fails without it
  package=$1
  shift
  "$@" >/dev/null 2>&1 || missing="$missing $package"
}
postgis() { ls /usr/share/postgresql/*/extension/postgis.control; }

look() {
  missing=""
  if [ "${1:-}" = bench ]; then
    needs wrk command -v wrk
    needs "postgresql postgis postgresql-postgis" postgis
  else
    needs "gdal-bin" command -v ogrinfo
    needs "python3-qgis qgis-providers" /usr/bin/python3 -c "import qgis.core"
  fi
}

look "$@"
if [ -n "$missing" ] && [ "${APT:-}" = yes ] && command -v apt-get >/dev/null 2>&1; then
  sudo=""
  [ "$(id -u)" = 0 ] || sudo="sudo"
  export DEBIAN_FRONTEND=noninteractive
  $sudo apt-get update -q </dev/null >&2
  # shellcheck disable=SC2086  # a list of packages
  $sudo apt-get install -y -q --no-install-recommends $missing </dev/null >&2 || true
  look "$@"
fi
if [ -n "$missing" ]; then
  if command -v apt-get >/dev/null 2>&1; then
    echo "clients: not here:$missing; bring them with: sudo apt-get install -y$missing (or make APT=yes …)" >&2
  else
    echo "clients: not here (names in Debian):$missing" >&2
  fi
fi
