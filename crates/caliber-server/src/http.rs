//! What holds for every request, whatever it asks for.

pub(crate) mod body_limit;
pub(crate) mod client_address;
pub(crate) mod etags;
pub(crate) mod hosts;
pub(crate) mod metrics;
pub(crate) mod origins;
pub(crate) mod rate_limits;
pub(crate) mod request_id;
pub(crate) mod security_headers;
