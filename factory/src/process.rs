//! The one place of the factory that starts a process.
//!
//! A program is run to its end, without a shell: its arguments are given one by
//! one, its environment is what was said and nothing more, what it prints is
//! bounded, and after its deadline it is killed with everything that it started.
//! It runs in a process group of its own; should this program be interrupted,
//! the groups that are alive are ended first.
#![allow(
    clippy::disallowed_methods,
    reason = "shell: the one place that starts processes, and waits for them"
)]

mod group;
mod mask;

pub use mask::Mask;

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::{self, Read, Write as _};
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use std::{fmt, thread};

use group::Group;

/// How much of what a program says about its troubles is kept: its end.
const LAST_WORDS: usize = 16 * 1024;
/// How often what runs is looked at, when nothing is heard of it.
const PAUSE: Duration = Duration::from_millis(100);
/// How long a program that has ended may leave its output open to others.
const GRACE: Duration = Duration::from_secs(2);

/// A program to be run, with nothing of our own environment.
pub struct Process<'a> {
    program: OsString,
    args: Vec<OsString>,
    env: BTreeMap<OsString, OsString>,
    dir: Option<PathBuf>,
    stdin: Vec<u8>,
    limit: u64,
    deadline: Duration,
    mask: Mask,
    watch: Option<Box<dyn FnMut() -> bool + 'a>>,
}

/// What a program that succeeded printed.
#[derive(Debug)]
pub struct Output {
    /// All of its output.
    pub stdout: Vec<u8>,
    /// The end of what it said besides, secrets masked.
    pub stderr: String,
}

/// Why a program did not do what it was to do.
#[derive(Debug)]
pub enum ProcessError {
    /// There is no such program, or it cannot be started.
    NotStarted {
        /// The program.
        program: String,
        /// What the system says.
        error: io::Error,
    },
    /// It was killed, as it took too long.
    TimedOut {
        /// The program.
        program: String,
        /// How long it had.
        after: Duration,
        /// The end of what it had said, secrets masked.
        stderr: String,
    },
    /// It was killed, as it printed or stored more than anybody needs.
    TooMuch {
        /// The program.
        program: String,
    },
    /// It ended with an error.
    Failed {
        /// The program.
        program: String,
        /// Its exit code; `None`: it was killed by a signal.
        code: Option<i32>,
        /// What it had printed until then, as it is.
        stdout: Vec<u8>,
        /// The end of what it said, secrets masked.
        stderr: String,
    },
}

impl ProcessError {
    /// The end of what the program said; empty if it said nothing.
    #[must_use]
    pub fn stderr(&self) -> &str {
        match self {
            Self::Failed { stderr, .. } | Self::TimedOut { stderr, .. } => stderr,
            Self::NotStarted { .. } | Self::TooMuch { .. } => "",
        }
    }
}

impl fmt::Display for ProcessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotStarted { program, error } => {
                write!(f, "{program} cannot be started: {error}")
            }
            Self::TimedOut { program, after, .. } => {
                write!(f, "{program} did not end within {}", seconds(*after))
            }
            Self::TooMuch { program } => write!(f, "{program} gave more than anybody needs"),
            Self::Failed {
                program,
                code,
                stderr,
                ..
            } => {
                match code {
                    Some(code) => write!(f, "{program} ended with code {code}")?,
                    None => write!(f, "{program} was killed")?,
                }
                let words = stderr.trim();
                if words.is_empty() {
                    Ok(())
                } else {
                    write!(f, ": {words}")
                }
            }
        }
    }
}

impl std::error::Error for ProcessError {}

/// A time as people say it: `30 s`, `0.5 s`.
#[must_use]
pub fn seconds(time: Duration) -> String {
    if time.subsec_millis() == 0 {
        format!("{} s", time.as_secs())
    } else {
        format!("{:.1} s", time.as_secs_f64())
    }
}

impl<'a> Process<'a> {
    /// A program by its name, looked for in our own `PATH`, or by its path. It has
    /// an empty environment, no input, a minute, and may print a mebibyte.
    pub fn new(program: impl Into<OsString>) -> Self {
        Self {
            program: program.into(),
            args: Vec::new(),
            env: BTreeMap::new(),
            dir: None,
            stdin: Vec::new(),
            limit: 1 << 20,
            deadline: Duration::from_secs(60),
            mask: Mask::default(),
            watch: None,
        }
    }

    /// One argument more.
    #[must_use]
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    /// Some arguments more.
    #[must_use]
    pub fn args<I: IntoIterator<Item: AsRef<OsStr>>>(mut self, args: I) -> Self {
        let args = args.into_iter().map(|arg| arg.as_ref().to_owned());
        self.args.extend(args);
        self
    }

    /// A variable of its environment.
    #[must_use]
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.env
            .insert(name.as_ref().to_owned(), value.as_ref().to_owned());
        self
    }

    /// The folder that it works in.
    #[must_use]
    pub fn dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.dir = Some(dir.into());
        self
    }

    /// What it reads.
    #[must_use]
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = bytes.into();
        self
    }

    /// How many bytes it may print.
    #[must_use]
    pub fn limit(mut self, bytes: u64) -> Self {
        self.limit = bytes;
        self
    }

    /// How long it may take.
    #[must_use]
    pub fn deadline(mut self, time: Duration) -> Self {
        self.deadline = time;
        self
    }

    /// What no error may show.
    #[must_use]
    pub fn mask(mut self, mask: Mask) -> Self {
        self.mask = mask;
        self
    }

    /// Asked again and again while it runs: whether it may go on.
    #[must_use]
    pub fn watch(mut self, watch: impl FnMut() -> bool + 'a) -> Self {
        self.watch = Some(Box::new(watch));
        self
    }

    /// Runs it to its end.
    ///
    /// # Errors
    ///
    /// If it cannot be started, takes too long, prints too much, or ends with
    /// another code than 0.
    pub fn run(mut self) -> Result<Output, ProcessError> {
        let program = self.name();
        let not_started = |error| ProcessError::NotStarted {
            program: program.clone(),
            error,
        };
        let start = Instant::now();
        let mut command = Command::new(&self.program);
        command
            .args(&self.args)
            .env_clear()
            .envs(&self.env)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if let Some(dir) = &self.dir {
            command.current_dir(dir);
        }
        let mut group = Group::spawn(&mut command).map_err(not_started)?;
        let (pipes, heard) = self.listen(&mut group);
        let end = self.follow(&mut group, &heard, start);
        let stdout = std::mem::take(&mut *lock(&pipes.stdout));
        let mut stderr = std::mem::take(&mut *lock(&pipes.stderr));
        keep_end(&mut stderr);
        let stderr = self.mask.apply(&String::from_utf8_lossy(&stderr));
        match end {
            End::Ended(status) if status.success() => Ok(Output { stdout, stderr }),
            End::Ended(status) => Err(ProcessError::Failed {
                program,
                code: status.code(),
                stdout,
                stderr,
            }),
            End::TimedOut => Err(ProcessError::TimedOut {
                program,
                after: self.deadline,
                stderr,
            }),
            End::TooMuch => Err(ProcessError::TooMuch { program }),
            End::Lost(error) => Err(not_started(error)),
        }
    }

    fn name(&self) -> String {
        let path = std::path::Path::new(&self.program);
        let name = path.file_name().unwrap_or(&self.program);
        name.to_string_lossy().into_owned()
    }

    /// Feeds and hears the child, each pipe by a thread of its own.
    fn listen(&mut self, group: &mut Group) -> (Arc<Pipes>, Receiver<TooMuch>) {
        let (sender, heard) = mpsc::channel();
        let pipes = Arc::new(Pipes::default());
        if let Some(mut stdin) = group.child.stdin.take() {
            let bytes = std::mem::take(&mut self.stdin);
            // Who does not read to the end has its reasons.
            thread::spawn(move || {
                let _ = stdin.write_all(&bytes);
            });
        }
        if let Some(stdout) = group.child.stdout.take() {
            let (sender, limit, pipes) = (sender.clone(), self.limit, Arc::clone(&pipes));
            thread::spawn(move || {
                let all_fits = drain(stdout, |chunk| {
                    let mut kept = lock(&pipes.stdout);
                    kept.extend(chunk);
                    kept.len() as u64 <= limit
                });
                if !all_fits {
                    let _ = sender.send(TooMuch);
                }
            });
        }
        if let Some(stderr) = group.child.stderr.take() {
            let pipes = Arc::clone(&pipes);
            thread::spawn(move || {
                // Gone when both are at their end.
                let _sender = sender;
                drain(stderr, |chunk| {
                    let mut kept = lock(&pipes.stderr);
                    kept.extend(chunk);
                    if kept.len() > 2 * LAST_WORDS {
                        keep_end(&mut kept);
                    }
                    true
                });
            });
        }
        (pipes, heard)
    }

    fn follow(&mut self, group: &mut Group, heard: &Receiver<TooMuch>, start: Instant) -> End {
        let mut ended: Option<(ExitStatus, Instant)> = None;
        let mut closed = false;
        loop {
            if closed {
                // It ends in this moment, or has closed its output to go on in silence.
                thread::sleep(Duration::from_millis(1));
            }
            match heard.recv_timeout(PAUSE) {
                Ok(TooMuch) => {
                    group.kill();
                    return End::TooMuch;
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => closed = true,
            }
            if ended.is_none() {
                match group.ended() {
                    Ok(status) => ended = status.map(|status| (status, Instant::now())),
                    Err(error) => return End::Lost(error),
                }
            }
            match ended {
                Some((status, since)) if closed || since.elapsed() > GRACE => {
                    return End::Ended(status);
                }
                Some(_) => {}
                None if start.elapsed() >= self.deadline => {
                    group.kill();
                    // What it had said may tell why.
                    let _ = heard.recv_timeout(PAUSE);
                    return End::TimedOut;
                }
                None if self.watch.as_mut().is_some_and(|watch| !watch()) => {
                    group.kill();
                    return End::TooMuch;
                }
                None => {}
            }
        }
    }
}

/// What was heard so far.
#[derive(Default)]
struct Pipes {
    stdout: Mutex<Vec<u8>>,
    stderr: Mutex<Vec<u8>>,
}

/// More was printed than may be.
struct TooMuch;

enum End {
    Ended(ExitStatus),
    TimedOut,
    TooMuch,
    Lost(io::Error),
}

/// Keeps the last whole lines: half a secret would be known to no mask.
fn keep_end(words: &mut Vec<u8>) {
    let Some(old) = words.len().checked_sub(LAST_WORDS).filter(|old| *old > 0) else {
        return;
    };
    words.drain(..old);
    let line = words.iter().position(|b| *b == b'\n');
    words.drain(..line.map_or(words.len(), |at| at + 1));
}

fn lock(bytes: &Mutex<Vec<u8>>) -> MutexGuard<'_, Vec<u8>> {
    bytes.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Reads to the end, or until `keep` has had enough; says whether it was the end.
fn drain(mut from: impl Read, mut keep: impl FnMut(&[u8]) -> bool) -> bool {
    let mut chunk = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = from.read(&mut chunk) {
        if !keep(chunk.get(..length).unwrap_or_default()) {
            return false;
        }
    }
    true
}
