//! From enrollments and Dockerfiles to state: which base images there are, what
//! they are called, and what becomes of files that nothing needs any more.

#[cfg_attr(
    not(test),
    expect(dead_code, reason = "the merge that names by it follows")
)]
mod naming;
