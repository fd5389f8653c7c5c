"""What the battery could do now. Pure."""
