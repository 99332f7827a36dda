#!/bin/sh
# What the tests need beyond Python, Chromium and npm: what cannot be found is installed by apt when root.
# Tests whose part cannot be had are reported as not run.
have() { command -v "$1" >/dev/null 2>&1; }
missing=""
[ -n "$CHROMIUM_PATH" ] || have chromium || have chromium-browser || have google-chrome || missing="chromium"
have npm || missing="$missing nodejs npm"
have initdb || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 ||
	{ have pg_config && [ -x "$(pg_config --bindir)/initdb" ]; } || missing="$missing postgresql"
[ -n "$missing" ] && [ "$(id -u)" = 0 ] && have apt-get || exit 0
echo "installing$(printf ' %s' $missing) for the tests" >&2
apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $missing >/dev/null || true
