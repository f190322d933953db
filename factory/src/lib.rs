//! What `image-factory` does beyond the tree in front of it: processes, git,
//! registries. The program is a thin layer over this library, so that tests
//! reach the parts.
//!
//! No part of it decides anything about images: that is the core's, in the
//! package `image-factory`.

pub mod git;
pub mod http;
pub mod process;
pub mod registry;
pub mod tokens;
pub mod trigger;
