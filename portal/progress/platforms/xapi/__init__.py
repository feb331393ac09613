"""xAPI 1.0.3, as a receiver: statements come in, facts come out (docs/xapi.md)."""
