//! Two runs at once do not mix.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::time::{Duration, Instant};
use std::{fmt, thread};

use crate::diagnostics::{Diagnostic, code};

/// How long a run waits for another; one takes well under a second.
const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(20);

/// With whom a lock is shared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// With all that only look.
    Shared,
    /// With nobody.
    Alone,
}

/// A folder that others leave alone while this lives. The lock is the system's, on
/// the folder itself: it leaves no file behind, and ends with the process.
pub struct Lock {
    // Unlocked when closed. `None`: the file system knows no locks.
    _folder: Option<File>,
}

impl fmt::Debug for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lock").finish_non_exhaustive()
    }
}

/// Another run holds the folder, and has not let go of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Busy;

impl Busy {
    /// As people and machines are told.
    #[must_use]
    pub fn diagnostic(&self, folder: &str) -> Diagnostic {
        let waited = PATIENCE.as_secs();
        Diagnostic::error(
            code::BUSY,
            format!("another run is at work in `{folder}`; waited {waited} seconds"),
        )
        .help("try again when it has ended")
    }
}

impl Lock {
    /// Takes hold of a folder that exists, waiting some seconds for who has it.
    /// `waiting` is called once, if it has to wait.
    ///
    /// A folder that cannot be locked (some network file systems) counts as held.
    ///
    /// # Errors
    ///
    /// If another run keeps it.
    pub fn acquire(folder: &Path, hold: Hold, waiting: impl FnOnce()) -> Result<Self, Busy> {
        let Ok(handle) = File::open(folder) else {
            return Ok(Self { _folder: None });
        };
        let start = Instant::now();
        let mut waiting = Some(waiting);
        loop {
            let tried = match hold {
                Hold::Shared => handle.try_lock_shared(),
                Hold::Alone => handle.try_lock(),
            };
            match tried {
                Ok(()) => {
                    return Ok(Self {
                        _folder: Some(handle),
                    });
                }
                Err(TryLockError::Error(_)) => return Ok(Self { _folder: None }),
                Err(TryLockError::WouldBlock) if start.elapsed() >= PATIENCE => return Err(Busy),
                Err(TryLockError::WouldBlock) => {
                    if let Some(waiting) = waiting.take() {
                        waiting();
                    }
                    thread::sleep(PAUSE);
                }
            }
        }
    }
}
