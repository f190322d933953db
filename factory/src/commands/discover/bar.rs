//! How far a run has come, for people at a terminal; and why it stands still, also for
//! those who read the log of a Job.

use std::io::{self, Write as _};

use factory::registry::Notice;
use image_factory::cli::{Common, Format};
use indicatif::{ProgressBar, ProgressStyle};

/// A bar on standard error; invisible unless that is a terminal.
pub(in crate::commands) struct Bar {
    bar: ProgressBar,
    quiet: bool,
}

impl Bar {
    /// A bar that counts `what`.
    pub(in crate::commands) fn new(common: &Common, what: &'static str) -> Self {
        let quiet = common.quiet;
        if quiet || common.format != Format::Human {
            return Self {
                bar: ProgressBar::hidden(),
                quiet,
            };
        }
        let bar = ProgressBar::no_length();
        let style = ProgressStyle::with_template("{bar:30} {pos} of {len} {msg}");
        if let Ok(style) = style {
            bar.set_style(style);
        }
        bar.set_message(what);
        Self { bar, quiet }
    }

    /// So many of so many are done.
    pub(in crate::commands) fn at(&self, done: usize, total: usize) {
        self.bar.set_length(total as u64);
        self.bar.set_position(done as u64);
    }

    /// Says a line without spoiling the bar.
    pub(in crate::commands) fn notice(&self) -> Notice {
        let (bar, quiet) = (self.bar.clone(), self.quiet);
        Box::new(move |line| {
            if !quiet {
                bar.suspend(|| {
                    // Nobody listens: no reason to stop.
                    let _ = writeln!(io::stderr(), "{line}");
                });
            }
        })
    }

    /// Takes it away.
    pub(in crate::commands) fn end(self) {
        self.bar.finish_and_clear();
    }
}
