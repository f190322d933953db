//! The git program, as we run it: with an environment and a configuration of our
//! own making, without hooks, prompts and surprises.
//!
//! - [`Git`]: what every run of git shares.
//! - [`auth`]: who gets which credentials. No other module gives git a secret.
//! - [`sources`]: files of other repositories, through the [`cache`].
//! - [`own`]: the repository around us.
//! - [`publish`](mod@publish): commits to it, and pushes past others.
//!
//! Nothing that a user, a file or a server says becomes an option: names are of
//! types that cannot begin with `-`, and stand behind `--` or in standard input.
#![allow(
    clippy::disallowed_methods,
    reason = "shell: the cache is on the disk, and the environment is read once"
)]

pub mod auth;
pub mod cache;
mod checkout;
pub mod clone;
mod commit;
mod error;
mod listing;
mod objects;
pub mod own;
mod program;
pub mod publish;
pub mod pull_request;
mod push;
mod read;
mod remote;
mod resolve;
mod retry;
pub mod sources;
mod tree_at;
pub mod words;

pub use checkout::Checkout;
pub use program::Trouble;

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use crate::process::{Mask, Process, ProcessError};

/// Variables of ours that git, and the credential helpers that it starts, may see.
const PASSED: &[&str] = &[
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "TMPDIR",
    "TZ",
    "XDG_CONFIG_HOME",
    "XDG_RUNTIME_DIR",
    "DBUS_SESSION_BUS_ADDRESS",
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "GIT_EXEC_PATH",
    // Whom to trust.
    "GIT_SSL_CAINFO",
    "GIT_SSL_CAPATH",
    "GIT_SSL_CERT",
    "GIT_SSL_KEY",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    // The way out.
    "http_proxy",
    "https_proxy",
    "HTTPS_PROXY",
    "all_proxy",
    "ALL_PROXY",
    "no_proxy",
    "NO_PROXY",
    // Where the helpers of GitHub's and GitLab's own programs look.
    "GH_CONFIG_DIR",
    "GLAB_CONFIG_DIR",
];

/// What commits and signatures in a checkout need besides.
const PASSED_TO_CHECKOUTS: &[&str] = &[
    "GIT_AUTHOR_NAME",
    "GIT_AUTHOR_EMAIL",
    "GIT_COMMITTER_NAME",
    "GIT_COMMITTER_EMAIL",
    "EMAIL",
    "GNUPGHOME",
    "GPG_TTY",
    "SSH_AUTH_SOCK",
];

/// The user's configuration that holds for us too; all else is left behind.
const PICKED_HTTP: &[&str] = &[
    "sslcainfo",
    "sslcapath",
    "sslcert",
    "sslkey",
    "sslcertpasswordprotected",
    "sslbackend",
    "sslversion",
    "sslcipherlist",
    "schannelcheckrevoke",
    "schannelusesslcainfo",
    "pinnedpubkey",
    "proxy",
    "proxyauthmethod",
    "proxysslcert",
    "proxysslkey",
    "proxysslcainfo",
    "extraheader",
    "version",
    "useragent",
    "emptyauth",
    "delegation",
];

/// Set for every git; later ones win over what was picked.
const FIXED: &[(&str, &str)] = &[
    ("core.hooksPath", "/dev/null"),
    ("core.fsmonitor", "false"),
    ("core.askPass", ""),
    ("core.alternateRefsCommand", ""),
    ("credential.interactive", "false"),
    ("fetch.recurseSubmodules", "false"),
    ("submodule.recurse", "false"),
    ("gc.auto", "0"),
    ("maintenance.auto", "false"),
    ("advice.detachedHead", "false"),
    // A renamed repository answers with a redirect; nothing after it may.
    ("http.followRedirects", "initial"),
];

/// A key of git's configuration and its value; `None` stands for a key without `=`.
type Setting = (String, Option<String>);

/// The git program with what every run of it shares.
#[derive(Debug)]
pub struct Git {
    program: OsString,
    env: BTreeMap<OsString, OsString>,
    askpass: PathBuf,
    mask: Mask,
    picked: OnceLock<Vec<Setting>>,
}

impl Git {
    /// Git as whoever started us has it.
    #[must_use]
    pub fn of_process() -> Self {
        let askpass = std::env::current_exe().unwrap_or_default();
        Self::new(std::env::vars_os(), &askpass)
    }

    /// Git in this environment. `askpass` is a program that answers git's questions by
    /// [`auth::answer`]: `image-factory` itself.
    #[must_use]
    pub fn new(env: impl IntoIterator<Item = (OsString, OsString)>, askpass: &Path) -> Self {
        let env: BTreeMap<_, _> = env.into_iter().collect();
        let mut mask = Mask::default();
        if let Some(password) = env.get(OsStr::new(auth::PASSWORD)).and_then(|v| v.to_str()) {
            let user = env.get(OsStr::new(auth::USERNAME)).and_then(|v| v.to_str());
            mask.add(user, password);
        }
        Self {
            program: "git".into(),
            env,
            askpass: askpass.to_owned(),
            mask,
            picked: OnceLock::new(),
        }
    }

    /// A variable of the environment that is text and not empty.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.env
            .get(OsStr::new(name))
            .and_then(|value| value.to_str())
            .filter(|value| !value.is_empty())
    }

    /// Git in a checkout of the user's: with the user's whole configuration, as commits
    /// and signatures want it, but without hooks and questions. For what talks to a
    /// server there is [`auth::Access::in_checkout`].
    #[must_use]
    pub fn in_checkout<'a>(&self, folder: &Path, args: &[&str]) -> Process<'a> {
        let fixed = FIXED.iter().map(|(key, value)| fixed(key, value));
        self.in_checkout_with(folder, fixed.collect(), args)
    }

    fn in_checkout_with<'a>(
        &self,
        folder: &Path,
        settings: Vec<Setting>,
        args: &[&str],
    ) -> Process<'a> {
        let mut passed = self.passed(PASSED);
        passed.extend(self.passed(PASSED_TO_CHECKOUTS));
        passed.extend(self.authorities());
        passed.extend(self.configuration_variables());
        let settings = self.given_settings().into_iter().chain(settings);
        self.process(passed, settings, args).dir(folder)
    }

    /// Git in a repository of our own making, with what was picked of the user's
    /// configuration and these settings.
    fn in_cache<'a>(&self, folder: &Path, settings: Vec<Setting>, args: &[&str]) -> Process<'a> {
        let mut passed = self.passed(PASSED);
        passed.extend(self.authorities());
        passed.push(("GIT_DIR".into(), folder.into()));
        passed.push(("GIT_CONFIG_NOSYSTEM".into(), "1".into()));
        passed.push(("GIT_CONFIG_GLOBAL".into(), "/dev/null".into()));
        self.process(passed, settings, args).dir(folder)
    }

    fn process<'a>(
        &self,
        passed: Vec<(OsString, OsString)>,
        settings: impl IntoIterator<Item = Setting>,
        args: &[&str],
    ) -> Process<'a> {
        let mut process = Process::new(&self.program)
            .args(args)
            .mask(self.mask.clone());
        for (name, value) in passed {
            process = process.env(name, value);
        }
        for (name, value) in [
            ("LC_ALL", "C"),
            ("GIT_TERMINAL_PROMPT", "0"),
            ("GIT_LITERAL_PATHSPECS", "1"),
            ("GIT_ADVICE", "0"),
            ("GCM_INTERACTIVE", "never"),
        ] {
            process = process.env(name, value);
        }
        with_settings(process, settings)
    }

    /// The user's settings that hold for us: credential helpers, certificates, proxies.
    fn picked(&self) -> &[Setting] {
        self.picked.get_or_init(|| {
            self.all_settings()
                .unwrap_or_default()
                .into_iter()
                .filter(|(key, _)| is_picked(key))
                .collect()
        })
    }

    /// Everything that git is configured with outside of repositories, in the order in
    /// which it counts.
    fn all_settings(&self) -> Result<Vec<Setting>, ProcessError> {
        let mut passed = self.passed(PASSED);
        passed.extend(self.configuration_variables());
        passed.push(("GIT_DIR".into(), "/dev/null/none".into()));
        let process = self
            .process(passed, self.given_settings(), &["config", "--list", "-z"])
            .deadline(Duration::from_secs(10));
        let listed = process.run()?.stdout;
        Ok(String::from_utf8_lossy(&listed)
            .split('\0')
            .filter(|entry| !entry.is_empty())
            .map(|entry| match entry.split_once('\n') {
                Some((key, value)) => (key.to_owned(), Some(value.to_owned())),
                None => (entry.to_owned(), None),
            })
            .collect())
    }

    /// Settings given by `GIT_CONFIG_COUNT` and its variables, as our Jobs do.
    fn given_settings(&self) -> Vec<Setting> {
        let count: usize = self
            .variable("GIT_CONFIG_COUNT")
            .and_then(|count| count.parse().ok())
            .unwrap_or(0);
        let text = |name: String| self.env.get(OsStr::new(&name))?.to_str();
        (0..count.min(1000))
            .filter_map(|at| {
                let key = text(format!("GIT_CONFIG_KEY_{at}"))?;
                let value = text(format!("GIT_CONFIG_VALUE_{at}"))?;
                Some((key.to_owned(), Some(value.to_owned())))
            })
            .collect()
    }

    /// Whom to trust by `SSL_CERT_FILE`, which only some builds of git look at, where git
    /// was not told otherwise.
    fn authorities(&self) -> Option<(OsString, OsString)> {
        let file = self.variable("SSL_CERT_FILE")?;
        let told = self.variable("GIT_SSL_CAINFO").is_some()
            || self
                .picked()
                .iter()
                .any(|(key, _)| key.ends_with(".sslcainfo"));
        (!told).then(|| ("GIT_SSL_CAINFO".into(), file.into()))
    }

    fn configuration_variables(&self) -> Vec<(OsString, OsString)> {
        self.passed(&[
            "GIT_CONFIG_GLOBAL",
            "GIT_CONFIG_SYSTEM",
            "GIT_CONFIG_NOSYSTEM",
        ])
    }

    fn passed(&self, names: &[&str]) -> Vec<(OsString, OsString)> {
        names
            .iter()
            .filter_map(|name| {
                let value = self.env.get(OsStr::new(name))?;
                Some((OsString::from(name), value.clone()))
            })
            .collect()
    }
}

fn fixed(key: &str, value: &str) -> Setting {
    (key.to_owned(), Some(value.to_owned()))
}

/// Hands settings to a git by its environment, where nobody else sees them.
fn with_settings<'a>(
    mut process: Process<'a>,
    settings: impl IntoIterator<Item = Setting>,
) -> Process<'a> {
    let mut count = 0_usize;
    for (key, value) in settings {
        process = process.env(format!("GIT_CONFIG_KEY_{count}"), key).env(
            format!("GIT_CONFIG_VALUE_{count}"),
            value.as_deref().unwrap_or("true"),
        );
        count += 1;
    }
    process.env("GIT_CONFIG_COUNT", count.to_string())
}

/// Keys are `section.name` or `section.SUBSECTION.name`, section and name in lower case.
fn is_picked(key: &str) -> bool {
    let (Some((section, _)), Some((_, name))) = (key.split_once('.'), key.rsplit_once('.')) else {
        return false;
    };
    match section {
        "credential" => true,
        "http" => PICKED_HTTP.contains(&name),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_credentials_certificates_and_proxies_are_picked() {
        for key in [
            "credential.helper",
            "credential.https://github.com.helper",
            "http.sslcainfo",
            "http.https://git.example.com.sslcainfo",
            "http.proxy",
            "http.https://github.com/.extraheader",
        ] {
            assert!(is_picked(key), "{key}");
        }
        for key in [
            "core.hookspath",
            "core.sshcommand",
            "url.ext::sh.insteadof",
            "protocol.ext.allow",
            "http.sslverify",
            "http.https://git.example.com.sslverify",
            "http.followredirects",
            "include.path",
            "filter.lfs.process",
            "credential",
            "",
        ] {
            assert!(!is_picked(key), "{key}");
        }
    }
}
