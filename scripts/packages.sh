#!/bin/sh
# Runs in an image build: installs a list of packages into a folder, without those of earlier lists.
#   packages.sh FOLDER LIST [EARLIER_LIST...]
set -eu
folder=$1 list=$2
shift 2
# A package has several lines: its version, and below it the hashes of its files. All but the last end in a backslash.
# PyPI has no wheels of these for 32-bit ARM. The Dockerfile installs Debian's packages, which are for the same Python.
debian=''
if [ "$(dpkg --print-architecture)" = armhf ]; then debian='^(av|msgpack|numpy|opencv-python-headless|pillow)=='; fi
cat /dev/null "$@" | grep -vxFf - "$list" | sed -E "/${debian:-^$}/,/[^\\\\]\$/d" >wanted.txt || true
mkdir -p "$folder"
# pip refuses a file whose hash is not in the list. The image has no compiler, so only wheels are allowed. paho-mqtt 1.6.1 has no
# wheel, but is pure Python. It is built with Debian's setuptools, because pip would fetch one without a hash.
python3 -m pip install -q --no-cache-dir --no-deps --require-hashes --only-binary :all: --no-binary paho-mqtt --no-build-isolation \
  --root-user-action=ignore --disable-pip-version-check --target "$folder" -r wanted.txt
