"""Turns the wanted power into the power that may be written (station ④). Pure filters in an explicit order.

Stop and release never enter the chain; they reset it.
"""
