"""Addresses with a secret, as users type them."""

from urllib.parse import quote

from hypothesis import strategies as st

MARK = "Sekret"
"""Part of every secret, and of no other output."""
_FORMS = (
    "{scheme}://me:{secret}@{host}/live",
    "{scheme}://me:{quoted}@{host}:554/live",
    "{scheme}://{secret}@{host}",
    "{scheme}://{secret}:@{host}",
    "{scheme}://me:{secret}@[::1]:8080/live",
    "{scheme}://{host}/live?user=me&password={secret}",
    "{scheme}://{host}:81?pwd={quoted}",
    "{scheme}://{host}/video.cgi?token={secret}&x=1",
    "{scheme}://{host}/?auth={secret}#x",
    "{scheme}://{host}/live#{secret}",
    "{scheme}://{host}/{secret}/live",
    "{scheme}://{host}/user=me_password={secret}_channel=1.sdp",
    "{scheme}:/me:{secret}@{host}/live",
    "{scheme}:\\\\me:{secret}@{host}\\live",
    " {scheme}://me:{secret}@{host}",
    '"{scheme}://me:{secret}@{host}"',
    "me:{secret}@{host}/live",
    "{host}/snap.jpg?user=me&pwd={secret}",
)


@st.composite
def addresses(draw: st.DrawFn, schemes: tuple[str, ...] = ("rtsp", "RTSP", "rtsps", "http", "https", "ftp")) -> tuple[str, str]:
    """Returns an address and its secret: letters, sometimes with ``/ @ : ? # % \\`` or a space among them."""
    characters = st.sampled_from("/@:?# %\\&=.") | st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"])
    secret = MARK + draw(st.text(characters, max_size=6)) + MARK + draw(st.sampled_from(["", "1", "/x", "@y"]))
    form = draw(st.sampled_from(_FORMS))
    scheme, host = draw(st.sampled_from(schemes)), draw(st.sampled_from(["127.0.0.1", "camera.invalid"]))
    return form.format(scheme=scheme, host=host, secret=secret, quoted=quote(secret, safe="")), secret
