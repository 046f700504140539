# The guests' broker: another Mosquitto, for start.sh. It copies what guests may read from the users' broker. Whatever guests do, such
# as never reading, or subscribing to very many topics, costs its memory and its time only.
#
# Its memory is limited, and so is the number of its descriptors, which are connections. max_connections is not enough: Mosquitto
# 2.0.11 counts each connection that ends twice, and soon lets in more.
# shellcheck disable=SC2154 # start.sh sets $run and $here
guests_memory=33554432
guests_descriptors=32

guests_configuration() { # guests_configuration PASSWORD: prints the settings of the guests' broker
  cat <<END
user root
listener $GUESTS_PORT${ADDRESS:+ $ADDRESS}
max_connections 16
allow_anonymous true
# There is no user: a client that signs in with a name is refused.
password_file $run/guests/passwords
acl_file $run/guests/access.acl
max_qos 0
# Nothing is queued for a guest that is away. For each one that does not read: up to 2 MiB of predictions of 1 kB.
max_queued_messages 1000
max_packet_size 2162688
memory_limit $guests_memory
set_tcp_nodelay true
log_dest stderr
log_type error
connection_messages false

connection users
address ${ADDRESS:-127.0.0.1}:$USERS_PORT
remote_username guests
remote_password $1
remote_clientid guests-$(head -c 12 /dev/urandom | od -An -tx1 | tr -d ' \n')
cleansession true
notifications false
keepalive_interval 10
# Two values: with one, Mosquitto 2.0.11 waits for 5 or 6 seconds before it tries again, whatever the value is.
restart_timeout 1 1
END
  sed -n '/^user /q; s/^topic read \(.*\)/topic \1 in 0/p' "$here/access.acl"
}

run_guests() { # becomes the guests' broker
  # shellcheck disable=SC3045 # dash, bash and busybox have it
  ulimit -n "$guests_descriptors" 2>/dev/null || true
  exec mosquitto -c "$run/guests/mosquitto.conf"
}

configure_guests() { # configure_guests PASSWORD: writes the files of the guests' broker
  mkdir -p "$run/guests"
  guests_configuration "$1" >"$run/guests/mosquitto.conf"
  sed '/^user /,$d' "$here/access.acl" >"$run/guests/access.acl"
  : >"$run/guests/passwords"
}
