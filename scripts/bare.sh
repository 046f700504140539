#!/bin/sh
# Tests the README's commands on a bare machine: a new container of Debian 12 with git, make, python3 and a clone of this commit.
#   scripts/bare.sh               make setup, make run until predictions flow, make test
#   scripts/bare.sh TESTS...      the same, with these tests only
#   scripts/bare.sh setup         make setup; collects all tests and runs some in a browser (a few minutes; before a release)
# Another system is the image BASE, such as BASE=ubuntu:24.04. This machine needs a Docker engine and git.
set -eu
cd "$(dirname "$0")/.."
name=footfall-bare-$$
folder=$(mktemp -d)
trap 'docker rm -f "$name" >/dev/null 2>&1; rm -rf "$folder"' EXIT
trap 'exit 1' INT TERM

log() { echo "bare: $(date +%T) $*"; }
# Runs a script from standard input in the container, in the clone's folder.
in_container() { docker exec -e FOOTFALL_TEST_PATIENCE "$name" sh -euc "cd /root/footfall; $(cat)"; }

log "commit $(git log -1 --format='%h %s')"
git clone -q --depth 1 "file://$PWD" "$folder/footfall"
docker run -d --init --name "$name" "${BASE:-debian:bookworm-slim}" sleep infinity >/dev/null
docker exec -i "$name" sh -eu >/dev/null 2>&1 <<'END'
apt-get update -q
DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends git make python3
END
docker cp "$folder/footfall" "$name:/root/footfall" >/dev/null
log "git, make and python3 are installed; make setup"
in_container <<'END'
make setup
END

if [ "${1:-}" = setup ]; then
  log "make test: collecting all tests, running some in a browser"
  in_container <<'END'
make test TESTS="-q --collect-only" >/tmp/collected || { cat /tmp/collected; exit 1; }
tail -n 1 /tmp/collected
make test TESTS=tests/dashboard/page/test_access.py
END
else
  log "make run"
  in_container <<'END'
make run >/tmp/run.log 2>&1 &
run=$!
for _ in $(seq 600); do
  if grep -q "Footfall is counting" /tmp/run.log || ! kill -0 $run; then break; fi
  sleep 1
done
kill $run && { wait $run || true; }
grep "Footfall is counting" /tmp/run.log || { cat /tmp/run.log; exit 1; }
END
  log "make test $*"
  in_container <<END
make test TESTS="$*"
END
fi
log "all passed"
