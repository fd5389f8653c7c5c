"""What the log says about a connection that did not come about. tests/e2e/test_mqtt_security.py meets the real ones."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path

import pytest
from samspel.transport.mqtt_options import MqttOptions
from samspel.transport.mqtt_trouble import connect_trouble, hang_up_trouble

PLAIN = MqttOptions(host="broker.example", client_id="home")
SECURED = MqttOptions(
    host="broker.example", port=8883, client_id="home", tls=True, cert_file=Path("home.pem"), ca_file=Path("ca.pem")
)
SYSTEMS_AUTHORITIES = MqttOptions(host="broker.example", client_id="home", tls=True)


def unverified(code: int) -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "[SSL: CERTIFICATE_VERIFY_FAILED] as OpenSSL says it")
    error.verify_code = code
    return error


def tls_error(reason: str) -> ssl.SSLError:
    error = ssl.SSLError(1, f"[SSL: {reason}] as OpenSSL says it")
    error.reason = reason
    return error


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (unverified(62), "the broker's certificate is for another name than broker.example"),
        (unverified(64), "the broker's certificate is for another name than broker.example"),
        (unverified(19), "was not issued by the authority in ca.pem"),
        (unverified(10), "the broker's certificate has expired"),
        (unverified(9), "is not valid yet: check this machine's clock"),
        (unverified(26), "a certificate that is not a broker's"),
        (unverified(99), "cannot be trusted"),
        (tls_error("WRONG_VERSION_NUMBER"), "what answers on port 8883 does not speak TLS"),
        (ConnectionRefusedError(111, "Connection refused"), "nothing listens there"),
        (socket.gaierror(-2, "Name or service not known"), "this name is not known"),
    ],
)
def test_what_was_found_and_what_to_do_next(error, sentence):
    told = connect_trouble(error, SECURED)
    assert sentence in told
    assert str(error).strip("[]") in told, "what a search finds"


def test_without_a_file_the_systems_authorities_are_named():
    assert "an authority that this system knows" in connect_trouble(unverified(20), SYSTEMS_AUTHORITIES)


@pytest.mark.parametrize("error", [tls_error("INTERNAL_ERROR"), TimeoutError("timed out"), ValueError("odd")])
def test_whatever_else_it_is_stands_there_as_it_came(error):
    assert connect_trouble(error, SECURED) == f"{type(error).__name__}: {error}"


@pytest.mark.parametrize(
    ("alert", "sentence"),
    [
        ("SSLV3_ALERT_CERTIFICATE_EXPIRED", "refuses our certificate home.pem: it has expired"),
        ("SSLV3_ALERT_CERTIFICATE_REVOKED", "refuses our certificate home.pem: it has been withdrawn"),
        ("TLSV1_ALERT_UNKNOWN_CA", "an authority that the broker does not know"),
        ("SSLV3_ALERT_BAD_CERTIFICATE", "it is damaged"),
        ("TLSV1_ALERT_DECRYPT_ERROR", "its log says why"),
    ],
)
def test_what_the_broker_objects_to_is_said(alert, sentence):
    told = hang_up_trouble(f"failed to receive on socket: [SSL: {alert}] some words (_ssl.c:2580)", SECURED)
    assert sentence in told
    assert told.endswith(f"[SSL: {alert}]")


@pytest.mark.parametrize("alert", ["TLSV13_ALERT_CERTIFICATE_REQUIRED", "SSLV3_ALERT_HANDSHAKE_FAILURE"])
def test_a_missing_certificate_is_said(alert):
    assert "wants a client certificate" in hang_up_trouble(f"[SSL: {alert}]", SYSTEMS_AUTHORITIES)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (PLAIN, "mqtt.url has to begin with mqtts://"),
        (SYSTEMS_AUTHORITIES, "name mqtt.cert_file"),
        (SECURED, "it may refuse our certificate home.pem"),
    ],
)
def test_a_broker_that_hangs_up_without_a_word_is_guessed_about(options, sentence):
    assert sentence in hang_up_trouble("failed to receive on socket: [Errno 104] Connection reset by peer", options)
