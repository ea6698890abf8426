"""Pickups: planning, carriers, docks, dispatch, custody."""
