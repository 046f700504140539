#!/bin/sh
# Installs Home Assistant for the tests in tests/ecosystem: scripts/home-assistant.sh FOLDER
# It needs a newer Python than Debian 12 has, so FOLDER becomes a Debian forky, 1.5 GB. Needs root, debootstrap and five minutes.
set -eu
folder=${1:?is not set: the folder to create}
debootstrap --variant=minbase --include=ca-certificates,python3,python3-venv forky "$folder" http://deb.debian.org/debian sid
cp /etc/resolv.conf "$folder/etc/resolv.conf"
cp /etc/ssl/certs/ca-certificates.crt "$folder/etc/ssl/certs/ca-certificates.crt" # for networks with an authority of their own
chroot "$folder" python3 -m venv /ha
chroot "$folder" /ha/bin/pip install -q "homeassistant==2026.11.*" "paho-mqtt>=2"
