from samspel_contract.door import *  # noqa: F403

DRIVER = "saj"
