"""Pickups move goods from site to site: who carries them, when, at which dock, and who signed for what.

Owns pickup_job, carrier_offer, dock_slot, pickup_movement and handover; whether money is held is written on the job from outside.
Tells pickup.created … pickup.closed and offer.made … offer.withdrawn.
"""
