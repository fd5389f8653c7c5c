"""The suite that proves a samspel driver.

It owns every test: a plugin brings its entry points, its twin and `contract.toml`. Two doors lead to the same tests:
`samspel-contract run` (isolated, certifying) and `samspel_contract.door` (an author's daily pytest).
"""

SUITE_VERSION = "1.0"
"""MAJOR.MINOR is that of the contract it tests."""
