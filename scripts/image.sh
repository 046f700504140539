#!/bin/sh
# Runs in an image build: makes code and model readable for the module's user, for any umask of the checkout.
#   image.sh MODULE [FOLDER...]      creates the folders, which the module's user can write
set -eu
module=$1
shift
for folder; do install -d -o "$module" -g "$module" "$folder"; done
set -- /opt/footfall
[ ! -e /model ] || set -- "$@" /model
find "$@" ! -perm -o=r -exec chmod a+rX {} +
python3 -m compileall -q /opt/footfall
