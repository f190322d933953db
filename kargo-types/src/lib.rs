//! Typed Kargo.
