"""What every context stands on and no context is known to. Owns the tables event, reaction_done, timer, test_clock and
idempotency_record, and the job queue's. Tells nothing by itself.
"""
