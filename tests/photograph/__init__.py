"""Tests of what makes ink on even paper of a photograph."""
