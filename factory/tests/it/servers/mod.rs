//! Servers that tests run against: in this process, on loopback, misbehaving
//! on demand.
#![allow(dead_code, reason = "what one test needs, another may not")]

pub(crate) mod git;
pub(crate) mod hosts;
pub(crate) mod http;
pub(crate) mod registry;
