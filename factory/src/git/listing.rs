//! The objects of a repository: what is in a folder, and the content of many files.

use std::collections::BTreeMap;

use super::program::{Program, Trouble};

/// What an entry of a folder is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Folder,
    File,
    Link,
    Submodule,
}

/// An entry of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// As git writes it, such as `100644`.
    pub(super) mode: String,
    /// Name, or path where folders within folders are listed.
    pub(super) name: Vec<u8>,
    /// In hexadecimal.
    pub(super) id: String,
}

impl Entry {
    pub(super) fn kind(&self) -> Kind {
        match self.mode.as_str() {
            "40000" | "040000" => Kind::Folder,
            "120000" => Kind::Link,
            "160000" => Kind::Submodule,
            _ => Kind::File,
        }
    }
}

/// What is in a tree.
pub(super) fn folder(git: &Program<'_>, tree: &str) -> Result<Vec<Entry>, Trouble> {
    entries(&git.bytes(&["ls-tree", "-z", "--full-tree", tree], b"")?)
}

/// What stands at some paths of a commit, files and folders, with all that is below.
/// Paths that are not there are left out.
pub(super) fn below(
    git: &Program<'_>,
    commit: &str,
    paths: &[&str],
) -> Result<Vec<Entry>, Trouble> {
    let mut arguments = vec!["ls-tree", "-r", "-t", "-z", "--full-tree", commit, "--"];
    arguments.extend(paths);
    entries(&git.bytes(&arguments, b"")?)
}

/// The entries of a listing, each `MODE SP TYPE SP ID TAB NAME NUL`.
fn entries(listing: &[u8]) -> Result<Vec<Entry>, Trouble> {
    let entry = |line: &[u8]| {
        let tab = line.iter().position(|b| *b == b'\t')?;
        let (head, name) = line.split_at_checked(tab)?;
        let mut words = std::str::from_utf8(head).ok()?.split(' ');
        let (mode, _, id) = (words.next()?, words.next()?, words.next()?);
        Some(Entry {
            mode: mode.to_owned(),
            name: name.get(1..)?.to_owned(),
            id: id.to_owned(),
        })
    };
    listing
        .split(|b| *b == 0)
        .filter(|line| !line.is_empty())
        .map(|line| entry(line).ok_or_else(|| Trouble::Unexpected("a broken listing".to_owned())))
        .collect()
}

/// The sizes of some files.
pub(super) fn sizes(git: &Program<'_>, ids: &[&str]) -> Result<BTreeMap<String, u64>, Trouble> {
    let out = git.bytes(&["cat-file", "--batch-check"], asked(ids).as_bytes())?;
    String::from_utf8_lossy(&out)
        .lines()
        .map(|line| {
            let (id, size) = header(line)?;
            Ok((id.to_owned(), size))
        })
        .collect()
}

/// The contents of some files, in their order.
pub(super) fn contents(git: &Program<'_>, ids: &[&str]) -> Result<Vec<Vec<u8>>, Trouble> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let out = git.bytes(&["cat-file", "--batch"], asked(ids).as_bytes())?;
    let mut rest = out.as_slice();
    let mut all = Vec::with_capacity(ids.len());
    let cut = || Trouble::Unexpected("fewer objects than were asked for".to_owned());
    for _ in ids {
        let end = rest.iter().position(|b| *b == b'\n').ok_or_else(cut)?;
        let (head, after) = rest.split_at_checked(end + 1).ok_or_else(cut)?;
        let (_, size) = header(String::from_utf8_lossy(head).trim_end())?;
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        let (content, after) = after.split_at_checked(size).ok_or_else(cut)?;
        all.push(content.to_owned());
        rest = after.get(1..).ok_or_else(cut)?;
    }
    Ok(all)
}

fn asked(ids: &[&str]) -> String {
    let mut text = ids.join("\n");
    text.push('\n');
    text
}

/// `ID SP TYPE SP SIZE`; one that is not there is `ID SP missing`.
fn header(line: &str) -> Result<(&str, u64), Trouble> {
    let mut words = line.split(' ');
    let (id, _, size) = (words.next(), words.next(), words.next());
    match (id, size.and_then(|size| size.parse().ok())) {
        (Some(id), Some(size)) => Ok((id, size)),
        _ => Err(Trouble::Unexpected(format!("the object `{line}`"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listing_is_read_to_its_end() {
        let listing = b"040000 tree ab12\tstate\x00100755 blob 01\ta\tb.yaml\x00120000 blob 02\tlink\xff\x00160000 commit 03\tm\0";
        let all = entries(listing).unwrap();
        let seen: Vec<_> = all
            .iter()
            .map(|e| (e.kind(), e.name.as_slice(), e.id.as_str()))
            .collect();
        let expected: [(Kind, &[u8], &str); 4] = [
            (Kind::Folder, b"state", "ab12"),
            (Kind::File, b"a\tb.yaml", "01"),
            (Kind::Link, b"link\xff", "02"),
            (Kind::Submodule, b"m", "03"),
        ];
        assert_eq!(seen, expected);
        assert!(entries(b"").unwrap().is_empty());
        for broken in [
            b"040000 tree ab12".as_slice(),
            b"040000\tx\0",
            b"\xff a b\tx\0",
        ] {
            assert!(entries(broken).is_err());
        }
    }

    #[test]
    fn a_header_names_an_object_and_its_size() {
        assert_eq!(header("ab blob 12").unwrap(), ("ab", 12));
        for broken in ["ab missing", "", "ab blob x"] {
            assert!(header(broken).is_err(), "{broken}");
        }
    }
}
