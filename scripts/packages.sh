#!/bin/sh
# Runs in an image build: installs a list of packages into a folder, without those of earlier lists.
#   packages.sh FOLDER LIST [EARLIER_LIST...]
set -eu
folder=$1 list=$2
shift 2
# PyPI has no wheels of these for 32-bit ARM. The Dockerfile installs Debian's packages, which are for the same Python.
debian=''
if [ "$(dpkg --print-architecture)" = armhf ]; then debian='^(av|msgpack|numpy|opencv-python-headless|pillow)=='; fi
cat /dev/null "$@" | grep -vxFf - "$list" | grep -vE "${debian:-^$}" >wanted.txt || true
mkdir -p "$folder"
# The image has no compiler, so only wheels are allowed. paho-mqtt 1.6.1 has no wheel, but is pure Python.
python3 -m pip install -q --no-cache-dir --no-deps --only-binary :all: --no-binary paho-mqtt --root-user-action=ignore --disable-pip-version-check \
  --target "$folder" -r wanted.txt
