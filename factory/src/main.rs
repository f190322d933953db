//! `image-factory`.
fn main() {}
