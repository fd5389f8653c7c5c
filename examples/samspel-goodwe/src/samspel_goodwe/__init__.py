"""The samspel driver for GoodWe ET inverters. All of it is data: see driver.toml."""
