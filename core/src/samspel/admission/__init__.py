"""Judges each message once: address, authority, epoch, order, staleness (station ②). Accepted or refused."""
