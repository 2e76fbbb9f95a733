"""Programs that look for faults at length, and run the suite on other databases. The Makefile has a target for each."""
