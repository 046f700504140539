#!/bin/sh
# Creates missing passwords, one folder per role, and a self-signed certificate for the broker where none is given.
#   SECRETS=folder secrets.sh           missing ones
#   SECRETS=folder secrets.sh --anew    replaces all passwords; the next start of broker and modules uses them
# In the image each folder belongs to its module's group, which new files inherit: no other module can read them.
set -eu
umask 027
secrets=${SECRETS:?is not set: the folder of the passwords}

if [ "${1:-}" = --anew ]; then rm -f "$secrets"/*/password; fi

refuse() { printf 'mosquitto: %s\n' "$(printf %s "$*" | tr '\n' ' ')" >&2; exit 2; }
keep() { # keep FILE COMMAND...: replaces the file by the command's output, as a whole or not at all
  file=$1 && shift && "$@" >"$file.new" && [ -s "$file.new" ] && mv "$file.new" "$file"
}
random() { head -c 24 /dev/urandom | base64; }

for role in capture classifier counter bridge dashboard display operator reader; do
  mkdir -p "$secrets/$role"
  [ -s "$secrets/$role/password" ] || keep "$secrets/$role/password" random
done

# The certificate is its own authority: clients that have it as MQTT_CA_FILE trust this broker only. So it stays until TLS_NAMES changes.
made_for=$(cat "$secrets/tls/names" 2>/dev/null || true)
names=${TLS_NAMES:-${made_for:-localhost,mosquitto}}
if [ -n "${TLS_PORT:-}" ] && [ -z "${TLS_CERT:-}" ] && [ "$names" != "$made_for" ]; then
  case ,$names, in *[!A-Za-z0-9.,:-]* | *,,*) refuse "TLS_NAMES=$names: names and addresses are needed, commas between" ;; esac
  command -v openssl >/dev/null || refuse "openssl is not installed, which makes the certificate for TLS_PORT"
  mkdir -p "$secrets/tls"
  chmod 755 "$secrets/tls"
  rm -f "$secrets/tls/names"
  alternatives=$(echo "$names" | tr , '\n' | sed -E 's/^([0-9.]+|[0-9a-fA-F:]*:[0-9a-fA-F:]*)$/IP:\1/; t; s/^/DNS:/' | paste -s -d , -)
  keep "$secrets/tls/key.pem" openssl ecparam -name prime256v1 -genkey -noout
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
  keep "$secrets/tls/certificate.pem" openssl req -x509 -new -key "$secrets/tls/key.pem" -config "$secrets/tls/request.cnf" \
    -days 3650 -sha256 2>/dev/null || refuse "TLS_NAMES=$names: openssl makes no certificate for these names and addresses"
  chmod 644 "$secrets/tls/certificate.pem"
  rm "$secrets/tls/request.cnf"
  keep "$secrets/tls/names" printf '%s\n' "$names"
fi
