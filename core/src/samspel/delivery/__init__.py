"""Whether what was commanded is what happens. Pure; fed with readings, asked for verdicts."""
