#!/bin/sh
# Makes the virtual environment with the extra named, and installs what the system lacks for it.
#   scripts/setup.sh run|dev|demo|model      PYTHON=python3 VENV=.venv
set -eu
extra=$1
python=${PYTHON:-python3}
venv=${VENV:-.venv}
PATH=$PATH:/usr/sbin:/usr/local/sbin:/opt/homebrew/sbin

say() { echo "setup: $*" >&2; }
has() { command -v "$1" >/dev/null 2>&1; }
has_browser() { has chromium || has chromium-browser || has google-chrome || has google-chrome-stable; }

has "$python" || { say "$python is missing: install Python 3.10 or newer"; exit 1; }
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' ||
  { say "$python is $("$python" -V 2>&1), Python 3.10 or newer is needed: make ... PYTHON=python3.11"; exit 1; }

packages=
has mosquitto || packages="$packages mosquitto"
has mosquitto_sub || packages="$packages mosquitto-clients"
"$python" -c 'import ensurepip, venv' 2>/dev/null || packages="$packages python3-venv"

# The tests try the broker's scripts in Alpine's shell too. They open the dashboard in a browser; of those only Debian's package can
# be had from apt-get: Ubuntu's is a snap.
if [ "$extra" = dev ] && has apt-get; then
  has busybox || packages="$packages busybox"
  has shellcheck || packages="$packages shellcheck"
fi
if [ "$extra" = dev ] && ! has_browser && grep -qs '^ID=debian' /etc/os-release; then packages="$packages chromium"; fi

if [ -n "$packages" ]; then
  has apt-get || { say "install these with your package manager:$packages (macOS: brew install mosquitto)"; exit 1; }
  root=
  if [ "$(id -u)" != 0 ]; then
    has sudo || { say "as root, please: apt-get install$packages"; exit 1; }
    root=sudo
  fi
  say "installing$packages${root:+; sudo may ask for your password}"
  $root apt-get update -qq
  # shellcheck disable=SC2086  # several words
  $root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages >/dev/null
  case $packages in *" mosquitto"*)
    # Debian starts a broker of its own at once, on the port that this one is to have.
    if [ -d /run/systemd/system ]; then $root systemctl disable --now mosquitto || true; fi
  esac
fi

if ! [ -x "$venv/bin/pip" ]; then
  "$python" -m venv "$venv" ||
    { say "$python cannot make a virtual environment: install its venv package (python3-venv)"; exit 1; }
fi
"$venv/bin/pip" install -q --disable-pip-version-check -c constraints.txt -e ".[$extra]"
if [ "$extra" = dev ] && ! has_browser; then
  "$venv/bin/playwright" install chromium || say "no browser: the dashboard's tests skip; install Chromium or Chrome"
fi
