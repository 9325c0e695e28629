"""A client of the collector for Python programs; the simulator's viewers send with it, too."""
