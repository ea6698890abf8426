"""Who hears of what happened: partners' endpoints, the deliveries to them with every attempt, and the event feed.

Owns the tables webhook_endpoint, webhook_delivery and webhook_attempt. Tells webhook_endpoint.disabled and
webhook_endpoint.secret_rotated.
"""
