# The users of the broker, for start.sh and secrets.sh, from these settings:
#   CAMERAS      names of the cameras, separated by commas; a camera's user is capture-<camera>, but capture for door
#   DISPLAYS     names of the displays; a display's user is display-<display>, but display for matrix
#   CLASSIFIERS  number of users classifier-1, classifier-2 and so on, in addition to classifier
# $users has the roles last: when a role has its password, its other users have theirs.
# Without door, capture is the first camera; without matrix, display is the first display.
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
password_file() { # password_file USER: sets $file to the path of the user's own password
  # shellcheck disable=SC2034 # for the scripts that read this one
  case $1 in
    *-*) file=$SECRETS/${1%%-*}/${1#*-}.password ;;
    *) file=$SECRETS/$1/password ;;
  esac
}

cameras=$(list CAMERAS "${CAMERAS:-door}")
displays=$(list DISPLAYS "${DISPLAYS:-matrix}")
classifiers=${CLASSIFIERS:-8}
number CLASSIFIERS "$classifiers" 0 32
# shellcheck disable=SC2034 # for the scripts that read this one
users=$(
  {
    printf '%s\n' "$cameras" | sed '/^door$/d; s/^/capture-/' | cut -c 1-64
    printf '%s\n' "$displays" | sed '/^matrix$/d; s/^/display-/' | cut -c 1-64
    number=0
    while [ "$number" -lt "$classifiers" ]; do number=$((number + 1)); echo "classifier-$number"; done
    printf '%s\n' capture classifier counter bridge dashboard display operator reader homeassistant
  } | awk '!seen[$0]++'
)
