"""What partners send to pickups and what they are answered."""
