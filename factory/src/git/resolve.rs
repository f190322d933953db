//! From a path to the file that it leads to, inside one tree of git.
//!
//! Symbolic links are followed as the system would in a checkout, but never out of
//! the repository. The walk asks for the objects that it needs, so that they can be
//! fetched for many paths at once; it starts anew with what was learned.

use std::collections::BTreeMap;
use std::fmt;

use image_factory::diagnostics::nearest;

/// More links than any system follows.
const LINKS: usize = 40;
/// A link's text is no longer than a path of the system's.
pub(super) const LINK_SIZE: u64 = 4096;
/// Names that a message lists.
const NAMES: usize = 8;

/// What an entry of a tree is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    File,
    Folder,
    Link,
    Module,
}

/// One entry of a tree.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Entry {
    pub(super) kind: Kind,
    pub(super) name: Vec<u8>,
    pub(super) id: String,
}

/// What is known of the objects so far, by their ids.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) trees: BTreeMap<String, Vec<Entry>>,
    /// The texts of links.
    pub(super) links: BTreeMap<String, Vec<u8>>,
}

/// Where a walk ends.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Step {
    /// At the file: its object.
    File(String),
    /// At a tree that has to be known to go on.
    NeedTree(String),
    /// At a link whose text has to be known to go on.
    NeedLink(String),
    /// At nothing.
    Fault(PathFault),
}

/// Why a path leads to no file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PathFault {
    /// There is nothing at this path.
    Missing {
        /// What is not there.
        path: String,
        /// The nearest name in its folder, as a path.
        nearest: Option<String>,
        /// Some names of what its folder holds.
        there: Vec<String>,
    },
    /// It is a folder.
    Folder(String),
    /// It goes on behind something that is no folder.
    NotFolder(String),
    /// It leads into another repository.
    Module(String),
    /// A symbolic link leads out of the repository: the link, and where it leads.
    Outside(String, String),
    /// Symbolic links lead in a circle.
    Circle(String),
}

impl fmt::Display for PathFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { path, .. } => write!(f, "there is no `{path}`"),
            Self::Folder(path) => write!(f, "`{path}` is a folder"),
            Self::NotFolder(path) => write!(f, "`{path}` is a file, not a folder"),
            Self::Module(path) => write!(f, "`{path}` is a submodule, which is not read"),
            Self::Outside(path, target) => write!(
                f,
                "`{path}` is a symbolic link to `{target}`, outside the repository"
            ),
            Self::Circle(path) => write!(f, "`{path}` is a symbolic link that leads in a circle"),
        }
    }
}

impl PathFault {
    /// What to do about it.
    #[must_use]
    pub fn help(&self) -> String {
        match self {
            Self::Missing {
                nearest: Some(nearest),
                ..
            } => format!("did you mean `{nearest}`?"),
            Self::Missing { there, .. } if there.is_empty() => {
                "see what the path should be; it counts from the top of the repository".to_owned()
            }
            Self::Missing { there, .. } => {
                format!("there are `{}`", there.join("`, `"))
            }
            Self::Folder(path) => format!("name the file, such as `{path}/Dockerfile`"),
            Self::NotFolder(_) => {
                "see what the path should be; it counts from the top of the repository".to_owned()
            }
            Self::Module(_) => "name the submodule's own repository as the source".to_owned(),
            Self::Outside(..) | Self::Circle(_) => {
                "replace the symbolic link by the file itself".to_owned()
            }
        }
    }
}

/// A name of a server's choosing, so that it can be shown.
fn shown(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let plain = text.chars().map(|c| if c.is_control() { '?' } else { c });
    plain.take(120).collect()
}

struct Walk<'k> {
    known: &'k Known,
    /// The folders from the top to where it stands: name and tree.
    folders: Vec<(String, &'k [Entry])>,
    /// What is left of the path, the next part last.
    rest: Vec<Vec<u8>>,
    links: usize,
}

/// Walks from the top tree along `path`.
pub(super) fn walk(top: &str, path: &str, known: &Known) -> Step {
    let Some(entries) = known.trees.get(top) else {
        return Step::NeedTree(top.to_owned());
    };
    let mut walk = Walk {
        known,
        folders: vec![(String::new(), entries)],
        rest: Vec::new(),
        links: 0,
    };
    walk.push(path.as_bytes());
    while let Some(part) = walk.rest.pop() {
        if let Err(step) = walk.enter(&part) {
            return step;
        }
    }
    Step::Fault(PathFault::Folder(match walk.here("") {
        path if path.is_empty() => ".".to_owned(),
        path => path,
    }))
}

impl<'k> Walk<'k> {
    /// Puts a path in front of what is left.
    fn push(&mut self, path: &[u8]) {
        let parts = path.split(|b| *b == b'/');
        let parts = parts.filter(|part| !part.is_empty() && *part != b".");
        self.rest.extend(parts.rev().map(<[u8]>::to_vec));
    }

    /// The path of something in the current folder.
    fn here(&self, name: &str) -> String {
        let folders = self.folders.iter().skip(1).map(|(name, _)| name.as_str());
        let parts: Vec<&str> = folders.chain([name]).filter(|p| !p.is_empty()).collect();
        parts.join("/")
    }

    /// One part further; an end of the walk as error.
    fn enter(&mut self, part: &[u8]) -> Result<(), Step> {
        let fault = |fault| Err(Step::Fault(fault));
        if part == b".." {
            // Only links say this, and those that lead out were stopped before.
            self.folders.pop();
            return Ok(());
        }
        let Some((_, entries)) = self.folders.last() else {
            return fault(PathFault::Outside(shown(part), "..".to_owned()));
        };
        let Some(entry) = entries.iter().find(|entry| entry.name == part) else {
            return fault(self.missing(part));
        };
        let path = self.here(&shown(part));
        match entry.kind {
            Kind::Folder => match self.known.trees.get(&entry.id) {
                None => Err(Step::NeedTree(entry.id.clone())),
                Some(tree) => {
                    self.folders.push((shown(part), tree));
                    Ok(())
                }
            },
            Kind::File if self.rest.is_empty() => Err(Step::File(entry.id.clone())),
            Kind::File => fault(PathFault::NotFolder(path)),
            Kind::Module => fault(PathFault::Module(path)),
            Kind::Link => {
                let Some(target) = self.known.links.get(&entry.id) else {
                    return Err(Step::NeedLink(entry.id.clone()));
                };
                self.links += 1;
                if self.links > LINKS {
                    return fault(PathFault::Circle(path));
                }
                if self.leads_out(target) {
                    return fault(PathFault::Outside(path, shown(target)));
                }
                self.push(target);
                Ok(())
            }
        }
    }

    /// Does a link in the current folder lead above the top? Also when it comes back:
    /// where to depends on what the checkout is called.
    fn leads_out(&self, target: &[u8]) -> bool {
        let mut depth = self.folders.len();
        let parts = target.split(|b| *b == b'/');
        target.is_empty()
            || target.first() == Some(&b'/')
            || parts.into_iter().any(|part| {
                match part {
                    b"" | b"." => {}
                    b".." => depth = depth.saturating_sub(1),
                    _ => depth += 1,
                }
                depth == 0
            })
    }

    fn missing(&self, part: &[u8]) -> PathFault {
        let name = shown(part);
        let entries = self
            .folders
            .last()
            .map(|(_, entries)| *entries)
            .unwrap_or_default();
        let names: Vec<String> = entries.iter().map(|entry| shown(&entry.name)).collect();
        let known: Vec<&str> = names.iter().map(String::as_str).collect();
        let dockerfiles = || {
            let like = |name: &&&str| name.to_ascii_lowercase().contains("dockerfile");
            known.iter().find(like).copied()
        };
        let nearest =
            nearest(&name, &known).or_else(|| dockerfiles().filter(|_| self.rest.is_empty()));
        PathFault::Missing {
            path: self.here(&name),
            nearest: nearest.map(|name| self.here(name)),
            there: known
                .iter()
                .take(NAMES)
                .map(|name| self.here(name))
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `f NAME`, `d NAME TREE`, `l NAME TARGET`, `m NAME`
    fn tree(lines: &[&str], known: &mut Known) -> Vec<Entry> {
        let mut all = Vec::new();
        for line in lines {
            let words: Vec<&str> = line.split(' ').collect();
            let (kind, id) = match words[0] {
                "f" => (Kind::File, format!("file-{}", words[1])),
                "d" => (Kind::Folder, words[2].to_owned()),
                "l" => (Kind::Link, format!("link-{}", words[2])),
                _ => (Kind::Module, "module".to_owned()),
            };
            if kind == Kind::Link {
                known.links.insert(id.clone(), words[2].into());
            }
            let name = words[1].into();
            all.push(Entry { kind, name, id });
        }
        all
    }

    fn example() -> Known {
        let mut known = Known::default();
        for (id, lines) in [
            (
                "top",
                &[
                    "f Dockerfile",
                    "d apps apps",
                    "l out /etc/passwd",
                    "l up ..",
                    "l self self",
                    "l a b",
                    "l b a",
                    "l deep apps/shop",
                    "l updown apps/../../x",
                    "m sub",
                    "l dangling nowhere",
                    "l viasub sub/Dockerfile",
                    "l folder apps",
                    "l trick apps/shop/../../Dockerfile",
                ][..],
            ),
            ("apps", &["d shop shop", "f readme"]),
            (
                "shop",
                &[
                    "f Dockerfile.prod",
                    "l Dockerfile ../../Dockerfile",
                    "l evil ../../../x",
                ],
            ),
        ] {
            let entries = tree(lines, &mut known);
            known.trees.insert(id.to_owned(), entries);
        }
        known
    }

    #[test]
    fn paths_lead_to_files_and_nowhere_else() {
        let known = example();
        let missing = |path: &str, near: Option<&str>| match walk("top", path, &known) {
            Step::Fault(PathFault::Missing { nearest, .. }) => {
                assert_eq!(nearest.as_deref(), near, "{path}");
            }
            other => panic!("{path}: {other:?}"),
        };
        for (path, file) in [
            ("Dockerfile", "file-Dockerfile"),
            ("apps/readme", "file-readme"),
            ("apps/shop/Dockerfile", "file-Dockerfile"),
            ("deep/Dockerfile.prod", "file-Dockerfile.prod"),
            ("folder/shop/Dockerfile", "file-Dockerfile"),
            ("trick", "file-Dockerfile"),
        ] {
            assert_eq!(
                walk("top", path, &known),
                Step::File(file.to_owned()),
                "{path}"
            );
        }
        missing("Dockerfil", Some("Dockerfile"));
        missing(
            "apps/shop/Dockerfile.pro",
            Some("apps/shop/Dockerfile.prod"),
        );
        missing("apps/shop/Containerfile", Some("apps/shop/Dockerfile.prod"));
        missing("dangling", Some("Dockerfile"));
        missing("nothing/like/it", None);
        for (path, fault) in [
            ("apps", PathFault::Folder("apps".into())),
            ("deep", PathFault::Folder("apps/shop".into())),
            (".", PathFault::Folder(".".into())),
            ("Dockerfile/x", PathFault::NotFolder("Dockerfile".into())),
            ("sub", PathFault::Module("sub".into())),
            ("viasub", PathFault::Module("sub".into())),
            ("sub/Dockerfile", PathFault::Module("sub".into())),
            (
                "out",
                PathFault::Outside("out".into(), "/etc/passwd".into()),
            ),
            ("up", PathFault::Outside("up".into(), "..".into())),
            (
                "updown",
                PathFault::Outside("updown".into(), "apps/../../x".into()),
            ),
            (
                "apps/shop/evil",
                PathFault::Outside("apps/shop/evil".into(), "../../../x".into()),
            ),
            ("self", PathFault::Circle("self".into())),
            ("a", PathFault::Circle("a".into())),
        ] {
            assert_eq!(walk("top", path, &known), Step::Fault(fault), "{path}");
        }
    }

    #[test]
    fn what_is_not_known_is_asked_for() {
        let mut known = Known::default();
        let path = "deep/Dockerfile";
        assert_eq!(walk("top", path, &known), Step::NeedTree("top".into()));
        let whole = example();
        known.trees.insert("top".into(), whole.trees["top"].clone());
        assert_eq!(
            walk("top", path, &known),
            Step::NeedLink("link-apps/shop".into())
        );
        known.links = whole.links;
        assert_eq!(walk("top", path, &known), Step::NeedTree("apps".into()));
    }

    #[test]
    fn what_a_server_names_is_shown_without_control_characters() {
        let mut known = Known::default();
        let entry = Entry {
            kind: Kind::File,
            name: b"Dockerfile\x1b[31m\xff".to_vec(),
            id: "x".into(),
        };
        known.trees.insert("top".into(), vec![entry]);
        let Step::Fault(fault) = walk("top", "Dockerfile", &known) else {
            panic!("found");
        };
        assert!(!format!("{fault}{}", fault.help()).contains('\u{1b}'));
    }
}
