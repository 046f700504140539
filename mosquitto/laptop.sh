#!/bin/sh
# Runs the broker of `make run` until it is stopped, or until the process FOOTFALL_RUN, the launcher, no longer exists.
broker=
trap '[ -z "$broker" ] || kill "$broker" 2>/dev/null' TERM INT HUP
sh "$FOOTFALL/mosquitto/start.sh" &
broker=$!
while kill -0 "$broker" 2>/dev/null; do
  if ! kill -0 "$FOOTFALL_RUN" 2>/dev/null; then
    sleep 2 # the modules stop too, and publish their last status
    kill "$broker"
    break
  fi
  sleep 1 >/dev/null 2>&1 &
  wait $! 2>/dev/null
done
wait "$broker"
