"""Corrected register maps that reach a box without a new release: found, checked, tried, kept or taken back.

folder.py finds and checks files, trial.py judges a new map by what the battery does, keeper.py is one device's
choice of map.
"""
