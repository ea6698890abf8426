"""What partners install, and the generator that writes the generated part of it."""
