//! Synthetic DSP reports with planted truth.
