#!/bin/sh
# Starts the broker. Each start writes users, access list and listeners from these settings:
#   SECRETS      folder of the passwords; missing ones are created
#   RUN          folder for the generated files
#   CAMERAS, DISPLAYS, CLASSIFIERS   see users.sh
#   USERS_PORT   port for users, with a password
#   TLS_PORT     port for users over TLS, with TLS_CERT and TLS_KEY, or with a self-signed certificate for TLS_NAMES
#   GUESTS_PORT  port without passwords, to read everything except pictures, at QoS 0; it needs USERS_PORT
#   ADDRESS      address of the ports [all addresses]
#   MEMORY_LIMIT limit of the broker's memory in bytes, with that of the guests' broker
# A port that is not set is not opened. An invalid setting ends the script with exit code 2 and a line that names the setting.
set -eu
umask 077
export LC_ALL=C
here=$(cd "$(dirname "$0")" && pwd)
export SECRETS="${SECRETS:?is not set: the folder of the passwords}"
run=${RUN:?is not set: the folder for the generated files}
PATH=$PATH:/usr/sbin:/usr/local/sbin:/opt/homebrew/sbin
# shellcheck source=SCRIPTDIR/users.sh
. "$here/users.sh"
# shellcheck source=SCRIPTDIR/guests.sh
. "$here/guests.sh"
# shellcheck source=SCRIPTDIR/keep.sh
. "$here/keep.sh"
# shellcheck source=SCRIPTDIR/saves.sh
. "$here/saves.sh"

for port in USERS_PORT TLS_PORT GUESTS_PORT; do eval "value=\${$port:-}"; [ -z "$value" ] || number $port "$value" 1 65535; done
[ -n "${USERS_PORT:-}" ] || refuse "USERS_PORT is not set: the port for users with a password"
[ -z "${MEMORY_LIMIT:-}" ] || number MEMORY_LIMIT "$MEMORY_LIMIT" 67108864 2147483647
case ${TLS_CERT:+certificate}${TLS_KEY:+key} in certificate | key) refuse "TLS_CERT, TLS_KEY: both must be set, or neither" ;; esac

"$here/secrets.sh"
mkdir -p "$run"
guest=
if [ -n "${GUESTS_PORT:-}" ]; then guest=$(head -c 24 /dev/urandom | base64); fi # for this run only

for user in $users; do
  password_file "$user"
  [ -s "$file" ] || file=$SECRETS/${user%%-*}/password
  { IFS= read -r password || [ -n "$password" ]; } <"$file" || refuse "the password of $user cannot be read"
  printf '%s:%s\n' "$user" "$password"
done >"$run/passwords.new"
if [ -n "$guest" ]; then printf 'guests:%s\n' "$guest" >>"$run/passwords.new"; fi
mosquitto_passwd -U "$run/passwords.new"
mv "$run/passwords.new" "$run/passwords"

# In each rule <user> becomes the user's name, <own> that of its camera or display. A rule with another placeholder becomes a
# rule for each name of that kind. Several long names of cameras can have the same user.
askers=$(printf '%s\n' "$users" | grep -E '^(bridge|dashboard|operator|reader)$')
words() { printf '%s\n' "$1" | paste -s -d ' ' -; }
awk -v users="$(words "$users")${guest:+ guests}" -v cameras="$(words "$cameras")" \
  -v displays="$(words "$displays")" -v askers="$(words "$askers")" '
  function expand(rule, placeholder, names,   name, count, i, one) {
    count = split(names, name, " ")
    for (i = 1; i <= count; i++) { one = rule; sub(placeholder, name[i], one); print one }
  }
  function own(user, role, names, first,   name, count, i, found) {
    count = split(names, name, " ")
    if (user == role) return index(" " names " ", " " first " ") ? first : name[1]
    for (i = 1; i <= count; i++) if (substr(role "-" name[i], 1, 64) == user) found = found " " name[i]
    return found
  }
  /^(#|$)/ { next }
  /^user / { role = $2; next }
  { rules[role, ++last[role]] = $0 }
  END {
    last["guests"] = last[""]
    for (i = 1; i <= last[""]; i++) rules["guests", i] = rules["", i]
    count = split(users, user, " ")
    for (i = 1; i <= count; i++) {
      role = user[i]; sub(/-.*/, "", role)
      names["<camera>"] = cameras; names["<asker>"] = askers
      names["<own>"] = role == "display" ? own(user[i], role, displays, "matrix") : own(user[i], role, cameras, "door")
      print "user " user[i]
      for (j = 1; j <= last[role]; j++) {
        rule = rules[role, j]; sub("<user>", user[i], rule)
        placeholder = match(rule, /<[a-z]+>/) ? substr(rule, RSTART, RLENGTH) : ""
        if (placeholder) expand(rule, placeholder, names[placeholder]); else print rule
      }
    }
  }' "$here/access.acl" >"$run/access.acl"

saves=$(command -v mosquitto_sub || true) # without it, Mosquitto saves every two seconds, as mosquitto.conf says
listener() { printf 'listener %s\nmax_connections %s\n' "$1${ADDRESS:+ $ADDRESS}" "$2"; } # listener PORT MAX_CONNECTIONS
{
  cat "$here/mosquitto.conf"
  if [ -n "${MEMORY_LIMIT:-}" ]; then echo "memory_limit $((MEMORY_LIMIT - ${guest:+$guests_memory - }0))"; fi
  if [ -n "$saves" ]; then echo "autosave_interval $autosave"; fi
  printf 'allow_anonymous false\npassword_file %s\nacl_file %s\n' "$run/passwords" "$run/access.acl"
  listener "$USERS_PORT" 256
  if [ -n "${TLS_PORT:-}" ]; then
    listener "$TLS_PORT" 128
    echo "certfile ${TLS_CERT:-$SECRETS/tls/certificate.pem}"
    echo "keyfile ${TLS_KEY:-$SECRETS/tls/key.pem}"
  fi
} >"$run/mosquitto.conf"

# With XDG_CONFIG_HOME=$RUN/operator, mosquitto_pub, mosquitto_sub and mosquitto_rr sign in as the operator.
mkdir -p "$run/operator"
for client in mosquitto_pub mosquitto_sub mosquitto_rr; do
  printf -- '-h %s\n-p %s\n-u operator\n-P %s\n' "${ADDRESS:-127.0.0.1}" "$USERS_PORT" \
    "$(cat "$SECRETS/operator/password")" >"$run/operator/$client"
done

if [ -n "$guest" ]; then
  configure_guests "$guest"
  keep run_guests
fi
if [ -n "$saves" ]; then
  rm -f "$run/changes"
  mkfifo "$run/changes"
  keep save_changes $$
  keep report_changes
fi
end_with_me
# Connections are descriptors. After refused tries, Mosquitto 2.0.11 lets in more than max_connections. Each that never signs in
# costs up to 42 kB with TLS, until it is dropped after 90 s.
# shellcheck disable=SC3045 # dash, bash and busybox have it
ulimit -n 512 2>/dev/null || true
exec mosquitto -c "$run/mosquitto.conf"
