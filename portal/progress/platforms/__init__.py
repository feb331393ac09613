"""The learning platforms: one adapter each, behind one small protocol (`protocol`)."""
