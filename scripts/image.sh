#!/bin/sh
# Runs in an image build: makes code and model readable for the module's user, whatever the checkout's umask, and creates folders
# that this user can write to.
#   image.sh MODULE [FOLDER...]
set -eu
module=$1
shift
for folder; do install -d -o "$module" -g "$module" "$folder"; done
set -- /opt/footfall
[ ! -e /model ] || set -- "$@" /model
find "$@" ! -perm -o=r -exec chmod a+rX {} +
python3 -m compileall -q /opt/footfall
