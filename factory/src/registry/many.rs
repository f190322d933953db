//! Many questions at once.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread;

use image_factory::model::{Digest, Reference};

use super::{Registry, RegistryError, Resolved};

/// A reference to resolve.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// What is asked for.
    pub reference: Reference,
    /// The digest that was seen last.
    pub known: Option<Digest>,
    /// Whether a new digest's image is asked what it says of itself.
    pub describe: bool,
}

/// How much goes on at the same time.
#[derive(Clone, Copy, Debug)]
pub struct Concurrency {
    /// In all.
    pub all: usize,
    /// With one registry.
    pub per_registry: usize,
}

impl Default for Concurrency {
    fn default() -> Self {
        Self {
            all: 16,
            per_registry: 4,
        }
    }
}

impl Registry {
    /// Resolves all of them, several at once, each with an answer of its own, in the
    /// order of `wanted`. `progress` is told how many of them are done.
    pub fn resolve_all(
        &self,
        wanted: &[Wanted],
        concurrency: Concurrency,
        progress: &(dyn Fn(usize) + Sync),
    ) -> Vec<Result<Resolved, RegistryError>> {
        let work = Mutex::new(Work::new(wanted, concurrency.per_registry.max(1)));
        let changed = Condvar::new();
        let threads = concurrency.all.max(1).min(wanted.len());
        thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| self.take_part(wanted, &work, &changed, progress));
            }
        });
        let work = work.into_inner().unwrap_or_else(PoisonError::into_inner);
        let unanswered = || {
            let error = RegistryError::garbage("the question was given up");
            Err(error)
        };
        work.done
            .into_iter()
            .map(|answer| answer.unwrap_or_else(unanswered))
            .collect()
    }

    fn take_part(
        &self,
        wanted: &[Wanted],
        work: &Mutex<Work>,
        changed: &Condvar,
        progress: &(dyn Fn(usize) + Sync),
    ) {
        let mut guard = work.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let Some((host, at)) = guard.next() else {
                if guard.is_empty() {
                    return;
                }
                guard = changed.wait(guard).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            drop(guard);
            let answer = wanted.get(at).map(|one| self.answer(one));
            guard = work.lock().unwrap_or_else(PoisonError::into_inner);
            guard.finish(&host, at, answer);
            let done = guard.finished;
            changed.notify_all();
            drop(guard);
            progress(done);
            guard = work.lock().unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn answer(&self, wanted: &Wanted) -> Result<Resolved, RegistryError> {
        let mut resolved = self.resolve(&wanted.reference, wanted.known.as_ref())?;
        if wanted.describe && wanted.known.as_ref() != Some(&resolved.digest) {
            let repository = &wanted.reference.repository;
            resolved.description = Some(self.describe(repository, &resolved.digest)?);
        }
        Ok(resolved)
    }
}

/// What is to be done, by registry, so that one that is slow holds nobody else back.
struct Work {
    queues: BTreeMap<String, Queue>,
    per_registry: usize,
    done: Vec<Option<Result<Resolved, RegistryError>>>,
    finished: usize,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<usize>,
    running: usize,
}

impl Work {
    fn new(wanted: &[Wanted], per_registry: usize) -> Self {
        let mut queues: BTreeMap<String, Queue> = BTreeMap::new();
        for (at, one) in wanted.iter().enumerate() {
            let registry = one.reference.repository.registry().to_owned();
            queues.entry(registry).or_default().waiting.push_back(at);
        }
        Self {
            queues,
            per_registry,
            done: vec![None; wanted.len()],
            finished: 0,
        }
    }

    /// The next question of the registry that is asked least.
    fn next(&mut self) -> Option<(String, usize)> {
        let limit = self.per_registry;
        let (host, queue) = self
            .queues
            .iter_mut()
            .filter(|(_, queue)| !queue.waiting.is_empty() && queue.running < limit)
            .min_by_key(|(_, queue)| queue.running)?;
        let at = queue.waiting.pop_front()?;
        queue.running += 1;
        Some((host.clone(), at))
    }

    fn is_empty(&self) -> bool {
        self.queues.values().all(|queue| queue.waiting.is_empty())
    }

    fn finish(&mut self, host: &str, at: usize, answer: Option<Result<Resolved, RegistryError>>) {
        if let Some(queue) = self.queues.get_mut(host) {
            queue.running -= 1;
        }
        if let Some(slot) = self.done.get_mut(at) {
            *slot = answer;
        }
        self.finished += 1;
    }
}
