"""Made-up brands: what the suite is tested with."""
