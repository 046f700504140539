#!/bin/sh
# Installs Node-RED and Azurite for the tests in tests/ecosystem into VENV, once: half a minute, 300 MB. Needs Node.js and npm.
set -eu
venv=${VENV:-.venv}

log() { echo "npm: $*" >&2; }

install() {
  folder=$venv/$1
  if grep -qs "\"$1\": \"^$2\"" "$folder/package.json"; then return; fi # npm writes it at the end
  log "installing $1 $2 into $folder"
  npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" "$1@$2" || log "cannot install $1: its tests are skipped"
}

install node-red 4.1.15
install azurite 3.35.0
