"""Forgetting (遗忘): records taken out of a workspace, all derived from them, and the proof of it."""
