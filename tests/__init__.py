"""Tests of the launcher, the flows and the sandbox."""
