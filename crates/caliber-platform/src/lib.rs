//! The use cases of the service: what may be done, by whom, and what follows from it.

pub mod results;
