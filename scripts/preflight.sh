#!/bin/sh
# Names what this machine lacks, one line each with the line that brings it (APT=yes runs that line where apt is),
# then runs the arguments with the Python that was found:  sh scripts/preflight.sh scripts/demo.py
# Plain POSIX sh, so that it works before anything is installed, on Debian, Ubuntu and macOS.
set -eu

missing=""
bring() { # what, Debian package, Homebrew formula
  if command -v apt-get >/dev/null 2>&1; then
    echo "preflight: $1 is missing; bring it with: sudo apt-get install -y $2" >&2
  elif command -v brew >/dev/null 2>&1 || [ "$(uname -s)" = Darwin ]; then
    echo "preflight: $1 is missing; bring it with: brew install $3" >&2
  else
    echo "preflight: $1 is missing; install it with your system's packages ($2 in Debian)" >&2
  fi
  missing="$missing $2"
}

find_python() {
  for candidate in "${PYTHON:-}" python3 python3.13 python3.12 python3.11 .venv/bin/python; do
    [ -n "$candidate" ] || continue
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
      echo "$candidate"
      return
    fi
  done
}

look() {
  missing=""
  python=$(find_python)
  if [ -z "$python" ]; then
    bring "Python 3.11 or newer" "python3 python3-venv" "python@3.13"
  elif ! "$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then
    bring "Python's venv" "python3-venv" "python@3.13"
  fi
  command -v make >/dev/null 2>&1 || bring "make" "make" "make"
}

look
if [ -n "$missing" ] && [ "${APT:-}" = yes ] && command -v apt-get >/dev/null 2>&1; then
  sudo=""
  [ "$(id -u)" = 0 ] || sudo="sudo"
  export DEBIAN_FRONTEND=noninteractive
  $sudo apt-get update -q </dev/null
  # shellcheck disable=SC2086  # a list of packages
  $sudo apt-get install -y -q $missing </dev/null
  look
fi
if [ -n "$missing" ]; then
  command -v apt-get >/dev/null 2>&1 && echo "preflight: or let it be done: make APT=yes" >&2
  exit 3
fi
[ $# -eq 0 ] || exec "$python" "$@"
