#!/bin/sh
# Installs Home Assistant for the tests in tests/ecosystem: scripts/home-assistant.sh [FOLDER]
# It needs a newer Python than Debian 12 has. So FOLDER, by default .home-assistant, becomes a Debian forky of 2.2 GB with that
# Python. Needs root and Debian. Takes three minutes, on a busy machine eight. Does nothing if FOLDER is there, unless this script
# was changed.
set -eu
folder=${1:-.home-assistant}
version=2026.11
PATH=$PATH:/usr/sbin:/sbin

log() { echo "home-assistant: $*" >&2; }
# Runs a command that says nothing if it succeeds.
quietly() { "$@" >"$folder.log" 2>&1 || { tail -n 5 "$folder.log" >&2; log "failed: $*; see $folder.log"; exit 1; }; }
apt() { quietly env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 "$@"; }

if cmp -s "$0" "$folder/installed-by.sh"; then exit; fi
[ ! -e "$folder" ] || [ -e "$folder/installed-by.sh" ] || { log "$folder exists already, and not by this script"; exit 1; }
[ "$(id -u)" = 0 ] || { log "needs root, for chroot: sudo $0"; exit 1; }
if ! command -v debootstrap >/dev/null; then
  command -v apt-get >/dev/null || { log "needs debootstrap, which is a package of Debian and Ubuntu"; exit 1; }
  apt update
  apt install -y --no-install-recommends ca-certificates debian-archive-keyring debootstrap
fi

log "installing Debian with Home Assistant $version into $folder: 3 to 8 minutes, 2.2 GB"
rm -rf --one-file-system "$folder" "$folder.part"
mkdir -p "$folder.part"
part=$(cd "$folder.part" && pwd)
packages=ca-certificates,g++,python3,python3-dev,python3-venv # Home Assistant compiles libraries for sound
quietly debootstrap --variant=minbase --include=$packages forky "$part" http://deb.debian.org/debian sid
cp /etc/resolv.conf "$part/etc/resolv.conf"
cp /etc/ssl/certs/ca-certificates.crt "$part/etc/ssl/certs/ca-certificates.crt" # for networks with an authority of their own
quietly chroot "$part" python3 -m venv /ha
quietly chroot "$part" /ha/bin/pip install --progress-bar off "homeassistant==$version.*" "paho-mqtt>=2"
# What Home Assistant would install when the tests use it.
constraints=$(chroot "$part" find /ha -name package_constraints.txt)
quietly chroot "$part" /ha/bin/pip install --progress-bar off -c "$constraints" home-assistant-frontend pymicro-vad pyspeex-noise
cp "$0" "$part/installed-by.sh"
mv "$part" "$folder"
rm "$folder.log"
log "done"
