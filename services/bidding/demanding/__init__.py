"""Standing demand orders: they are held against what is published, tell what fits and what just misses, and bid by themselves."""
