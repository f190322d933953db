//! Makes a commit out of another one and some changed files, object by object: no
//! index, no working tree, no lock, so a run that is killed leaves nothing behind.

use std::collections::BTreeMap;
use std::io::Write as _;

use image_factory::tree::Edit;

use super::checkout::Checkout;
use super::listing::{self, Entry, Kind};
use super::program::{Program, Trouble};

/// Who commits where neither the environment nor git's configuration names anybody.
/// The address can belong to no one.
const BOT: (&str, &str) = ("Image Factory Bot", "image-factory-bot@noreply.invalid");

/// Changed files of one folder: ids of files (`None`: deleted), and folders in it.
#[derive(Default)]
struct Folder {
    files: BTreeMap<String, Option<String>>,
    folders: BTreeMap<String, Self>,
}

/// A commit on `base` with the files of `edit` changed; `None` if that changes nothing.
pub(super) fn commit(
    checkout: &Checkout<'_>,
    base: &str,
    edit: &Edit,
    message: &str,
) -> Result<Option<String>, Trouble> {
    let git = &checkout.git;
    let mut changes = Folder::default();
    for ((path, _), id) in edit.files.iter().zip(blobs(git, edit)?) {
        changes.put(&checkout.top_path(path), id)?;
    }
    let top = format!("{base}^{{tree}}");
    let old = git.line(&["rev-parse", "--verify", "--end-of-options", &top], b"")?;
    let new = match changes.write(git, &old, "")? {
        Some(new) => new,
        None => git.line(&["mktree"], b"")?,
    };
    if new == old {
        return Ok(None);
    }
    let mut arguments = vec![
        "-c",
        "i18n.commitEncoding=UTF-8",
        "commit-tree",
        &new,
        "-p",
        base,
    ];
    let signed = git.perhaps(&["config", "--type=bool", "--get", "commit.gpgsign"])?;
    if signed.as_deref() == Some("true") {
        arguments.push("-S");
    }
    arguments.extend(["-F", "-"]);
    let message = format!("{}\n", message.trim_end());
    identified(git)?
        .line(&arguments, message.as_bytes())
        .map(Some)
}

impl Folder {
    fn put(&mut self, path: &str, id: Option<String>) -> Result<(), Trouble> {
        let mut folder = self;
        let mut parts = path.split('/').peekable();
        while let Some(part) = parts.next() {
            if matches!(part, "" | "." | "..")
                || part.eq_ignore_ascii_case(".git")
                || part.contains(['\0', '\n', '\\'])
            {
                return Err(Trouble::Unexpected(format!(
                    "`{path}` is no path to commit"
                )));
            }
            if parts.peek().is_none() {
                folder.files.insert(part.to_owned(), id);
                return Ok(());
            }
            folder = folder.folders.entry(part.to_owned()).or_default();
        }
        Ok(())
    }

    /// Writes the tree `old` (empty: none) with the changes. `None`: nothing is left in it.
    fn write(self, git: &Program<'_>, old: &str, path: &str) -> Result<Option<String>, Trouble> {
        let mut entries: BTreeMap<Vec<u8>, Entry> = if old.is_empty() {
            BTreeMap::new()
        } else {
            let entries = listing::folder(git, old)?;
            entries.into_iter().map(|e| (e.name.clone(), e)).collect()
        };
        let in_the_way =
            |inner: &str| Trouble::Failed("mktree".to_owned(), format!("`{inner}` is in the way"));
        for (name, id) in self.files {
            let old = entries.remove(name.as_bytes());
            let mode = match &old {
                Some(old) if old.kind() != Kind::File => {
                    return Err(in_the_way(&format!("{path}{name}")));
                }
                Some(old) => old.mode.clone(),
                None => "100644".to_owned(),
            };
            if let Some(id) = id {
                let name = name.into_bytes();
                entries.insert(name.clone(), Entry { mode, name, id });
            }
        }
        for (name, folder) in self.folders {
            let inner = format!("{path}{name}/");
            let old = match entries.remove(name.as_bytes()) {
                Some(old) if old.kind() != Kind::Folder => return Err(in_the_way(&inner)),
                Some(old) => old.id,
                None => String::new(),
            };
            if let Some(id) = folder.write(git, &old, &inner)? {
                let name = name.into_bytes();
                let mode = "40000".to_owned();
                entries.insert(name.clone(), Entry { mode, name, id });
            }
        }
        if entries.is_empty() {
            return Ok(None);
        }
        let mut input = Vec::new();
        for entry in entries.values() {
            let kind = match entry.kind() {
                Kind::Folder => "tree",
                Kind::Submodule => "commit",
                Kind::File | Kind::Link => "blob",
            };
            input.extend(format!("{} {kind} {}\t", entry.mode, entry.id).bytes());
            input.extend(&entry.name);
            input.push(0);
        }
        // What a partial clone does not have is not asked for.
        git.line(&["mktree", "-z", "--missing"], &input).map(Some)
    }
}

/// The ids of the texts of an edit, which are written to the repository.
fn blobs(git: &Program<'_>, edit: &Edit) -> Result<Vec<Option<String>>, Trouble> {
    let mut input = Vec::new();
    let mut count = 0_usize;
    for text in edit.files.values().flatten() {
        count += 1;
        // Writing to memory cannot fail.
        let _ = write!(input, "blob\nmark :{count}\ndata {}\n", text.len());
        input.extend(text.as_bytes());
        let _ = write!(input, "\nget-mark :{count}\n");
    }
    if count == 0 {
        return Ok(edit.files.values().map(|_| None).collect());
    }
    input.extend(b"done\n");
    let out = git.line(&["fast-import", "--quiet", "--done"], &input)?;
    let mut ids = out.lines().map(str::to_owned);
    let all: Vec<Option<String>> = edit
        .files
        .values()
        .map(|text| text.as_ref().and_then(|_| ids.next()))
        .collect();
    if out.lines().count() == count {
        Ok(all)
    } else {
        Err(Trouble::Unexpected("not one id for each file".to_owned()))
    }
}

/// Git as somebody: who the environment or git's configuration says, else the bot.
fn identified<'a>(git: &Program<'a>) -> Result<Program<'a>, Trouble> {
    let mut git = git.clone();
    for who in ["AUTHOR", "COMMITTER"] {
        let asked = [
            "-c",
            "user.useConfigOnly=true",
            "var",
            &format!("GIT_{who}_IDENT"),
        ];
        if git.perhaps(&asked)?.is_none() {
            git = git
                .with(format!("GIT_{who}_NAME"), BOT.0)
                .with(format!("GIT_{who}_EMAIL"), BOT.1);
        }
    }
    Ok(git)
}
