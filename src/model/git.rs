//! Where sources live: hosts, repositories, branches, paths.

use std::borrow::Cow;

use crate::diagnostics::human::invisible;
use crate::diagnostics::{Code, code};

use super::parse::{Invalid, Parse, choice_type, text_type};

choice_type! {
    /// The kind of host that a source lives on, and so how its builds are triggered.
    Provider("provider") {
        /// github.com, or GitHub Enterprise.
        GitHub = "github",
        /// gitlab.com, or a GitLab of one's own.
        GitLab = "gitlab",
    }
}

text_type! {
    /// The path of a repository on its host: `owner/repository`, on GitLab with
    /// any number of groups before the last part.
    RepoSlug
}

impl Parse for RepoSlug {
    const CODE: Code = code::INVALID_SOURCE_REPO;
    const WHAT: &'static str = "source repository";
    fn parse(text: &str) -> Result<Self, Invalid> {
        let help = "write `owner/repository`, without host";
        let good = |part: &str| {
            !matches!(part, "" | "." | "..")
                && !part.starts_with('-')
                && part
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
        };
        if text.contains("://") || text.starts_with("git@") {
            return Err(Invalid::new(
                "is a URL",
                "write `owner/repository`; the address of another host belongs into `source.url`",
            ));
        }
        if text.ends_with(".git") {
            return Err(Invalid::new("ends in `.git`", "leave `.git` away"));
        }
        if text.len() > 255 || !text.split('/').all(good) {
            return Err(Invalid::new("is no path of a repository", help));
        }
        if !text.contains('/') {
            return Err(Invalid::new("has no owner", help));
        }
        Ok(Self(text.into()))
    }
}

impl RepoSlug {
    /// How many parts it has; GitHub knows exactly two.
    #[must_use]
    pub fn parts(&self) -> usize {
        self.as_str().split('/').count()
    }
}

text_type! {
    /// A branch that git (`git check-ref-format`) and Kargo's git subscription both allow.
    Branch
}

impl Parse for Branch {
    const CODE: Code = code::INVALID_BRANCH;
    const WHAT: &'static str = "branch";
    fn parse(text: &str) -> Result<Self, Invalid> {
        let help = "write the name of a branch, such as `main` or `release/1.2`";
        let first = |b: u8| b.is_ascii_alphanumeric();
        let last = |b: u8| first(b) || b == b'_' || b == b'-';
        let why = if text.is_empty() || text.len() > 255 {
            "is empty or longer than 255 characters"
        } else if text.starts_with('-') {
            "begins with `-`, so git would take it for an option"
        } else if text.starts_with("refs/") {
            "is a full ref"
        } else if text == "HEAD" {
            "is no branch"
        } else if !text.bytes().all(|b| last(b) || matches!(b, b'.' | b'/')) {
            "has characters that Kargo's subscriptions do not allow"
        } else if !(text.bytes().next().is_some_and(first)
            && text.bytes().next_back().is_some_and(last))
        {
            "does not begin and end as Kargo's subscriptions demand"
        } else if text.contains("..") || text.contains("//") || text.contains("/.") {
            "has `..`, `//` or `/.`, which git does not allow"
        } else if text.split('/').any(|part| part.ends_with(".lock")) {
            "has a part that ends in `.lock`, which git does not allow"
        } else {
            return Ok(Self(text.into()));
        };
        Err(Invalid::new(why, help))
    }
}

text_type! {
    /// A path in a repository: relative, `/` between its parts, no `..`; `.` is
    /// the top folder. `./` at the beginning and `/` at the end are gone.
    RepoPath
}

impl RepoPath {
    /// The top folder of the repository.
    #[must_use]
    pub fn top() -> Self {
        Self(".".into())
    }

    /// Is it the top folder?
    #[must_use]
    pub fn is_top(&self) -> bool {
        self.as_str() == "."
    }
}

impl Parse for RepoPath {
    const CODE: Code = code::INVALID_PATH;
    const WHAT: &'static str = "path";
    fn parse(text: &str) -> Result<Self, Invalid> {
        let help =
            "write a path relative to the top of the repository, such as `apps/shop/Dockerfile`";
        let why = if text.is_empty() {
            "is empty"
        } else if text.len() > 1024 {
            "is longer than 1024 characters"
        } else if text.starts_with('/') {
            "is absolute"
        } else if text.contains("..") {
            "has `..`, which could lead out of the repository"
        } else if text.contains('\\') {
            "has a backslash"
        } else if text.chars().any(char::is_control) {
            "has a control character"
        } else if text.starts_with('-') {
            "begins with `-`, so a program would take it for an option"
        } else if text.trim() != text {
            "begins or ends with a blank"
        } else if text.chars().any(invisible) {
            "has an invisible character"
        } else if text.contains("{{") {
            "has `{{`, which Kargo or Argo Rollouts would evaluate"
        } else if text.contains("$(") {
            "has `$(`, in which Kubernetes puts the value of a variable, a secret one too"
        } else if text
            .split('/')
            .any(|part| part.eq_ignore_ascii_case(".git"))
        {
            "leads into the folder that belongs to git"
        } else if is_kargo_pattern(text) {
            "begins like a pattern of Kargo"
        } else {
            return Self::normalised(text).ok_or_else(|| {
                Invalid::new(
                    "has a part that is empty or begins or ends as none may",
                    help,
                )
            });
        };
        Err(Invalid::new(why, help))
    }
}

impl RepoPath {
    /// `None` if a part is empty, or if what is left begins or ends as no path may.
    fn normalised(text: &str) -> Option<Self> {
        let inner = text.strip_suffix('/').unwrap_or(text);
        if inner.split('/').any(str::is_empty) {
            return None;
        }
        let joined = if inner.split('/').any(|part| part == ".") {
            let parts: Vec<&str> = inner.split('/').filter(|&part| part != ".").collect();
            Cow::Owned(parts.join("/"))
        } else {
            Cow::Borrowed(inner)
        };
        match &*joined {
            "" => Some(Self::top()),
            path if path.starts_with('-') || is_kargo_pattern(path) || path.trim() != path => None,
            path => Some(Self(path.into())),
        }
    }
}

/// Kargo reads `glob:…`, `regex:…` and `regexp:…` as patterns, not paths.
fn is_kargo_pattern(text: &str) -> bool {
    ["glob:", "regex:", "regexp:"]
        .iter()
        .any(|prefix| text.starts_with(prefix))
}

text_type! {
    /// The name of a file in `.github/workflows`.
    WorkflowFile
}

impl WorkflowFile {
    /// The file that builds an image which names none: `NAME.yml`.
    #[must_use]
    pub fn of(name: &super::Name) -> Self {
        let mut text = String::with_capacity(name.as_str().len() + 4);
        text.push_str(name.as_str());
        text.push_str(".yml");
        Self(text.into())
    }
}

impl Parse for WorkflowFile {
    const CODE: Code = code::INVALID_WORKFLOW;
    const WHAT: &'static str = "workflow";
    fn parse(text: &str) -> Result<Self, Invalid> {
        let help = "write the name of a file in `.github/workflows`, such as `build.yml`";
        let stem = text
            .strip_suffix(".yml")
            .or_else(|| text.strip_suffix(".yaml"));
        let why = match stem {
            _ if text.contains(['/', '\\']) => "has a folder",
            None => "does not end in `.yml` or `.yaml`",
            Some(_) if text.starts_with('-') => "begins with `-`",
            Some(stem) if is_plain_file_stem(stem) => return Ok(Self(text.into())),
            Some(_) => "has characters that a URL or a shell would read otherwise",
        };
        Err(Invalid::new(why, help))
    }
}

fn is_plain_file_stem(stem: &str) -> bool {
    !stem.is_empty()
        && stem.len() <= 200
        && !stem.starts_with('.')
        && !stem.contains("..")
        && stem
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all<T: Parse>(good: &[&str], bad: &[&str]) {
        for text in good {
            assert!(T::parse(text).is_ok(), "{} {text:?}", T::WHAT);
        }
        for text in bad {
            assert!(T::parse(text).is_err(), "{} {text:?}", T::WHAT);
        }
    }

    #[test]
    fn slugs() {
        all::<RepoSlug>(
            &[
                "a/b",
                "acme/shop-api",
                "o/.github",
                "group/sub/app",
                "o/a.b_c",
            ],
            &[
                "",
                "a",
                "a/",
                "/a",
                "a//b",
                "../b",
                "a/..",
                "-a/b",
                "a/-b",
                "a b/c",
                "https://github.com/a/b",
                "git@github.com:a/b",
                "a/b.git",
                "a/b?x",
                "a/b#c",
                "a/$(id)",
                "a\\b/c",
                "ä/b",
                "a/b\n",
            ],
        );
        assert_eq!(RepoSlug::parse("g/s/a").map(|slug| slug.parts()), Ok(3));
    }

    #[test]
    fn branches() {
        all::<Branch>(
            &[
                "main",
                "release/1.2",
                "a",
                "feature/a_b-c",
                "1.x",
                "a./b",
                "a-",
                "a_",
            ],
            &[
                "",
                "-x",
                "--upload-pack=x",
                "a b",
                "a..b",
                "a//b",
                "/a",
                "a/",
                "a.",
                ".a",
                "a/.b",
                "a.lock",
                "a.lock/b",
                "refs/heads/a",
                "HEAD",
                "@",
                "a@{1}",
                "a~1",
                "a^",
                "a:b",
                "a?",
                "a*",
                "a[",
                "a\\b",
                "ä",
                "a\n",
                "${{x}}",
                &"a".repeat(256),
            ],
        );
    }

    #[test]
    fn paths() {
        all::<RepoPath>(
            &[
                "Dockerfile",
                "a/b c/Dockerfile",
                ".",
                "./",
                ".hidden",
                ".github/Dockerfile",
                "a$b(c)",
                "a-b/-c",
                "ä/ö",
            ],
            &[
                "",
                "/etc/passwd",
                "..",
                "../a",
                "a/../b",
                "a..b",
                "a//b",
                "a\\b",
                "-a",
                "./-a",
                "a\nb",
                "a\0",
                " a",
                "a ",
                "${{ secret('x') }}",
                "glob:**",
                "regex:.*",
                "./regex:.*",
                "$(GITHUB_TOKEN)/Dockerfile",
                "{{args.image}}/Dockerfile",
                "a\u{202e}b",
                "a\u{200b}",
                ".git/config",
                "a/.GIT/hooks",
                "//",
            ],
        );
        for (text, path) in [
            ("./a/b/", "a/b"),
            ("a/./b", "a/b"),
            ("./.", "."),
            ("a/", "a"),
        ] {
            assert_eq!(
                RepoPath::parse(text).map(|p| p.to_string()),
                Ok(path.to_owned()),
                "{text}"
            );
        }
    }

    #[test]
    fn workflows() {
        all::<WorkflowFile>(
            &["build.yml", "a-b_c.1.yaml"],
            &[
                "",
                "build",
                "build.json",
                ".yml",
                "..yml",
                "a/b.yml",
                "../b.yml",
                "-b.yml",
                "b b.yml",
                "a\\b.yml",
                "a..b.yml",
                "b.yml?x",
                "$(id).yml",
            ],
        );
    }

    proptest! {
        #[test]
        fn any_text_is_answered_and_what_passes_is_stable(text in "[a-z./:@ -]{0,30}|.{0,20}") {
            let _ = (RepoSlug::parse(&text), Branch::parse(&text), WorkflowFile::parse(&text));
            if let Ok(path) = RepoPath::parse(&text) {
                prop_assert_eq!(RepoPath::parse(path.as_str()), Ok(path));
            }
        }
    }
}
