#!/bin/sh
# Starts the broker. Each start writes users, access list and listeners from these settings:
#   SECRETS      folder of the passwords; missing ones are created
#   RUN          folder for the generated files
#   CAMERAS      names of the cameras, separated by commas; a camera's user is capture-<camera>, but capture for door
#   DISPLAYS     names of the displays; a display's user is display-<display>, but display for matrix
#   CLASSIFIERS  number of users classifier-1, classifier-2 and so on, in addition to classifier
#   USERS_PORT   port for users, with a password
#   TLS_PORT     port for users over TLS, with TLS_CERT and TLS_KEY, or with a self-signed certificate for TLS_NAMES
#   GUESTS_PORT  port without passwords, to read everything except pictures, at QoS 0
#   ADDRESS      address of the ports [all addresses]
#   MEMORY_LIMIT limit of the broker's memory in bytes; it also limits the number of guests
# A port that is not set is not opened. An invalid setting ends the script with exit code 2 and a line that names the setting.
set -eu
umask 077
export LC_ALL=C
here=$(cd "$(dirname "$0")" && pwd)
export SECRETS="${SECRETS:?is not set: the folder of the passwords}"
run=${RUN:?is not set: the folder for the generated files}
cameras=${CAMERAS:-door} displays=${DISPLAYS:-matrix} classifiers=${CLASSIFIERS:-8}
PATH=$PATH:/usr/sbin:/usr/local/sbin:/opt/homebrew/sbin

refuse() { printf 'mosquitto: %s\n' "$(printf %s "$*" | tr '\n' ' ')" >&2; exit 2; }
list() { # list SETTING VALUE: prints the names in the value, one a line, each once
  names=$(printf '%s\n' "$2" | tr ' ' , | tr -s , '\n' | awk 'NF && !seen[$0]++')
  [ -n "$names" ] || refuse "$1=$2: at least one name is needed"
  printf '%s\n' "$names" | while IFS= read -r name; do
    case $name in *[!a-z0-9_-]*) refuse "$1=$name: only a-z, 0-9, _ and - are allowed in a name" ;; esac
    [ "${#name}" -le 64 ] || refuse "$1=$name: names have at most 64 characters"
    case $1=$name in CAMERAS=classifier | CAMERAS=display | CAMERAS=query | CAMERAS=status) refuse "$1=$name: the name is reserved" ;; esac
    printf '%s\n' "$name"
  done
}
number() { # number SETTING VALUE MIN MAX: checks a whole number
  case $2 in
    '' | 0?* | *[!0-9]* | ???????????*) ;;
    *) if [ "$2" -ge "$3" ] && [ "$2" -le "$4" ]; then return; fi ;;
  esac
  refuse "$1=$2: must be a whole number from $3 to $4"
}

cameras=$(list CAMERAS "$cameras")
displays=$(list DISPLAYS "$displays")
number CLASSIFIERS "$classifiers" 0 32
for port in USERS_PORT TLS_PORT GUESTS_PORT; do eval "value=\${$port:-}"; [ -z "$value" ] || number $port "$value" 1 65535; done
[ -n "${USERS_PORT:-}${GUESTS_PORT:-}" ] || refuse "USERS_PORT, GUESTS_PORT: at least one of them must be set"
[ -z "${MEMORY_LIMIT:-}" ] || number MEMORY_LIMIT "$MEMORY_LIMIT" 67108864 2147483647
case ${TLS_CERT:+certificate}${TLS_KEY:+key} in certificate | key) refuse "TLS_CERT, TLS_KEY: both must be set, or neither" ;; esac

"$here/secrets.sh"
mkdir -p "$run"
users=$(
  printf '%s\n' capture classifier counter bridge dashboard display operator reader homeassistant
  printf '%s\n' "$cameras" | sed '/^door$/d; s/^/capture-/' | cut -c 1-64
  printf '%s\n' "$displays" | sed '/^matrix$/d; s/^/display-/' | cut -c 1-64
  number=0
  while [ "$number" -lt "$classifiers" ]; do number=$((number + 1)); echo "classifier-$number"; done
)

for user in $users; do
  password=$(cat "$SECRETS/${user%%-*}/password") || refuse "the password of $user cannot be read"
  printf '%s:%s\n' "$user" "$password"
done >"$run/passwords.new"
mosquitto_passwd -U "$run/passwords.new"
mv "$run/passwords.new" "$run/passwords"

# In each rule <user> becomes the user's name. A rule with another placeholder becomes a rule for each name of that kind.
askers=$(printf '%s\n' "$users" | grep -E '^(bridge|dashboard|operator|reader)$')
words() { printf '%s\n' "$1" | paste -s -d ' ' -; }
awk -v users="$(words "$users")" -v cameras="$(words "$cameras")" \
  -v displays="$(words "$displays")" -v askers="$(words "$askers")" '
  function expand(rule, placeholder,   names, name, count, i, one) {
    names = placeholder == "<camera>" ? cameras : placeholder == "<display>" ? displays : askers
    count = split(names, name, " ")
    for (i = 1; i <= count; i++) { one = rule; sub(placeholder, name[i], one); print one }
  }
  /^(#|$)/ { next }
  /^user / { role = $2; next }
  { rules[role, ++last[role]] = $0 }
  END {
    for (i = 1; i <= last[""]; i++) print rules["", i]
    count = split(users, user, " ")
    for (i = 1; i <= count; i++) {
      role = user[i]; sub(/-.*/, "", role)
      print "user " user[i]
      for (j = 1; j <= last[role]; j++) {
        rule = rules[role, j]; sub("<user>", user[i], rule)
        if (match(rule, /<[a-z]+>/)) expand(rule, substr(rule, RSTART, RLENGTH)); else print rule
      }
    }
  }' "$here/access.acl" >"$run/access.acl"

# Guests that do not read must not fill the memory. Each can queue 10,000 messages of 1 kB, which take 12 MiB; 32 MiB are for
# the modules. Mosquitto accepts one connection more than max_connections. The limit of 10,000 holds for the counter's queue
# too, which then covers a quarter of an hour.
guests=$(((${MEMORY_LIMIT:-536870912} - 33554432) / 12582912 - 1))
if [ "$guests" -gt 16 ]; then guests=16; fi

# Only the guests' listener is without passwords. Mosquitto 2.0 needs settings for each listener for that. Mosquitto 2.1 warns of
# them, and 3.0 will not have them.
case $(mosquitto -h 2>/dev/null | head -n 1) in
  *"version 2."[1-9]* | *"version "[3-9]*) per_listener='' anonymous=listener_allow_anonymous ;;
  *) per_listener=yes anonymous=allow_anonymous ;;
esac
access() { printf 'password_file %s\nacl_file %s\n' "$run/passwords" "$run/access.acl"; }
listener() { # listener PORT MAX_CONNECTIONS ANONYMOUS
  printf 'listener %s\nmax_connections %s\n%s %s\n' "$1${ADDRESS:+ $ADDRESS}" "$2" "$anonymous" "$3"
  if [ -n "$per_listener" ]; then access; fi
}
{
  if [ -n "$per_listener" ]; then echo "per_listener_settings true"; else access; fi
  cat "$here/mosquitto.conf"
  if [ -n "${MEMORY_LIMIT:-}" ]; then echo "memory_limit $MEMORY_LIMIT"; fi
  if [ -n "${GUESTS_PORT:-}" ]; then echo "max_queued_messages 10000"; fi
  if [ -n "${USERS_PORT:-}" ]; then listener "$USERS_PORT" 64 false; fi
  if [ -n "${GUESTS_PORT:-}" ]; then
    listener "$GUESTS_PORT" "$guests" true
    echo "max_qos 0" # nothing is queued for a disconnected guest
  fi
  if [ -n "${TLS_PORT:-}" ]; then
    listener "$TLS_PORT" 16 false
    echo "certfile ${TLS_CERT:-$SECRETS/tls/certificate.pem}"
    echo "keyfile ${TLS_KEY:-$SECRETS/tls/key.pem}"
  fi
} >"$run/mosquitto.conf"

# With XDG_CONFIG_HOME=$RUN/operator, mosquitto_pub, mosquitto_sub and mosquitto_rr sign in as the operator.
mkdir -p "$run/operator"
for client in mosquitto_pub mosquitto_sub mosquitto_rr; do
  printf -- '-h %s\n-p %s\n-u operator\n-P %s\n' "${ADDRESS:-127.0.0.1}" "${USERS_PORT:-$GUESTS_PORT}" \
    "$(cat "$SECRETS/operator/password")" >"$run/operator/$client"
done

exec mosquitto -c "$run/mosquitto.conf"
