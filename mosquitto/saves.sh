# Makes the users' broker save its state when a message has to survive a crash; for start.sh. Each save writes and syncs the whole
# state, which wears an SD card. By itself, Mosquitto saves at intervals, even if nothing has changed, or after so many changes,
# which include each status and each acknowledgement.
#
# A result, a command or a setting is saved at once, but not within two seconds of the last such save. Its publisher repeats it if
# the connection is lost within four seconds. Predictions are saved when there are $late: the classifier repeats its last hundred
# (RESEND_LAST in bus/outbound.py). The modules publish all other retained messages again at each connection.
# shellcheck disable=SC2034,SC2154 # start.sh sets $run, and reads $autosave
late=50
autosave=120 # seconds between two saves that Mosquitto makes by itself, for the rest

# Writes the topic of each message that has to be saved into $run/changes. The version comes once: what came before it is saved too.
report_changes() {
  XDG_CONFIG_HOME="$run/operator" exec mosquitto_sub -F %t -t footfall/+/prediction -t footfall/+/visit -t footfall/+/crossing \
    -t footfall/+/summary -t footfall/+/alert -t footfall/+/command -t footfall/+/setup -t footfall/site \
    -t footfall/classifier/model -t "\$SYS/broker/version" >"$run/changes"
}

save_changes() { # save_changes PID: makes the broker with this process id save, for the topics from report_changes
  unsaved=0
  pause=
  while read -r topic; do
    case $topic in
      continue) pause= && wait ;; # for the process that wrote this
      */prediction) unsaved=$((unsaved + 1)) ;;
      *) unsaved=$late ;;
    esac
    if [ -z "$pause" ] && [ "$unsaved" -ge "$late" ]; then
      kill -USR1 "$1"
      unsaved=0
      pause=yes
      { sleep 2 && echo continue; } >"$run/changes" &
    fi
  done <>"$run/changes" # also open for writing, so that it does not end
}
