//! Dockerfiles and what they are built on.
