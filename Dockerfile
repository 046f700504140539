# The images of the modules, a target for each: docker build --target capture -t footfall-capture .
# The broker's image is mosquitto/Dockerfile.
ARG BASE=debian:bookworm-slim

# --- Packages: the images copy the installed packages, without pip.

FROM ${BASE} AS packages
RUN apt-get update && apt-get install -y --no-install-recommends python3-pip && apt-get clean && rm -rf /var/lib/apt/lists/*
WORKDIR /packages
COPY scripts/packages.sh /usr/local/bin/
COPY bus/requirements.txt bus.txt
RUN packages.sh bus bus.txt

FROM packages AS counter-packages
COPY counter/requirements.txt counter.txt
RUN packages.sh module counter.txt bus.txt

FROM packages AS bridge-packages
COPY bridge/requirements.txt bridge.txt
RUN packages.sh module bridge.txt bus.txt

FROM packages AS dashboard-packages
COPY dashboard/requirements.txt dashboard.txt
RUN packages.sh module dashboard.txt bus.txt

FROM packages AS display-packages
COPY display/requirements.txt display.txt
RUN packages.sh module display.txt bus.txt

# What capture and the classifier have in common.
FROM packages AS vision-packages
COPY capture/requirements.txt capture.txt
COPY classifier/requirements*.txt ./
RUN grep -xFf requirements.txt capture.txt >vision.txt && packages.sh vision vision.txt bus.txt

FROM vision-packages AS capture-packages
RUN packages.sh module capture.txt vision.txt

FROM vision-packages AS classifier-packages
# For ONNX models: --build-arg ONNX=yes. There is no onnxruntime for 32-bit ARM.
ARG ONNX
RUN packages.sh module "requirements${ONNX:+-onnx}.txt" vision.txt

# --- The base of all modules. On 32-bit ARM some packages come from Debian, see packages.sh.

FROM ${BASE} AS python
ARG VERSION=0.1.0
LABEL org.opencontainers.image.licenses="MIT" org.opencontainers.image.version="${VERSION}"
RUN apt-get update \
 && apt-get install -y --no-install-recommends python3 tzdata $([ "$(dpkg --print-architecture)" != armhf ] || echo python3-msgpack) \
 && apt-get clean && rm -rf /var/lib/apt/lists/* \
 && for user in capture:10001 classifier:10002 display:10003 counter:10004 bridge:10005 dashboard:10006; do \
      useradd --uid "${user#*:}" --home-dir /tmp --no-create-home "${user%:*}" || exit 1; \
    done
COPY scripts/image.sh /usr/local/bin/
COPY --from=packages /packages/bus /usr/local/lib/python3.11/dist-packages/
# The version that the page shows. Footfall is not installed by pip, which would write this file.
RUN info="/usr/local/lib/python3.11/dist-packages/footfall-$VERSION.dist-info" && mkdir "$info" \
 && printf 'Metadata-Version: 2.1\nName: footfall\nVersion: %s\n' "$VERSION" >"$info/METADATA"
WORKDIR /opt/footfall
ENV HOME=/tmp PYTHONUNBUFFERED=1 MQTT_HOST=mosquitto HEALTH_FILE=/tmp/progress METRICS_HOST=0.0.0.0
# A module touches this file while it makes progress. Docker considers it healthy as long as the file is new.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=2 \
  CMD age=$(($(date +%s) - $(stat -c %Y "$HEALTH_FILE"))) && [ "$age" -ge 0 ] && [ "$age" -lt "${HEALTH_SECONDS:-30}" ] || exit 1

FROM python AS vision
RUN if [ "$(dpkg --print-architecture)" = armhf ]; then \
      apt-get update && apt-get install -y --no-install-recommends python3-opencv && apt-get clean && rm -rf /var/lib/apt/lists/*; \
    fi
COPY --from=vision-packages /packages/vision /usr/local/lib/python3.11/dist-packages/

# --- The modules.

FROM python AS counter
LABEL org.opencontainers.image.title="footfall-counter" \
      org.opencontainers.image.description="Footfall: turns predictions into visits and counts, and keeps the ledger"
COPY --from=counter-packages /packages/module /usr/local/lib/python3.11/dist-packages/
COPY bus bus
COPY runtime runtime
COPY counter counter
RUN image.sh counter /state
VOLUME /state
USER 10004:10004
ENV STATE_DIR=/state MQTT_PASSWORD_FILE=/secrets/counter/password
ENTRYPOINT ["python3", "-m", "counter"]

FROM python AS bridge
LABEL org.opencontainers.image.title="footfall-bridge" \
      org.opencontainers.image.description="Footfall: sends selected results to edgeHub and other systems"
COPY --from=bridge-packages /packages/module /usr/local/lib/python3.11/dist-packages/
COPY bus bus
COPY runtime runtime
COPY bridge bridge
RUN image.sh bridge /state
VOLUME /state
USER 10005:10005
ENV STATE_DIR=/state MQTT_PASSWORD_FILE=/secrets/bridge/password
ENTRYPOINT ["python3", "-m", "bridge"]

FROM python AS dashboard
LABEL org.opencontainers.image.title="footfall-dashboard" \
      org.opencontainers.image.description="Footfall: shows live pictures, counts and history in the browser"
COPY --from=dashboard-packages /packages/module /usr/local/lib/python3.11/dist-packages/
COPY bus bus
COPY runtime runtime
COPY dashboard dashboard
RUN image.sh dashboard
EXPOSE 9001
USER 10006:10006
ENV MQTT_PASSWORD_FILE=/secrets/dashboard/password
ENTRYPOINT ["python3", "-m", "dashboard"]

FROM python AS display
LABEL org.opencontainers.image.title="footfall-display" \
      org.opencontainers.image.description="Footfall: shows predictions as icons on the Sense HAT"
RUN if [ "$(dpkg --print-architecture)" = armhf ]; then \
      apt-get update && apt-get install -y --no-install-recommends python3-numpy python3-pil && apt-get clean && rm -rf /var/lib/apt/lists/*; \
    fi
COPY --from=display-packages /packages/module /usr/local/lib/python3.11/dist-packages/
COPY bus bus
COPY runtime runtime
COPY display display
RUN image.sh display
USER 10003:10003
ENV MQTT_PASSWORD_FILE=/secrets/display/password
ENTRYPOINT ["python3", "-m", "display"]

FROM vision AS capture
LABEL org.opencontainers.image.title="footfall-capture" \
      org.opencontainers.image.description="Footfall: turns a camera, file or stream into frames"
RUN if [ "$(dpkg --print-architecture)" = armhf ]; then \
      apt-get update && apt-get install -y --no-install-recommends python3-av && apt-get clean && rm -rf /var/lib/apt/lists/*; \
    fi
COPY --from=capture-packages /packages/module /usr/local/lib/python3.11/dist-packages/
# For the Raspberry Pi's own camera, VIDEO_PATH=libcamera: --build-arg LIBCAMERA=yes.
ARG LIBCAMERA
RUN if [ -n "$LIBCAMERA" ]; then \
      apt-get update && apt-get install -y --no-install-recommends gstreamer1.0-tools gstreamer1.0-plugins-base-apps \
        gstreamer1.0-plugins-good gstreamer1.0-libcamera libcamera-ipa && apt-get clean && rm -rf /var/lib/apt/lists/*; \
    fi
COPY demo demo
COPY bus bus
COPY runtime runtime
COPY capture capture
RUN image.sh capture
USER 10001:10001
ENV MQTT_PASSWORD_FILE=/secrets/capture/password
ENTRYPOINT ["python3", "-m", "capture"]

FROM vision AS classifier-code
COPY --from=classifier-packages /packages/module /usr/local/lib/python3.11/dist-packages/
COPY bus bus
COPY runtime runtime
COPY classifier classifier

# The model of the image, until another one is set. MODEL is a folder or zip in the build context, or `person`: the person detector,
# which is fetched. PERSON_MODEL_URL may be another address of it, or a path in the build context. Neither is in the final image.
FROM classifier-code AS model
ARG MODEL=model
ARG PERSON_MODEL_URL
WORKDIR /context
COPY . .
RUN if [ "$MODEL" = person ] && [ ! -e person ]; then python3 -m classifier.person /model; else cp -rL -- "$MODEL" /model; fi

FROM classifier-code AS classifier
LABEL org.opencontainers.image.title="footfall-classifier" \
      org.opencontainers.image.description="Footfall: turns frames into predictions"
COPY --from=model /model /model
RUN image.sh classifier /state
VOLUME /state
USER 10002:10002
# The person detector that MODEL=person fetches at the start goes to the volume too: /tmp is lost with the container.
ENV MODEL=/model STATE_DIR=/state XDG_CACHE_HOME=/state MQTT_PASSWORD_FILE=/secrets/classifier/password
ENTRYPOINT ["python3", "-m", "classifier"]
