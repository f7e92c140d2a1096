//! Writes scored results.
