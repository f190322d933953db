//! SHELL: arguments in, text and exit codes out. One file a subcommand; both programs,
//! `synth` and `image-factory`, call the same ones.

pub mod explain;
mod git;
mod report;
pub mod run;
pub mod synth;

use std::ffi::OsString;
use std::io::{self, IsTerminal as _, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::SystemTime;

use anstream::{AutoStream, ColorChoice};

use crate::model::{Parse as _, Time};

pub use git::origin;

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done, nothing wrong: 0.
    Done,
    /// The answer is no, such as drift: 1.
    No,
    /// Input or surroundings are wrong, nothing was changed: 2.
    Wrong,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::No => 1,
            Exit::Wrong => 2,
        })
    }
}

/// Options of every command.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub struct Common {
    /// What is printed to standard output: text for people, or one JSON object
    #[arg(
        long,
        value_enum,
        default_value_t,
        value_name = "FORMAT",
        global = true
    )]
    pub format: Format,
    /// Print errors only
    #[arg(short, long, conflicts_with = "verbose", global = true)]
    pub quiet: bool,
    /// Print everything in full, also what is long
    #[arg(short, long, global = true)]
    pub verbose: bool,
    /// When to colour; auto: on a terminal, unless NO_COLOR is set
    #[arg(long, value_enum, default_value_t, value_name = "WHEN", global = true)]
    pub color: Color,
    /// What time it is, such as 2026-12-01T00:00:00Z [default: the clock's]
    #[arg(long, value_name = "TIME", value_parser = time, global = true)]
    pub now: Option<Time>,
}

impl Common {
    /// What time it is, to the second.
    #[must_use]
    #[allow(
        clippy::disallowed_methods,
        reason = "shell: the one place that reads the clock for what is recorded"
    )]
    pub fn now(&self) -> Time {
        self.now.unwrap_or_else(|| {
            let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
            let seconds = since.map_or(0, |since| since.as_secs());
            Time::from_unix_seconds(i64::try_from(seconds).unwrap_or(i64::MAX))
        })
    }
}

fn time(text: &str) -> Result<Time, String> {
    Time::parse(text).map_err(|invalid| format!("it {}; {}", invalid.why, invalid.help))
}

/// For whom the output is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Text for people.
    #[default]
    Human,
    /// One JSON object.
    Json,
    /// A drawing: only `graph` takes these.
    #[value(skip)]
    Drawing(Drawing),
}

/// How a graph is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drawing {
    /// For Markdown.
    Mermaid,
    /// For Graphviz.
    Dot,
    /// A picture.
    Svg,
}

/// When to colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Color {
    /// On a terminal.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl From<Color> for ColorChoice {
    fn from(color: Color) -> Self {
        match color {
            Color::Auto => Self::Auto,
            Color::Always => Self::Always,
            Color::Never => Self::Never,
        }
    }
}

/// What the surroundings say besides the arguments.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// The working directory.
    pub folder: PathBuf,
    /// How the program was called, for commands to repeat.
    pub program: String,
    /// `IMAGES_YAML`: the enrollment file.
    pub enrollment: Option<PathBuf>,
    /// `IMAGE_FACTORY_STATE_DIR`: the folder of `images/` and `base-images/`.
    pub state: Option<PathBuf>,
    /// `CDK8S_OUTDIR`: the out folder, unless `--out` names one.
    pub out: Option<PathBuf>,
}

impl Surroundings {
    /// Those of this process. A variable that is empty counts as not set.
    ///
    /// # Errors
    ///
    /// If the working directory is gone.
    #[allow(
        clippy::disallowed_methods,
        reason = "shell: the one place that reads the environment"
    )]
    pub fn of_process() -> io::Result<Self> {
        let path = |name: &str| {
            std::env::var_os(name)
                .filter(|value| !value.is_empty())
                .map(PathBuf::from)
        };
        let program = std::env::args_os().next().unwrap_or_default();
        Ok(Self {
            folder: std::env::current_dir()?,
            program: program.to_string_lossy().into_owned(),
            enrollment: path("IMAGES_YAML"),
            state: path("IMAGE_FACTORY_STATE_DIR"),
            out: path("CDK8S_OUTDIR"),
        })
    }
}

impl Surroundings {
    /// A variable of the environment, if it is text.
    #[must_use]
    #[allow(
        clippy::disallowed_methods,
        reason = "shell: the one place that reads the environment"
    )]
    pub fn variable(name: &str) -> Option<String> {
        std::env::var(name).ok()
    }
}

/// Where text goes. Styles are taken out on the way where they are not wanted.
pub struct Streams<'a> {
    /// Results.
    pub out: &'a mut dyn Write,
    /// Diagnostics, for people.
    pub err: &'a mut dyn Write,
    /// `out` is a terminal: somebody reads along.
    pub terminal: bool,
}

impl std::fmt::Debug for Streams<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Streams")
            .field("terminal", &self.terminal)
            .finish_non_exhaustive()
    }
}

impl Streams<'_> {
    /// Writes a result. A reader that has gone away (`| head`) is no error.
    ///
    /// # Errors
    ///
    /// What else the system says.
    pub fn print(&mut self, text: &str) -> io::Result<()> {
        let written = self
            .out
            .write_all(text.as_bytes())
            .and_then(|()| self.out.flush());
        match written {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            other => other,
        }
    }

    /// Writes to people, as far as somebody is there.
    pub fn tell(&mut self, text: &str) {
        let _ = self
            .err
            .write_all(text.as_bytes())
            .and_then(|()| self.err.flush());
    }
}

/// Runs a command on this process's surroundings and streams.
pub fn on_process(
    color: Color,
    run: impl FnOnce(&Surroundings, &mut Streams<'_>) -> Exit,
) -> ExitCode {
    let terminal = io::stdout().is_terminal();
    let mut out = AutoStream::new(io::stdout().lock(), color.into());
    let mut err = AutoStream::new(io::stderr().lock(), color.into());
    let mut streams = Streams {
        out: &mut out,
        err: &mut err,
        terminal,
    };
    match Surroundings::of_process() {
        Ok(surroundings) => run(&surroundings, &mut streams).into(),
        Err(error) => {
            streams.tell(&format!(
                "error: the current folder cannot be used: {error}\n"
            ));
            Exit::Wrong.into()
        }
    }
}

/// What to do when arguments do not parse, or ask for help or the version.
pub fn answer_usage(error: &clap::Error) -> ExitCode {
    // Nobody is left to tell if this cannot be printed.
    let _ = error.print();
    if error.use_stderr() {
        Exit::Wrong.into()
    } else {
        Exit::Done.into()
    }
}

/// A word as a POSIX shell reads it back.
fn quoted(word: &OsString) -> String {
    let word = word.to_string_lossy();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:@%+,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.into_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_for_a_shell() {
        for (word, expected) in [
            ("target/debug/synth", "target/debug/synth"),
            ("a b", "'a b'"),
            ("it's", "'it'\\''s'"),
            ("", "''"),
            ("$(rm)", "'$(rm)'"),
            ("~x", "'~x'"),
        ] {
            assert_eq!(quoted(&OsString::from(word)), expected);
        }
    }
}
