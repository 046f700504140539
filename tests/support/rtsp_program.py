"""GStreamer's RTSP server with numbered pictures. A program of its own: `gi` is only in the system's Python.

python3 rtsp_program.py PORT RATE USER:PASSWORD CERTIFICATE   (the last two may be empty)

The grey level of a picture is `5 + 10 * number`; the number, 0 to 24, is that of its time: `RATE * time.monotonic()`. The path
selects how it is sent: /h264 and /mjpeg over what the client wants, /tcp and /udp are H.264 over one of them only. It ends
with its standard input.
"""

import sys
import time
from typing import Any

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import Gio, GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402

WIDTH, HEIGHT = 64, 48
H264 = "x264enc tune=zerolatency speed-preset=ultrafast key-int-max={rate} ! rtph264pay name=pay0 pt=96 config-interval=1"
MJPEG = "jpegenc ! rtpjpegpay name=pay0 pt=26"
"""RTP carries 4:2:0 and 4:2:2 only. jpegenc would keep the colours of any other picture, and rtpjpegpay would then fail (503)."""
SOURCE = "appsrc name=pictures is-live=true format=time do-timestamp=true ! videoconvert ! video/x-raw,format=I420 ! "
TCP, UDP = GstRtsp.RTSPLowerTrans.TCP, GstRtsp.RTSPLowerTrans.UDP
PATHS = {"/h264": (H264, TCP | UDP), "/mjpeg": (MJPEG, TCP | UDP), "/tcp": (H264, TCP), "/udp": (H264, UDP)}


def add_pictures(media: Any, rate: int) -> None:
    """Draws the pictures of a stream while it plays."""
    source = media.get_element().get_by_name("pictures")
    size = f"format=GRAY8,width={WIDTH},height={HEIGHT}"
    source.set_property("caps", Gst.Caps.from_string(f"video/x-raw,{size},framerate={rate}/1"))

    def draw() -> bool:
        level = 5 + 10 * (int(time.monotonic() * rate) % 25)
        source.emit("push-buffer", Gst.Buffer.new_wrapped(bytes([level]) * (WIDTH * HEIGHT)))
        return True

    timer = GLib.timeout_add(round(1000 / rate), draw)
    media.connect("unprepared", lambda _: GLib.source_remove(timer))


def require_password(server: Any, user: str, password: str) -> None:
    """Requires a user and password, by Digest."""
    auth, token = GstRtspServer.RTSPAuth(), GstRtspServer.RTSPToken()
    token.set_string(GstRtspServer.RTSP_TOKEN_MEDIA_FACTORY_ROLE, "viewer")
    auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
    auth.add_digest(user, password, token)
    server.set_auth(auth)


def main(port: str, rate: str, account: str, certificate: str) -> None:
    Gst.init(None)
    server = GstRtspServer.RTSPServer(service=port, address="127.0.0.1")
    if account:
        require_password(server, *account.split(":", 1))
    if certificate:
        auth = server.get_auth() or GstRtspServer.RTSPAuth()
        auth.set_tls_certificate(Gio.TlsCertificate.new_from_file(certificate))
        server.set_auth(auth)
    for path, (encoder, transports) in PATHS.items():
        factory = GstRtspServer.RTSPMediaFactory(
            launch=f"( {SOURCE}{encoder.format(rate=rate)} )", shared=True, protocols=transports
        )
        factory.connect("media-configure", lambda _, media: add_pictures(media, int(rate)))
        if account:
            factory.add_role_from_structure(
                Gst.Structure.from_string("viewer, media.factory.access=true, media.factory.construct=true")[0]
            )
        server.get_mount_points().add_factory(path, factory)
    assert server.attach(None), "the port is taken"
    loop = GLib.MainLoop()
    GLib.io_add_watch(GLib.IOChannel.unix_new(0), GLib.PRIORITY_DEFAULT, GLib.IOCondition.HUP, lambda *_: loop.quit())
    print(server.get_bound_port(), flush=True)  # noqa: T201
    loop.run()


if __name__ == "__main__":
    main(*sys.argv[1:])
