#!/bin/sh
# Runs the broker of the laptop run until it is stopped, or the run is gone (FOOTFALL_RUN, its process id), however that ended.
broker=
trap '[ -z "$broker" ] || kill "$broker" 2>/dev/null' TERM INT HUP
sh "$FOOTFALL/mosquitto/start.sh" &
broker=$!
while kill -0 "$broker" 2>/dev/null; do
  if ! kill -0 "$FOOTFALL_RUN" 2>/dev/null; then
    sleep 2 # the modules stop too, and say so at the broker
    kill "$broker"
    break
  fi
  sleep 1 >/dev/null 2>&1 &
  wait $! 2>/dev/null
done
wait "$broker"
