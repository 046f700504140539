#!/bin/sh
# Builds all images for another platform, runs them, and waits for a prediction, counts and pixels.
#   scripts/platform.sh arm32v7|arm64v8|amd64
# Needs a Docker engine that can run them: on such a machine, or with QEMU (on Debian: apt-get install qemu-user-static binfmt-support).
set -eu
cd "$(dirname "$0")/.."
platform=${1:?is missing: arm32v7, arm64v8 or amd64}
project=footfall-$platform
export MATRIX=none SENSE_HAT_LEDS=/dev/null SENSE_HAT_I2C=/dev/zero
export REGISTRY="$platform/" MQTT_PORT="${MQTT_PORT:-18830}" WEB_PORT="${WEB_PORT:-18831}" FRAME_RATE="${FRAME_RATE:-2}"
# QEMU's own memory counts towards a container's limit.
limits=$(mktemp)
echo "services:" >"$limits"
for module in capture classifier counter bridge dashboard display; do
  echo "  $module: {deploy: {resources: {limits: {memory: 512M}}}}" >>"$limits"
done
docker compose version >/dev/null 2>&1 && command="docker compose" || command=docker-compose
# shellcheck disable=SC2086  # one word or two
compose() { $command -p "$project" -f docker-compose.yml -f docker-compose.override.yml -f "$limits" "$@"; }

for module in mosquitto capture classifier counter bridge dashboard display; do
  image="${REGISTRY}footfall-$module:0.1.0"
  if [ "$module" = mosquitto ]; then
    docker build -q -t "$image" -f mosquitto/Dockerfile --build-arg "BASE=$platform/eclipse-mosquitto:2.0" . >/dev/null
  else
    docker build -q -t "$image" --target "$module" --build-arg "BASE=$platform/debian:bookworm-slim" --build-arg MODEL=demo/model . >/dev/null
  fi
  echo "footfall-$module: $(docker image inspect -f '{{.Size}}' "$image") bytes"
done

trap 'compose --profile sensehat down -v >/dev/null 2>&1; rm -f "$limits"' EXIT
compose --profile sensehat up -d --no-build >/dev/null 2>&1
echo "capture runs on $(docker run --rm --entrypoint python3 "${REGISTRY}footfall-capture:0.1.0" -c \
  'import platform, cv2, numpy; print(platform.machine(), "with OpenCV", cv2.__version__, "and NumPy", numpy.__version__)')"
for topic in footfall/door/prediction footfall/door/counts footfall/display/matrix/pixels; do
  mosquitto_sub -p "$MQTT_PORT" -C 1 -W 300 -t "$topic" >/dev/null || { echo "$topic: no message in 300 s" >&2; compose ps; exit 1; }
  echo "$topic: received"
done
compose ps
