"""An inverter behind TLS with a certificate that it has signed itself: read, commanded, and not taken for another."""

from __future__ import annotations

import hashlib
import json
import shutil
import ssl
import subprocess
from pathlib import Path

import pytest
from samspel_sim.testing import spawned_twin

from .commands import samspel

needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate")


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """What a dongle makes for itself: key and certificate in one file."""
    key, own = tmp_path / "key.pem", tmp_path / "own.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-subj", "/CN=dongle", "-days", "2", "-keyout", str(key), "-out", str(own)]
    subprocess.run(command, check=True, capture_output=True)
    both = tmp_path / "both.pem"
    both.write_text(key.read_text() + own.read_text())
    return both


def pin_of(certificate: Path) -> str:
    text = certificate.read_text()
    der = ssl.PEM_cert_to_DER_cert(text[text.index("-----BEGIN CERTIFICATE-----") :])
    return hashlib.sha256(der).hexdigest()


@needs_openssl
async def test_it_is_read_and_commanded_when_it_shows_the_pinned_certificate(certificate: Path, tmp_path: Path) -> None:
    async with spawned_twin("sungrow", "--tls", str(certificate)) as twin:
        url = f"modbus-tls://127.0.0.1:{twin.port}?unit=1&pin={pin_of(certificate)}"
        ran = await samspel(tmp_path / "read", "read", url, "--driver", "sungrow", "--json")
        assert ran.code == 0, ran
        assert json.loads(ran.out)["identity"]["model"] == "SH10RT"
        command = ("command", url, "--driver", "sungrow", "set-power", -1500, "--for", 8, "--json")
        ran = await samspel(tmp_path / "command", *command)
        assert ran.code == 0, ran
        assert "delivered" in {one.get("stage") for one in ran.lines}


@needs_openssl
async def test_another_certificate_is_refused_and_says_what_to_do(certificate: Path, tmp_path: Path) -> None:
    async with spawned_twin("sungrow", "--tls", str(certificate)) as twin:
        url = f"modbus-tls://127.0.0.1:{twin.port}?unit=1&pin={'00' * 32}"
        ran = await samspel(tmp_path / "read", "read", url, "--driver", "sungrow")
        assert ran.code == 3
        assert "not the pinned one" in ran.err
        assert "correct the pin" in ran.err


@needs_openssl
async def test_who_speaks_plainly_to_it_hears_nothing(certificate: Path, tmp_path: Path) -> None:
    async with spawned_twin("sungrow", "--tls", str(certificate)) as twin:
        ran = await samspel(
            tmp_path / "read", "read", f"modbus-tcp://127.0.0.1:{twin.port}?unit=1", "--driver", "sungrow"
        )
        assert ran.code == 3


async def test_a_file_without_a_certificate_is_told(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("")
    ran = await samspel(tmp_path / "sim", "sim", "sungrow", "--tls", tmp_path / "empty.pem")
    assert ran.code == 2
    assert "no certificate with its key" in ran.err
