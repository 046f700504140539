#!/bin/sh
# Runs the broker of `make run` until it is stopped, or until the standard input ends, which the launcher holds open.
broker=
trap '[ -z "$broker" ] || kill "$broker" 2>/dev/null' TERM INT HUP
exec 3<&0
sh "$FOOTFALL/mosquitto/start.sh" 3<&- &
broker=$!
(
  read -r _ <&3
  sleep 2 # the modules stop too, and publish their last status
  kill "$broker"
) 2>/dev/null &
watcher=$!
while
  wait "$broker" # a signal ends it early
  code=$?
  kill -0 "$broker" 2>/dev/null
do :; done
kill "$watcher" 2>/dev/null
exit "$code"
