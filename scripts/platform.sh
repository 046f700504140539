#!/bin/sh
# Builds all images for another platform and sees that frames go from capture to display among them.
#   scripts/platform.sh arm32v7      or arm64v8, amd64
# It needs a Docker engine that can run them: there, or by qemu (on Debian: apt-get install qemu-user-static binfmt-support).
set -eu
cd "$(dirname "$0")/.."
platform=${1:?is missing: arm32v7, arm64v8 or amd64}
project=footfall-$platform
export REGISTRY="$platform/" MQTT_PORT="${MQTT_PORT:-18830}" WEB_PORT="${WEB_PORT:-18831}" FRAME_RATE="${FRAME_RATE:-2}"
compose() { if docker compose version >/dev/null 2>&1; then docker compose -p "$project" "$@"; else docker-compose -p "$project" "$@"; fi; }
topics="-p $MQTT_PORT -t footfall/+/prediction -t footfall/display/matrix/pixels"

for module in mosquitto capture classifier display bridge; do
  base=debian:bookworm-slim
  if [ "$module" = mosquitto ]; then base=eclipse-mosquitto:2.0; fi
  docker build -q -t "${REGISTRY}footfall-$module:0.1.0" -f "$module/Dockerfile" \
    --build-arg "BASE=$platform/$base" --build-arg MODEL=demo/model . >/dev/null
  echo "footfall-$module: $(docker image inspect -f '{{.Size}}' "${REGISTRY}footfall-$module:0.1.0") bytes"
done

trap 'compose down -v >/dev/null 2>&1' EXIT
compose up -d --no-build >/dev/null 2>&1
echo "capture runs on $(compose exec -T capture uname -m), $(compose exec -T capture python3 -c 'import cv2, numpy; print("OpenCV", cv2.__version__, "NumPy", numpy.__version__)')"
# shellcheck disable=SC2086  # several words
mosquitto_sub $topics -C 40 -W 300 -F %t | sort | uniq -c
compose ps
