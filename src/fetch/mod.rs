//! The guarded client: the one way by which the service reads what a stranger named.
//!
//! A public URL is https on port 443 with a host name, all of whose addresses are global; the
//! connection goes to the checked addresses and to no others. Redirects are followed by hand and
//! checked alike. Time and size are bounded. The operator may map URL prefixes to other places;
//! only there plain http and private addresses are allowed.

mod address;
mod client;
mod exchange;
mod target;

pub use address::is_global;
pub use client::{Bounds, Client, FetchError, FetchPolicy, FetchPolicyError, PUBLIC_SENTENCE};
