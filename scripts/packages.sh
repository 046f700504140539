#!/bin/sh
# In an image: installs a list of packages, without those of the lists before, into a folder.  packages.sh FOLDER LIST [EARLIER...]
set -eu
folder=$1 list=$2
shift 2
# PyPI has no wheels of these for 32-bit ARM. There Debian's own are taken, which are for the same Python; see the Dockerfile.
debian=''
if [ "$(dpkg --print-architecture)" = armhf ]; then debian='^(msgpack|numpy|opencv-python-headless|pillow)=='; fi
cat /dev/null "$@" | grep -vxFf - "$list" | grep -vE "${debian:-^$}" >wanted.txt || true
mkdir -p "$folder"
# No compiler is here, so wheels it must be; paho-mqtt 1.6.1, which has none, is Python alone.
python3 -m pip install -q --no-cache-dir --no-deps --only-binary :all: --no-binary paho-mqtt --root-user-action=ignore --disable-pip-version-check \
  --target "$folder" -r wanted.txt
