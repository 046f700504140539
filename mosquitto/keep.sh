# Programs beside the users' broker, for start.sh. Each is started again when it ends, until the users' broker ends.
# shellcheck disable=SC2154 # start.sh sets $run
await_users() { # waits until the users' broker listens, for 5 s at most; where there is no /proc, such as on macOS, does not wait
  listening=":$(printf %04X "$USERS_PORT") 0*:0000 0A "
  tries=50
  while [ -r /proc/net/tcp ] && [ "$tries" -gt 0 ] && ! grep -qs "$listening" /proc/net/tcp /proc/net/tcp6; do
    tries=$((tries - 1))
    sleep 0.1
  done
}

run_again() { # run_again COMMAND...: runs the command, and again when it ends, until this process is terminated
  child=
  trap '[ -z "$child" ] || kill "$child" 2>/dev/null; exit' TERM
  while :; do
    await_users # the guests' broker connects at its start, and tries again only after 2 s
    "$@" &
    child=$!
    wait "$child" || true
    sleep 0.5
  done
}

kept=
keep() { # keep COMMAND...: keeps the command running, beside this process
  run_again "$@" &
  kept="$kept $!"
}

end_with_me() { # ends the kept programs when this process, the users' broker, has ended
  if [ -z "$kept" ]; then return; fi
  rm -f "$run/alive"
  mkfifo "$run/alive"
  # shellcheck disable=SC2086 # a list
  { read -r _ <"$run/alive" || kill $kept 2>/dev/null; } &
  exec 9>"$run/alive" # open until this process ends, however it does
}
