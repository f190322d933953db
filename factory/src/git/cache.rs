//! What was fetched, kept between runs.
//!
//! One folder for each repository and branch, named by a hash of both, so that no
//! two ever share one. It holds a bare repository with the folders of a few commits
//! and the files that were wanted, and a list of the files of the newest commit by
//! their hashes. All of it is checked when it is read: what is damaged is thrown
//! away, and the whole cache may be deleted at any time.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, DirBuilder, File, TryLockError};
use std::io::{self, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use image_factory::model::{Branch, GitUrl};
use sha2::{Digest as _, Sha256};

use super::Git;

/// The form of the cache; another form gets another folder.
const FORM: &str = "v1";
/// How long a run waits for another that reads the same branch.
const PATIENCE: Duration = Duration::from_secs(300);
const PAUSE: Duration = Duration::from_millis(50);
/// Beyond these a repository is begun anew, which is what tidies it up.
const PACKS: usize = 64;
const WEIGHT: u64 = 1 << 30;

/// The cache as a whole.
#[derive(Debug)]
pub struct Cache {
    root: PathBuf,
    /// Deleted with this, where there was no place for a lasting one.
    temporary: bool,
}

impl Cache {
    /// The cache that the environment names: `IMAGE_FACTORY_CACHE`, else
    /// `image-factory` in `XDG_CACHE_HOME`, else in `~/.cache`. Without any of these
    /// it lasts as long as this value.
    ///
    /// # Errors
    ///
    /// If the folder cannot be made.
    pub fn of_environment(git: &Git) -> io::Result<Self> {
        let absolute = |name: &str| {
            let path = PathBuf::from(git.variable(name)?);
            path.is_absolute().then_some(path)
        };
        if let Some(named) = git.variable("IMAGE_FACTORY_CACHE") {
            return Self::open(&std::path::absolute(named)?);
        }
        let usual = absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache")));
        match usual {
            Some(folder) => Self::open(&folder.join("image-factory")),
            None => Self::temporary(),
        }
    }

    /// The cache in this folder, which is made if it is not there.
    ///
    /// # Errors
    ///
    /// If it cannot be made.
    pub fn open(folder: &Path) -> io::Result<Self> {
        let root = folder.join(FORM);
        private(&root)?;
        let cache = Self {
            root: root.canonicalize()?,
            temporary: false,
        };
        for length in [40, 64] {
            let neutral = cache.neutral(length);
            if !neutral.join("config").is_file() {
                bare(&neutral, length, None)?;
            }
        }
        Ok(cache)
    }

    fn temporary() -> io::Result<Self> {
        let name = format!("image-factory-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        // Whoever made one of this name before us is not trusted.
        DirBuilder::new().mode(0o700).create(&folder)?;
        let mut cache = Self::open(&folder)?;
        cache.temporary = true;
        Ok(cache)
    }

    /// An empty repository that knows no server: a git in it fetches nothing by itself.
    /// `length` is that of ids.
    pub(super) fn neutral(&self, length: usize) -> PathBuf {
        self.root
            .join(if length == 64 { "none-sha256" } else { "none" })
    }

    /// The part of this repository and branch, held alone until dropped.
    pub(super) fn entry(&self, url: &GitUrl, branch: &Branch) -> io::Result<Entry> {
        let key = hash(format!("{url}\0{branch}").as_bytes());
        let lock = File::create(self.root.join(format!("{key}.lock")))?;
        let start = Instant::now();
        loop {
            match lock.try_lock() {
                Ok(()) => break,
                // A file system without locks: the worst is a cache made anew.
                Err(TryLockError::Error(_)) => break,
                Err(TryLockError::WouldBlock) if start.elapsed() >= PATIENCE => {
                    return Err(io::Error::new(
                        io::ErrorKind::TimedOut,
                        "another run has been reading the same branch for five minutes",
                    ));
                }
                Err(TryLockError::WouldBlock) => thread::sleep(PAUSE),
            }
        }
        let folder = self.root.join(&key);
        private(&folder)?;
        Ok(Entry {
            folder,
            url: url.clone(),
            _lock: lock,
        })
    }
}

impl Drop for Cache {
    fn drop(&mut self) {
        if let Some(folder) = self.root.parent().filter(|_| self.temporary) {
            let _ = fs::remove_dir_all(folder);
        }
    }
}

/// The part of one repository and branch.
pub(super) struct Entry {
    folder: PathBuf,
    url: GitUrl,
    // Unlocked when closed.
    _lock: File,
}

impl Entry {
    /// The files of a commit that are remembered, of those asked for.
    pub(super) fn recall<'p>(&self, commit: &str, paths: &[&'p str]) -> BTreeMap<&'p str, Vec<u8>> {
        let seen = self.seen(commit);
        let recalled = |path: &&'p str| {
            let hash = seen.get(*path)?;
            Some((*path, self.content(hash)?))
        };
        paths.iter().filter_map(recalled).collect()
    }

    /// Remembers files of a commit, and forgets those of other commits. That this fails
    /// costs only time, later.
    pub(super) fn remember(&self, commit: &str, files: &BTreeMap<&str, &[u8]>) {
        let mut seen = self.seen(commit);
        let mut written = || -> io::Result<()> {
            private(&self.files())?;
            for (path, bytes) in files {
                let hash = hash(bytes);
                let place = self.files().join(&hash);
                if self.content(&hash).is_none() {
                    replace(&place, bytes)?;
                }
                seen.insert((*path).to_owned(), hash);
            }
            let lines = seen.iter().map(|(path, hash)| format!("{hash} {path}\n"));
            let list: String = [format!("{commit}\n")].into_iter().chain(lines).collect();
            replace(&self.list(), list.as_bytes())?;
            let kept: BTreeSet<&String> = seen.values().collect();
            for file in fs::read_dir(self.files())? {
                let file = file?;
                if !file
                    .file_name()
                    .to_str()
                    .is_some_and(|name| kept.contains(&name.to_owned()))
                {
                    fs::remove_file(file.path())?;
                }
            }
            Ok(())
        };
        let _ = written();
    }

    /// The bare repository, made if it is not there; and whether it was.
    pub(super) fn repository(&self, id_length: usize) -> io::Result<(PathBuf, bool)> {
        let folder = self.folder.join("git");
        let there = folder.join("config").is_file();
        if there && self.heavy() {
            self.discard()?;
            return self.repository(id_length);
        }
        if !there {
            bare(&folder, id_length, Some(&self.url))?;
        }
        Ok((folder, there))
    }

    /// Throws the repository away, not what is remembered besides.
    pub(super) fn discard(&self) -> io::Result<()> {
        match fs::remove_dir_all(self.folder.join("git")) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// The bytes that the repository's packs have, those that are being fetched too.
    pub(super) fn weight(&self) -> u64 {
        self.packs().iter().sum()
    }

    fn heavy(&self) -> bool {
        let packs = self.packs();
        // A pack has a file for its index, and one that says where it is from.
        packs.len() > 3 * PACKS || packs.iter().sum::<u64>() > WEIGHT
    }

    fn packs(&self) -> Vec<u64> {
        let Ok(files) = fs::read_dir(self.folder.join("git/objects/pack")) else {
            return Vec::new();
        };
        let sizes = files.filter_map(|file| Some(file.ok()?.metadata().ok()?.len()));
        sizes.collect()
    }

    fn list(&self) -> PathBuf {
        self.folder.join("seen")
    }

    fn files(&self) -> PathBuf {
        self.folder.join("files")
    }

    /// Path and hash of each remembered file of this commit.
    fn seen(&self, commit: &str) -> BTreeMap<String, String> {
        let text = fs::read_to_string(self.list()).unwrap_or_default();
        let mut lines = text.lines();
        if lines.next() != Some(commit) {
            return BTreeMap::new();
        }
        let known = |line: &str| {
            let (hash, path) = line.split_once(' ')?;
            let good = hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit());
            good.then(|| (path.to_owned(), hash.to_owned()))
        };
        lines.filter_map(known).collect()
    }

    /// A remembered file, if it is what it was.
    fn content(&self, name: &str) -> Option<Vec<u8>> {
        let bytes = fs::read(self.files().join(name)).ok()?;
        (hash(&bytes) == name).then_some(bytes)
    }
}

/// Makes a folder, with those above it, that nobody else can look into.
fn private(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// A bare repository, as `git init` would make it. Of `from` it takes files as they are
/// asked for.
fn bare(folder: &Path, id_length: usize, from: Option<&GitUrl>) -> io::Result<()> {
    for part in ["objects/pack", "refs/heads"] {
        private(&folder.join(part))?;
    }
    let mut config = String::from("[core]\n\trepositoryformatversion = 1\n\tbare = true\n");
    if id_length == 64 || from.is_some() {
        config.push_str("[extensions]\n");
    }
    if id_length == 64 {
        config.push_str("\tobjectFormat = sha256\n");
    }
    if let Some(url) = from {
        config.push_str(&format!(
            "\tpartialClone = origin\n[remote \"origin\"]\n\turl = {url}\n\tpromisor = true\n\tpartialCloneFilter = blob:none\n"
        ));
    }
    replace(&folder.join("HEAD"), b"ref: refs/heads/main\n")?;
    replace(&folder.join("config"), config.as_bytes())
}

/// Writes a file whole, or not at all.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let beside = path.with_extension(format!("new-{}-{number}", std::process::id()));
    let mut file = File::create(&beside)?;
    file.write_all(bytes)?;
    fs::rename(&beside, path)
}

fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect()
}
