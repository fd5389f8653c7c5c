"""From test signal to the verdict the TSO will give: Nordic FCR, FFR, aFRR and mFRR prequalification.

Reading order: `product` (the words), `rules` (every figure and where it stands), `signals` (what is played),
`player` and `plant` (who answers), `logs` (what is written down), `simulate` (all of it in one go).

Signs and units, everywhere: power in watts, injection positive; frequency in hertz; time in seconds; state of charge
in per cent of the range that serves the reserve. Only the TSOs' CSV speaks of megawatts.
"""
