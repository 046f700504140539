#!/bin/sh
# Creates the virtual environment, and installs an extra of pyproject.toml and the system packages that it needs.
#   scripts/setup.sh run|onnx|dev|demo|model      PYTHON=python3 VENV=.venv
set -eu
extra=$1
python=${PYTHON:-python3}
venv=${VENV:-.venv}
PATH=$PATH:/usr/sbin:/usr/local/sbin:/opt/homebrew/sbin

# The longest times in minutes: of system packages (380 MB for the tests), and of Python packages.
case $extra in
  run) purpose="make run" system_minutes=2 python_minutes=2 ;;
  onnx) purpose="ONNX models" system_minutes=2 python_minutes=2 ;;
  dev) purpose="the tests" system_minutes=8 python_minutes=4 ;;
  *) purpose="make $extra" system_minutes=2 python_minutes=10 ;;
esac

log() { echo "setup: $*" >&2; }
has() { command -v "$1" >/dev/null 2>&1; }
has_plugins() { for one in jpegenc libcamerasrc python; do gst-inspect-1.0 $one >/dev/null 2>&1 || return 1; done; }
has_browser() { has chromium || has chromium-browser || has google-chrome || has google-chrome-stable; }

# Runs apt-get as root. Waits while another apt-get holds the lock, such as an automatic update.
apt() {
  tries=0
  until problem=$($root env LC_ALL=C DEBIAN_FRONTEND=noninteractive DEBCONF_NOWARNINGS=yes apt-get -qq "$@" 2>&1 >/dev/null); do
    case $problem in *"Could not get lock"*) ;; *) echo "$problem" >&2; exit 1 ;; esac
    [ "$tries" != 0 ] || log "another apt-get is running: waiting for it, up to 5 minutes"
    [ "$tries" != 60 ] || { echo "$problem" >&2; exit 1; }
    tries=$((tries + 1))
    sleep 5
  done
}

has "$python" || { log "$python is missing: install Python 3.10 or newer"; exit 1; }
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' ||
  { log "$python is $("$python" -V 2>&1), Python 3.10 or newer is needed: make ... PYTHON=python3.11"; exit 1; }

packages=
has mosquitto || packages="$packages mosquitto"
has mosquitto_sub || packages="$packages mosquitto-clients"
"$python" -c 'import ensurepip, venv' 2>/dev/null || packages="$packages python3-venv"
"$python" -c 'import zoneinfo; zoneinfo.ZoneInfo("UTC")' 2>/dev/null || packages="$packages tzdata" # a container of Ubuntu has none

# The tests also run the broker's scripts in Alpine's shell (busybox), the page's logic in Node.js, and the page in a browser.
# Playwright drives the browser; its own Node.js needs libatomic. apt-get has Chromium only on Debian: Ubuntu's is a snap.
# GStreamer is an RTSP server for the tests, with H.264 and TLS. npm installs AsyncAPI's parser.
if [ "$extra" = dev ]; then has node || packages="$packages nodejs"; fi
if [ "$extra" = dev ]; then has npm || packages="$packages npm"; fi
if [ "$extra" = dev ] && has apt-get; then
  has busybox || packages="$packages busybox"
  ldconfig -p | grep -q 'libatomic\.so\.1' || packages="$packages libatomic1"
  has shellcheck || packages="$packages shellcheck"
  ldconfig -p | grep -q 'libgstrtspserver-1\.0' || packages="$packages gir1.2-gst-rtsp-server-1.0 glib-networking gstreamer1.0-plugins-ugly python3-gi"
fi
if [ "$extra" = dev ] && ! has_browser && grep -qs '^ID=debian' /etc/os-release; then packages="$packages chromium"; fi

# The tests compile a stand-in for the driver of a USB camera, and load one for the Raspberry Pi's camera into GStreamer.
if [ "$extra" = dev ] && has apt-get; then
  has cc || packages="$packages gcc libc6-dev"
  has_plugins ||
    packages="$packages gstreamer1.0-tools gstreamer1.0-plugins-good gstreamer1.0-libcamera gstreamer1.0-python3-plugin-loader"
fi

if [ -n "$packages" ]; then
  has apt-get || { log "install these with your package manager:$packages (macOS: brew install mosquitto)"; exit 1; }
  root=
  if [ "$(id -u)" != 0 ]; then
    has sudo || { log "sudo is missing; run as root: apt-get install$packages"; exit 1; }
    root=sudo
  fi
  log "installing system packages, up to $system_minutes minutes:$packages${root:+; sudo may ask for your password}"
  apt update
  # shellcheck disable=SC2086  # several words
  apt install -y --no-install-recommends $packages
  case $packages in *" mosquitto"*)
    # Debian's package starts a broker at once, on the port that `make run` uses.
    if [ -d /run/systemd/system ]; then $root systemctl disable --now mosquitto || true; fi
  esac
fi

if ! [ -x "$venv/bin/pip" ]; then
  log "creating the virtual environment $venv"
  "$python" -m venv "$venv" ||
    { log "$python cannot create a virtual environment: install its venv package (python3-venv)"; exit 1; }
fi

log "installing Python packages for $purpose into $venv, up to $python_minutes minutes; the large ones:"
# paho-mqtt has no wheel: with --use-pep517 every version of pip can build one.
{ "$venv/bin/pip" install --progress-bar off --disable-pip-version-check --use-pep517 -c constraints.txt -e ".[$extra]" || echo failed; } |
  while read -r word file size; do
    case "$word $file $size" in
      "Downloading "*MB?) file=${file##*/} && log "  ${file%-*-*-*.whl} $size" ;;
      "Installing collected "*) log "  all are downloaded; unpacking" ;;
      failed*) exit 1 ;;
    esac
  done
# Prometheus and promtool for the tests. They are only unpacked: Debian's package starts a server on all addresses at once.
if [ "$extra" = dev ] && has apt-get && ! has promtool && ! [ -x "$venv/prometheus/usr/bin/promtool" ]; then
  mkdir -p "$venv/prometheus"
  { (cd "$venv/prometheus" && apt-get -qq -o APT::Sandbox::User=root download prometheus) && dpkg-deb -x "$venv"/prometheus/prometheus_*.deb "$venv/prometheus"; } ||
    log "no Prometheus: the tests with promtool are skipped"
fi
if [ "$extra" = dev ] && ! has_browser; then
  "$venv/bin/playwright" install chromium || log "no browser: the tests in a browser are skipped; install Chromium or Chrome"
fi
if [ "$extra" = dev ]; then
  npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$venv/asyncapi" @asyncapi/parser@3.6.6 ||
    log "npm cannot install AsyncAPI's parser: the tests of docs/asyncapi.json are skipped"
fi
log "done"
