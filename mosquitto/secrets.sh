#!/bin/sh
# Creates missing passwords, and a self-signed certificate for TLS_PORT unless TLS_CERT is set.
#   SECRETS=folder secrets.sh             creates missing passwords
#   SECRETS=folder secrets.sh --rotate    replaces all passwords; the broker and the modules use them from their next start
# The password of capture is in capture/password, that of capture-back in capture/back.password. In the image each folder belongs
# to its role's group, and new files inherit it: no other role can read them. users.sh has the settings with the users' names.
set -eu
umask 027
secrets=${SECRETS:?is not set: the folder of the passwords}
# shellcheck source=SCRIPTDIR/users.sh
. "$(dirname "$0")/users.sh"

if [ "${1:-}" = --rotate ]; then rm -f "$secrets"/*/password "$secrets"/*/*.password "$secrets/named"; fi

replace() { # replace FILE COMMAND...: atomically replaces the file by the command's output; keeps it if the command fails
  file=$1 && shift && "$@" >"$file.new" && [ -s "$file.new" ] && mv "$file.new" "$file"
}
random() { head -c 24 /dev/urandom | base64; }

# Before each user had its own password, capture-back used the role's. Programs of an installation from that
# time go on with it until --rotate. The file `named` marks newer installations, and older ones whose users have their files.
is_older=
if [ -s "$secrets/capture/password" ] && [ ! -e "$secrets/named" ]; then is_older=yes; fi
shared=
for user in $users; do
  role=${user%%-*}
  password_file "$user"
  if [ -s "$file" ]; then continue; fi
  mkdir -p "$secrets/$role"
  if [ "$user" = "$role" ]; then
    replace "$file" random
  elif [ -n "$is_older" ]; then
    replace "$file" cat "$secrets/$role/password" 2>/dev/null || true
    shared="$shared $user"
  else
    replace "$file" random 2>/dev/null || shared="$shared $user" # a swarm's secrets cannot be written
  fi
done
if [ -z "$shared" ] || [ -n "$is_older" ]; then touch "$secrets/named" 2>/dev/null || true; fi
if [ -n "$shared" ]; then printf 'mosquitto: with the password of their role, which other users have too:%s\n' "$shared" >&2; fi

# The certificate is self-signed: clients with it as MQTT_CA_FILE trust this broker only. It stays until TLS_NAMES changes.
made_for=$(cat "$secrets/tls/names" 2>/dev/null || true)
names=${TLS_NAMES:-${made_for:-localhost,mosquitto}}
if [ -n "${TLS_PORT:-}" ] && [ -z "${TLS_CERT:-}" ] && [ "$names" != "$made_for" ]; then
  case ,$names, in *[!A-Za-z0-9.,:-]* | *,,*) refuse "TLS_NAMES=$names: must be names and addresses, separated by commas" ;; esac
  command -v openssl >/dev/null || refuse "openssl is not installed; it creates the certificate for TLS_PORT"
  mkdir -p "$secrets/tls"
  chmod 755 "$secrets/tls"
  rm -f "$secrets/tls/names"
  alternatives=$(echo "$names" | tr , '\n' | sed -E 's/^([0-9.]+|[0-9a-fA-F:]*:[0-9a-fA-F:]*)$/IP:\1/; t; s/^/DNS:/' | paste -s -d , -)
  replace "$secrets/tls/key.pem" openssl ecparam -name prime256v1 -genkey -noout
  cat >"$secrets/tls/request.cnf" <<END
[req]
prompt = no
distinguished_name = name
x509_extensions = extensions
[name]
CN = Footfall broker
[extensions]
basicConstraints = critical, CA:TRUE
keyUsage = critical, digitalSignature, keyCertSign
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
subjectAltName = $alternatives
END
  replace "$secrets/tls/certificate.pem" openssl req -x509 -new -key "$secrets/tls/key.pem" -config "$secrets/tls/request.cnf" \
    -days 3650 -sha256 2>/dev/null || refuse "TLS_NAMES=$names: openssl cannot create a certificate for these names and addresses"
  chmod 644 "$secrets/tls/certificate.pem"
  rm "$secrets/tls/request.cnf"
  replace "$secrets/tls/names" printf '%s\n' "$names"
fi
