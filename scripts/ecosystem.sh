#!/bin/sh
# Installs other projects' programs for make test-ecosystem, where they are missing: scripts/ecosystem.sh, with VENV=.venv PYTHON=python3
# The tests of a program that cannot be installed are skipped.
set -eu
venv=${VENV:-.venv}
PATH=$PATH:/usr/sbin

log() { echo "ecosystem: $*" >&2; }
has() { command -v "$1" >/dev/null 2>&1; }

# Mosquitto of Debian's next release, 2.1 or newer, with the libraries that it needs. Nothing of it is installed into the system:
# the packages are only unpacked, and each program starts with the unpacked C library.
install_mosquitto() {
  log "unpacking a newer Mosquitto into $1, up to a minute"
  mkdir -p "$1/lists/partial" "$1/cache/archives/partial" "$1/bin"
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian forky main" >"$1/sources.list"
  : >"$1/status"
  for action in update "install -y --download-only --no-install-recommends mosquitto mosquitto-clients"; do
    # shellcheck disable=SC2086  # several words
    apt-get -qq -o Dir::Etc::SourceList="$1/sources.list" -o Dir::Etc::SourceParts=- -o Dir::State="$1" -o Dir::State::status="$1/status" \
      -o Dir::Cache="$1/cache" -o Debug::NoLocking=1 $action >/dev/null || return
  done
  for package in "$1"/cache/archives/*.deb; do dpkg-deb -x "$package" "$1" || return; done
  rm -r "$1/cache" "$1/lists"
  loader=$(cd "$1" && find usr/lib* -name 'ld-linux*.so.*' | head -n 1)
  libraries=$(cd "$1" && dirname usr/lib/*/libmosquitto.so.1)
  ldconfig -n "$1/$libraries" || return
  for name in mosquitto_passwd mosquitto_pub mosquitto_sub mosquitto_rr mosquitto; do
    program=$(ls "$1"/usr/*bin/"$name")
    printf '#!/bin/sh\nexec "%s" --argv0 %s --library-path "%s" "%s" "$@"\n' "$1/$loader" "$name" "$1/$libraries" "$program" >"$1/bin/$name"
    chmod +x "$1/bin/$name"
  done
}

# The emulator's window runs in the system's Python, for which Debian has GTK.
install_sense_hat_emulator() {
  log "installing the Sense HAT emulator, up to 2 minutes"
  root=
  if [ "$(id -u)" != 0 ]; then root=sudo; fi
  packages="xvfb python3-gi python3-gi-cairo gir1.2-gtk-3.0 python3-numpy python3-pil"
  # shellcheck disable=SC2086  # several words
  { $root apt-get -qq -o DPkg::Lock::Timeout=300 update && $root env DEBIAN_FRONTEND=noninteractive \
    apt-get -qq -o DPkg::Lock::Timeout=300 install -y --no-install-recommends $packages >/dev/null; } || return
  "$venv/bin/pip" install -q --disable-pip-version-check --no-deps --target "$1" sense-emu==1.2.1
}

# It needs other versions than Footfall, so an environment of its own.
install_iotedgedev() {
  log "installing iotedgedev into $1, up to 3 minutes"
  "${PYTHON:-python3}" -m venv "$1" &&
    "$1/bin/pip" install -q --progress-bar off --disable-pip-version-check -r tests/ecosystem/iotedgedev.txt
}

install_from_npm() {
  log "installing $2 into $1, half a minute"
  npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$1" "$2"
}
install_node_red() { install_from_npm "$1" "node-red@$2"; }
install_azurite() { install_from_npm "$1" "azurite@$2"; }

# A Debian 12 that can boot in systemd-nspawn, for the services of footfall install.
install_machine() {
  [ "$(id -u)" = 0 ] || { log "the machine needs root, for chroot"; return 1; }
  log "installing a Debian that boots, 400 MB, up to 4 minutes"
  apt-get -qq -o DPkg::Lock::Timeout=300 update &&
    DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 install -y --no-install-recommends \
      debootstrap systemd-container >/dev/null &&
    debootstrap --variant=minbase \
      --include=ca-certificates,dbus,mosquitto,mosquitto-clients,python3-venv,systemd-sysv bookworm "$1" >"$1.log" &&
    cp /etc/resolv.conf "$1/etc/resolv.conf" &&
    cp /etc/ssl/certs/ca-certificates.crt "$1/etc/ssl/certs/ca-certificates.crt" && # for networks with an authority of their own
    echo "127.0.0.1 localhost" >"$1/etc/hosts" &&
    rm -f "$1"/var/cache/apt/archives/*.deb "$1.log"
}

# once NAME FOLDER TEXT: installs into the folder, unless that was done for the same text.
once() {
  if [ "$(cat "$2/installed" 2>/dev/null)" = "$3" ]; then return; fi
  rm -rf --one-file-system "$2" # debootstrap leaves its mounts when it is interrupted
  if "install_$1" "$2" "$3"; then echo "$3" >"$2/installed"; else log "$1 cannot be installed: its tests are skipped"; fi
}

mkdir -p "$venv"
venv=$(cd "$venv" && pwd)
if has apt-get; then
  once mosquitto "$venv/mosquitto-next" 1
  once sense_hat_emulator "$venv/sense-emu" 1
  once machine "$venv-machine" 1
else
  log "no apt-get: the tests with a newer Mosquitto, the Sense HAT emulator and systemd-nspawn are skipped"
fi
once iotedgedev "$venv-iotedgedev" "$(cat tests/ecosystem/iotedgedev.txt)"
once node_red "$venv/node-red" 4.1.15
once azurite "$venv/azurite" 3.35.0
if [ -z "${FOOTFALL_HOME_ASSISTANT:-}" ]; then scripts/home-assistant.sh || log "its tests are skipped"; fi
