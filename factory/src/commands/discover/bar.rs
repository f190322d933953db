//! How far a run has come, for people at a terminal.

use image_factory::cli::{Common, Format};
use indicatif::{ProgressBar, ProgressStyle};

/// A bar on standard error; invisible unless that is a terminal.
pub(super) struct Bar(ProgressBar);

impl Bar {
    /// A bar that counts `what`.
    pub(super) fn new(common: &Common, what: &'static str) -> Self {
        if common.quiet || common.format != Format::Human {
            return Self(ProgressBar::hidden());
        }
        let bar = ProgressBar::no_length();
        let style = ProgressStyle::with_template("{bar:30} {pos} of {len} {msg}");
        if let Ok(style) = style {
            bar.set_style(style);
        }
        bar.set_message(what);
        Self(bar)
    }

    /// So many of so many are done.
    pub(super) fn at(&self, done: usize, total: usize) {
        self.0.set_length(total as u64);
        self.0.set_position(done as u64);
    }

    /// Takes it away.
    pub(super) fn end(self) {
        self.0.finish_and_clear();
    }
}
