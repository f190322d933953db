//! A git server on loopback: `git http-backend` behind [`http`](super::http),
//! with passwords, and with every fault that a server can have.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use super::http::{Answer, Request, Server};

/// What goes wrong with a request.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// Answers with this status and no more.
    Status(u16),
    /// Never answers.
    Hang,
    /// Begins to answer, and stops half way with the line open.
    Stall,
    /// Hangs up half way.
    Cut,
    /// Answers with status 200 and these bytes.
    Garbage(Vec<u8>),
    /// Sends the client to the same path below this address.
    Redirect(String),
    /// Replaces one commit by another of the same length in the request, so that
    /// another one is served than was asked for.
    Swap(String, String),
    /// The same in what is answered.
    SwapAnswer(String, String),
    /// Sleeps before a true answer.
    Slow(std::time::Duration),
}

struct Rule {
    part: String,
    fault: Fault,
    left: usize,
}

struct Protected {
    prefix: String,
    user: Option<String>,
    password: String,
}

#[derive(Default)]
struct Behaviour {
    rules: Vec<Rule>,
    protected: Vec<Protected>,
}

/// A folder of bare repositories, served.
pub(crate) struct GitServer {
    folder: tempfile::TempDir,
    behaviour: Arc<Mutex<Behaviour>>,
    server: Server,
}

impl GitServer {
    /// A server without repositories.
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let behaviour = Arc::new(Mutex::new(Behaviour::default()));
        let (root, rules) = (folder.path().to_owned(), Arc::clone(&behaviour));
        let server = Server::start(move |request| answer(&root, &rules, request));
        Self {
            folder,
            behaviour,
            server,
        }
    }

    /// `http://127.0.0.1:PORT`.
    pub(crate) fn url(&self) -> String {
        self.server.url()
    }

    /// The address of a repository: `http://127.0.0.1:PORT/OWNER/REPO.git`.
    pub(crate) fn address(&self, slug: &str) -> String {
        format!("{}/{slug}.git", self.url())
    }

    /// Makes a repository `OWNER/REPO`, empty, that takes pushes and any fetch.
    pub(crate) fn repository(&self, slug: &str) -> Repository {
        Repository::create(self.folder.path().join(format!("{slug}.git")))
    }

    /// From now on the next `times` requests whose `PATH?QUERY` contains `part` go
    /// wrong like this. Rules are looked at in the order of their making.
    pub(crate) fn fault(&self, part: &str, times: usize, fault: Fault) {
        self.behaviour.lock().unwrap().rules.push(Rule {
            part: part.to_owned(),
            fault,
            left: times,
        });
    }

    /// No more faults.
    pub(crate) fn heal(&self) {
        self.behaviour.lock().unwrap().rules.clear();
    }

    /// Paths that begin so need this password, and this user if one is named.
    /// The longest prefix decides.
    pub(crate) fn protect(&self, prefix: &str, user: Option<&str>, password: &str) {
        self.behaviour.lock().unwrap().protected.push(Protected {
            prefix: prefix.to_owned(),
            user: user.map(str::to_owned),
            password: password.to_owned(),
        });
    }

    /// Every request so far.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.server.requests()
    }

    /// Forgets them.
    pub(crate) fn forget(&self) {
        self.server.forget();
    }
}

/// A bare repository.
#[derive(Clone)]
pub(crate) struct Repository {
    folder: PathBuf,
}

/// What a commit puts at a path.
#[derive(Clone, Copy)]
pub(crate) enum Entry<'a> {
    File(&'a [u8]),
    Link(&'a str),
    /// A submodule at this commit.
    Module(&'a str),
}

impl Repository {
    fn create(folder: PathBuf) -> Self {
        std::fs::create_dir_all(&folder).unwrap();
        let it = Self { folder };
        it.git(&["init", "--quiet", "--bare", "--initial-branch=main"]);
        for (key, value) in [
            ("http.receivepack", "true"),
            ("uploadpack.allowFilter", "true"),
            ("uploadpack.allowAnySHA1InWant", "true"),
            ("gc.auto", "0"),
            ("receive.autogc", "false"),
        ] {
            it.set(key, value);
        }
        it
    }

    /// Where it lies.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Sets a key of its configuration.
    pub(crate) fn set(&self, key: &str, value: &str) {
        self.git(&["config", key, value]);
    }

    /// Runs git in it and gives what it printed, without the line break.
    pub(crate) fn git(&self, args: &[&str]) -> String {
        self.pipe(args, b"")
    }

    /// Runs git in it with this input.
    pub(crate) fn pipe(&self, args: &[&str], input: &[u8]) -> String {
        let mut child = git(&self.folder).args(args).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "git {args:?}");
        String::from_utf8_lossy(&output.stdout)
            .trim_end()
            .to_owned()
    }

    /// Commits text files onto a branch, made if it is not there; gives the commit.
    pub(crate) fn commit(&self, branch: &str, files: &[(&str, &str)]) -> String {
        let entries: Vec<_> = files
            .iter()
            .map(|(path, text)| (*path, Entry::File(text.as_bytes())))
            .collect();
        self.commit_entries(branch, &entries)
    }

    /// Commits anything onto a branch; gives the commit.
    pub(crate) fn commit_entries(&self, branch: &str, entries: &[(&str, Entry<'_>)]) -> String {
        let before = self.head(branch);
        let mut stream = format!(
            "commit refs/heads/{branch}\ncommitter Test <test@example.com> 1767225600 +0000\ndata 4\ntest\n"
        )
        .into_bytes();
        if let Some(before) = before {
            stream.extend(format!("from {before}\n").bytes());
        }
        for (path, entry) in entries {
            match entry {
                Entry::File(bytes) => {
                    let head = format!("M 100644 inline {path}\ndata {}\n", bytes.len());
                    stream.extend(head.bytes());
                    stream.extend(*bytes);
                    stream.push(b'\n');
                }
                Entry::Link(target) => {
                    let text = format!("M 120000 inline {path}\ndata {}\n{target}\n", target.len());
                    stream.extend(text.bytes());
                }
                Entry::Module(commit) => {
                    stream.extend(format!("M 160000 {commit} {path}\n").bytes());
                }
            }
        }
        self.pipe(&["fast-import", "--quiet", "--force"], &stream);
        self.head(branch).unwrap()
    }

    /// The commit that a branch is at.
    pub(crate) fn head(&self, branch: &str) -> Option<String> {
        let name = format!("refs/heads/{branch}");
        let found = self.git(&["for-each-ref", "--format=%(objectname)", &name]);
        (!found.is_empty()).then_some(found)
    }

    /// What stands in a file at a revision.
    pub(crate) fn show(&self, revision: &str, path: &str) -> String {
        self.git(&["show", &format!("{revision}:{path}")])
    }

    /// Installs a hook, such as `update` to refuse pushes to a branch.
    pub(crate) fn hook(&self, name: &str, script: &str) {
        use std::os::unix::fs::PermissionsExt as _;
        let path = self.folder.join("hooks").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, script).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
}

/// Git in a folder, free of what the machine's user has configured.
pub(crate) fn git(folder: &Path) -> Command {
    let mut command = Command::new("git");
    command
        .current_dir(folder)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("HOME", folder)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("LC_ALL", "C")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn answer(root: &Path, behaviour: &Mutex<Behaviour>, request: &Request) -> Answer {
    let fault = {
        let mut behaviour = behaviour.lock().unwrap();
        if let Some(refusal) = refuse(&behaviour.protected, request) {
            return refusal;
        }
        let target = request.target();
        let rule = behaviour
            .rules
            .iter_mut()
            .find(|rule| rule.left > 0 && target.contains(&rule.part));
        rule.map(|rule| {
            rule.left -= 1;
            rule.fault.clone()
        })
    };
    let half = |answer: Answer| {
        let mut bytes = answer.bytes();
        bytes.truncate(bytes.len() / 2);
        bytes
    };
    match fault {
        None => backend(root, request),
        Some(Fault::Status(status)) => Answer::text(status, "no\n"),
        Some(Fault::Hang) => Answer::Hang(Vec::new()),
        Some(Fault::Stall) => Answer::Hang(half(backend(root, request))),
        Some(Fault::Cut) => Answer::Raw(half(backend(root, request))),
        Some(Fault::Garbage(body)) => Answer::Full {
            status: 200,
            headers: Vec::new(),
            body,
        },
        Some(Fault::Redirect(base)) => {
            Answer::text(302, "").with("location", &format!("{base}{}", request.target()))
        }
        Some(Fault::Swap(from, to)) => {
            let mut request = request.clone();
            request.body = swap(&request.body, &from, &to);
            backend(root, &request)
        }
        Some(Fault::SwapAnswer(from, to)) => match backend(root, request) {
            Answer::Full {
                status,
                headers,
                body,
            } => Answer::Full {
                status,
                headers,
                body: swap(&body, &from, &to),
            },
            other => other,
        },
        Some(Fault::Slow(time)) => {
            std::thread::sleep(time);
            backend(root, request)
        }
    }
}

fn swap(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len(), "lengths stand in the protocol");
    let mut bytes = bytes.to_vec();
    let mut at = 0;
    while at + from.len() <= bytes.len() {
        if bytes[at..].starts_with(from.as_bytes()) {
            bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
        }
        at += 1;
    }
    bytes
}

/// What is said to a request without the password that its path needs.
fn refuse(protected: &[Protected], request: &Request) -> Option<Answer> {
    let rule = protected
        .iter()
        .filter(|rule| request.path.starts_with(&rule.prefix))
        .max_by_key(|rule| rule.prefix.len())?;
    let given = request
        .header("authorization")
        .and_then(|value| value.strip_prefix("Basic "))
        .and_then(basic);
    let fits = given.is_some_and(|(user, password)| {
        password == rule.password && rule.user.as_ref().is_none_or(|wanted| *wanted == user)
    });
    (!fits).then(|| Answer::text(401, "no\n").with("www-authenticate", "Basic realm=\"git\""))
}

/// User and password of a Basic authorization.
pub(crate) fn basic(encoded: &str) -> Option<(String, String)> {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bits, mut held, mut bytes) = (0_u32, 0, Vec::new());
    for letter in encoded.bytes().filter(|b| *b != b'=') {
        let value = LETTERS.iter().position(|known| *known == letter)?;
        bits = (bits << 6) | u32::try_from(value).ok()?;
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from((bits >> held) & 0xff).ok()?);
        }
    }
    let text = String::from_utf8(bytes).ok()?;
    let (user, password) = text.split_once(':')?;
    Some((user.to_owned(), password.to_owned()))
}

/// Hands a request to git's own CGI program.
fn backend(root: &Path, request: &Request) -> Answer {
    let mut command = git(root);
    command
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("GIT_CONFIG_COUNT", "1")
        .env("GIT_CONFIG_KEY_0", "safe.directory")
        .env("GIT_CONFIG_VALUE_0", "*")
        .env("REQUEST_METHOD", &request.method)
        .env("PATH_INFO", &request.path)
        .env("QUERY_STRING", &request.query)
        .env("REMOTE_ADDR", "127.0.0.1")
        .env("CONTENT_LENGTH", request.body.len().to_string());
    for (header, variable) in [
        ("content-type", "CONTENT_TYPE"),
        ("content-encoding", "HTTP_CONTENT_ENCODING"),
        ("git-protocol", "GIT_PROTOCOL"),
    ] {
        if let Some(value) = request.header(header) {
            command.env(variable, value);
        }
    }
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let body = request.body.clone();
    // It answers while it reads.
    let writer = std::thread::spawn(move || {
        let _ = stdin.write_all(&body);
    });
    let output = child.wait_with_output().unwrap();
    let _ = writer.join();
    cgi(&output.stdout).unwrap_or_else(|| Answer::text(500, "http-backend failed\n"))
}

/// The answer of a CGI program.
fn cgi(output: &[u8]) -> Option<Answer> {
    let end = output.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&output[..end]).ok()?;
    let mut status = 200;
    let mut headers = Vec::new();
    for line in head.lines() {
        let (name, value) = line.split_once(':')?;
        if name.eq_ignore_ascii_case("status") {
            status = value.split_whitespace().next()?.parse().ok()?;
        } else {
            headers.push((name.to_owned(), value.trim().to_owned()));
        }
    }
    Some(Answer::Full {
        status,
        headers,
        body: output[end + 4..].to_vec(),
    })
}
