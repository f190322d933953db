//! `synth`.
fn main() {}
