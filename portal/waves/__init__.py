"""When invitations leave: waves, their planner, and reminders."""
