//! Tests of the root package, in one binary: one `mod` line for each file.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stderr,
    reason = "tests read files, start programs and fail by panicking; helpers outside #[test] too"
)]

mod against;
mod architecture;
mod buildkit;
mod charts;
mod example;
mod golden;
mod inputs;
mod interrupted;
mod out;
mod parsers;
mod pipeline;
mod repository;
mod support;
mod verbs;
