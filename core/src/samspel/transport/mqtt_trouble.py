"""Why a connection did not come about, for the person who reads the log: what was found, and what to do next.

OpenSSL's words are kept in brackets: they are what a search finds.
"""

from __future__ import annotations

import re
import socket
import ssl

from samspel.transport.mqtt_options import MqttOptions

__all__ = ["connect_trouble", "hang_up_trouble"]

_EXPIRED, _NOT_YET_VALID, _WRONG_PURPOSE = 10, 9, 26
_OTHER_NAME = (62, 64)
_UNKNOWN_AUTHORITY = (2, 18, 19, 20, 21)
"""Codes of X509_verify_cert(3)."""

_ALERTS = {
    "CERTIFICATE_EXPIRED": "it has expired; put a renewed one in its place",
    "CERTIFICATE_REVOKED": "it has been withdrawn; ask the broker's authority for another one",
    "UNKNOWN_CA": "it was issued by an authority that the broker does not know; ask the broker's own for one",
    "BAD_CERTIFICATE": "it is damaged or of a form that the broker does not take",
    "UNSUPPORTED_CERTIFICATE": "it was not issued for a client",
    "ACCESS_DENIED": "it is good, but its holder may not connect",
}
"""What the far side says about our certificate, by the alerts of RFC 8446, section 6.2."""

_NO_CERTIFICATE = ("CERTIFICATE_REQUIRED", "HANDSHAKE_FAILURE")
_NOT_TLS = ("WRONG_VERSION_NUMBER", "UNEXPECTED_EOF_WHILE_READING", "RECORD_LAYER_FAILURE")


def connect_trouble(error: Exception, options: MqttOptions) -> str:
    """What went wrong before the greeting was sent."""
    match error:
        case ssl.SSLCertVerificationError():
            words = _broker_trouble(error.verify_code, options)
        case ssl.SSLError() if any(word in (error.reason or "") for word in _NOT_TLS):
            words = f"what answers on port {options.port} does not speak TLS: check mqtt.url"
        case ConnectionRefusedError():
            words = "nothing listens there: check mqtt.url, and that the broker runs"
        case socket.gaierror():
            words = "this name is not known: check mqtt.url, and the network's name service"
        case _:
            return f"{type(error).__name__}: {error}"
    return f"{words} [{str(error).strip('[]')}]"


def hang_up_trouble(said: str, options: MqttOptions) -> str:
    """Why the broker hung up before it answered the greeting, judged by what the client library `said`.

    A broker may close before its alert arrives: then the likeliest reasons are named.
    """
    alert = re.search(r"\[(SSL: \w*ALERT_(\w+))\]", said)
    if alert is not None:
        return f"{_alert_trouble(alert[2], options)} [{alert[1]}]"
    if not options.uses_tls:
        return "the broker hung up before it answered: where it wants TLS, mqtt.url has to begin with mqtts://"
    if options.cert_file is None:
        return "the broker hung up before it answered: where it wants a client certificate, name mqtt.cert_file"
    return (
        f"the broker hung up before it answered: it may refuse our certificate {options.cert_file} (expired, "
        "withdrawn, or of another authority; its log says which)"
    )


def _broker_trouble(code: int, options: MqttOptions) -> str:
    if code in _OTHER_NAME:
        return (
            f"the broker's certificate is for another name than {options.host}: put a name that it holds into mqtt.url"
        )
    if code in _UNKNOWN_AUTHORITY:
        known = f"the authority in {options.ca_file}" if options.ca_file else "an authority that this system knows"
        return f"the broker's certificate was not issued by {known}: check mqtt.ca_file, and whom mqtt.url leads to"
    if code == _EXPIRED:
        return "the broker's certificate has expired: renew it at the broker; if it is good, check this machine's clock"
    if code == _NOT_YET_VALID:
        return "the broker's certificate is not valid yet: check this machine's clock"
    if code == _WRONG_PURPOSE:
        return "what answers holds a certificate that is not a broker's: check whom mqtt.url leads to"
    return "the broker's certificate cannot be trusted"


def _alert_trouble(alert: str, options: MqttOptions) -> str:
    if alert in _NO_CERTIFICATE and options.cert_file is None:
        return "the broker wants a client certificate: name mqtt.cert_file and mqtt.key_file"
    why = next((words for name, words in _ALERTS.items() if name in alert), "its log says why")
    return f"the broker refuses our certificate {options.cert_file}: {why}"
