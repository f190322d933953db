//! Image Factory's pure core, and the shell of `synth` around it.
//!
//! Data flows one way: texts of files → [`model`] → [`charts`] → [`synth`]'s file
//! specs → written, compared or shown by [`cli`]. Only [`workspace`] and [`cli`]
//! have effects.

pub mod charts;
pub mod checks;
pub mod cli;
pub mod diagnostics;
pub mod discover;
pub mod dockerfile;
pub mod enroll;
pub mod graph;
pub mod model;
pub mod names;
pub mod pipeline;
pub mod plan;
pub mod record;
pub mod state;
pub mod status;
pub mod synth;
pub mod template;
pub mod tree;
pub mod workflows;
pub mod workspace;
pub mod yaml;
