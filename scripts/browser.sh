#!/bin/sh
# Finds a Chromium for the browser tests, or names the one line that brings it (APT=yes runs it).
#   sh scripts/browser.sh --path     prints where it is
set -eu

find_browser() {
  for candidate in "${CHROMIUM:-}" chromium chromium-browser google-chrome google-chrome-stable \
    "/Applications/Chromium.app/Contents/MacOS/Chromium" \
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"; do
    [ -n "$candidate" ] || continue
    if command -v "$candidate" >/dev/null 2>&1; then
      command -v "$candidate"
      return
    fi
  done
}

path=$(find_browser)
if [ -z "$path" ] && [ "${APT:-}" = yes ] && command -v apt-get >/dev/null 2>&1; then
  sudo=""
  [ "$(id -u)" = 0 ] || sudo="sudo"
  export DEBIAN_FRONTEND=noninteractive
  $sudo apt-get update -q </dev/null >&2
  # The fonts: without them Hangul is drawn as boxes and every screenshot lies.
  $sudo apt-get install -y -q --no-install-recommends chromium fonts-noto-cjk </dev/null >&2
  path=$(find_browser)
fi
if [ -z "$path" ]; then
  if command -v apt-get >/dev/null 2>&1; then
    echo "browser: Chromium is missing; bring it with: sudo apt-get install -y chromium fonts-noto-cjk (or make APT=yes test-all)" >&2
  else
    echo "browser: Chromium is missing; bring it with: brew install --cask chromium" >&2
  fi
  exit 3
fi
[ "${1:-}" != --path ] || echo "$path"
