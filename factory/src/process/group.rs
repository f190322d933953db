//! A child with all its descendants, which end together.

use std::collections::BTreeSet;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;

use rustix::process::{Pid, Signal, kill_process_group};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// The groups that live. A group is started, found dead and killed under this
/// lock only, so that no signal ever goes to a number that the system has given
/// to somebody else.
static ALIVE: Mutex<BTreeSet<i32>> = Mutex::new(BTreeSet::new());

fn alive() -> MutexGuard<'static, BTreeSet<i32>> {
    ALIVE.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) struct Group {
    pub(super) child: Child,
    id: Option<i32>,
}

impl Group {
    /// Starts a program in a group of its own.
    pub(super) fn spawn(command: &mut Command) -> io::Result<Self> {
        guard();
        let mut alive = alive();
        let child = command.process_group(0).spawn()?;
        let id = i32::try_from(child.id()).ok();
        alive.extend(id);
        Ok(Self { child, id })
    }

    /// How it ended, if it has; does not wait.
    pub(super) fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        let mut alive = alive();
        let status = self.child.try_wait()?;
        if status.is_some()
            && let Some(id) = self.id.take()
        {
            alive.remove(&id);
        }
        Ok(status)
    }

    /// Kills it with all that it started, and waits for its end.
    pub(super) fn kill(&mut self) {
        let mut alive = alive();
        if let Some(id) = self.id.take() {
            kill(id);
            let _ = self.child.wait();
            alive.remove(&id);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}

fn kill(id: i32) {
    if let Some(pid) = Pid::from_raw(id) {
        let _ = kill_process_group(pid, Signal::KILL);
    }
}

/// From now on an interrupt ends the living groups, and then this program as it
/// would have without us. A terminal sends it to our own group only.
fn guard() {
    static GUARD: OnceLock<()> = OnceLock::new();
    GUARD.get_or_init(|| {
        let Ok(mut signals) = Signals::new([SIGINT, SIGTERM, SIGHUP]) else {
            return;
        };
        thread::spawn(move || {
            if let Some(signal) = signals.forever().next() {
                // Held to the end: nothing is started any more.
                let alive = alive();
                alive.iter().for_each(|id| kill(*id));
                let _ = signal_hook::low_level::emulate_default_handler(signal);
            }
        });
    });
}
