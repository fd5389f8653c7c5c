"""TLS as inverters speak it: an encrypted line, with a certificate that the device has signed itself.

No authority vouches for such a certificate, so it proves nothing by itself: whoever stands between can show one of his
own. What proves the device is a pin, the SHA-256 of its certificate, stated in its address; without one the line is
encrypted against listeners only, and the log says what to pin.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
import ssl

from samspel.contract.errors import LinkDown

__all__ = ["check_certificate", "tls_context"]

logger = logging.getLogger("samspel.bus.tls")


def tls_context() -> ssl.SSLContext:
    """TLS 1.2 or newer, any certificate; `check_certificate` looks at it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def check_certificate(where: str, transport: asyncio.BaseTransport, pin: str) -> None:
    """Raises LinkDown when another certificate is shown than the pinned one; nothing has been sent by then."""
    line: ssl.SSLObject = transport.get_extra_info("ssl_object")
    shown = hashlib.sha256(line.getpeercert(binary_form=True) or b"").hexdigest()
    if not pin:
        logger.info("%s: no certificate is pinned; this one would be pin=%s", where, shown)
    elif not hmac.compare_digest(shown, pin):
        raise LinkDown(
            f"{where}: the certificate is {shown}, not the pinned one; if the device was changed or renewed its "
            "certificate, correct the pin in its address"
        )
