"""Finding, checking, isolating and listing what other distributions bring.

    metadata   entry points and distributions, without importing anything of theirs
    hooks      one plugin object behind typed methods; pluggy shows nowhere else
    loader     the steps from an entry point to a usable driver, each with its own failure
    health     a row for everything installed, healthy or not

A step that fails gives a row `(name, dist, version, stage, error)` and never harms the others.
"""
