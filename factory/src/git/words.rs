//! What git's words mean. It says why it failed in text only; with `LC_ALL=C` the
//! text is always the same.

/// Why a git that talked to a server failed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Cause {
    /// No such repository, or none for us: hosts answer 404 for both.
    NotFound,
    /// Credentials are missing or were refused.
    Denied,
    /// The branch or commit does not exist there.
    NoRef,
    /// Something else came than was asked for.
    OtherObjects,
    /// A certificate that we have no reason to trust.
    Certificate(String),
    /// May be over when tried again.
    Transient(String),
    /// Will not be better next time.
    Permanent(String),
}

/// Parts of messages, most telling first. The first that any line contains counts.
const DENIED: &[&str] = &[
    "Authentication failed for",
    "could not read Username for",
    "could not read Password for",
    "The requested URL returned error: 401",
    "The requested URL returned error: 403",
    "HTTP 401",
    "HTTP 403",
];
const NOT_FOUND: &[&str] = &[
    "' not found",
    "The requested URL returned error: 404",
    "The requested URL returned error: 410",
    "remote: Repository not found",
];
const NO_REF: &[&str] = &[
    "couldn't find remote ref",
    "not our ref",
    "unadvertised object",
    "no such remote ref",
];
const OTHER_OBJECTS: &[&str] = &[
    "did not send all necessary objects",
    "remote did not send",
    "missing necessary objects",
];
const CERTIFICATE: &[&str] = &[
    "SSL certificate problem",
    "server certificate verification failed",
    "certificate subject name",
    "no alternative certificate subject name",
    "error setting certificate",
    "self-signed certificate",
    "self signed certificate",
];
const TRANSIENT: &[&str] = &[
    "The requested URL returned error: 5",
    "The requested URL returned error: 408",
    "The requested URL returned error: 425",
    "The requested URL returned error: 429",
    "HTTP 5",
    "HTTP 408",
    "HTTP 429",
    "Could not resolve host",
    "Could not resolve proxy",
    "Couldn't connect to server",
    "Failed to connect to",
    "Connection refused",
    "Connection reset",
    "Connection was reset",
    "Connection timed out",
    "Connection closed",
    "Network is unreachable",
    "No route to host",
    "Operation timed out",
    "Operation too slow",
    "Resolving timed out",
    "SSL connection timeout",
    "Timeout was reached",
    "Empty reply from server",
    "transfer closed with",
    "Transferred a partial file",
    "end of response with",
    "bytes remaining to read",
    "the remote end hung up",
    "The remote end hung up",
    "early EOF",
    // An answer that ends before its end.
    "expected flush after",
    "unexpected EOF",
    "unexpected disconnect",
    "SSL_ERROR_SYSCALL",
    "SSL_ERROR_ZERO_RETURN",
    "GnuTLS recv error",
    "gnutls_handshake() failed",
    "HTTP/2 stream",
    "curl 18 ",
    "curl 52 ",
    "curl 55 ",
    "curl 56 ",
    "curl 92 ",
    "remote: Internal Server Error",
    "Service Unavailable",
];

/// What a git that failed like this has met with.
#[must_use]
pub fn cause(stderr: &str) -> Cause {
    let any = |parts: &[&str]| {
        let found = |line: &&str| parts.iter().any(|part| line.contains(part));
        stderr.lines().find(found)
    };
    let words = |line: &str| plain(line);
    if any(DENIED).is_some() {
        Cause::Denied
    } else if any(NOT_FOUND).is_some() {
        Cause::NotFound
    } else if any(NO_REF).is_some() {
        Cause::NoRef
    } else if let Some(line) = any(CERTIFICATE) {
        Cause::Certificate(words(line))
    } else if let Some(line) = any(TRANSIENT) {
        Cause::Transient(words(line))
    } else if any(OTHER_OBJECTS).is_some() {
        Cause::OtherObjects
    } else {
        Cause::Permanent(telling(stderr))
    }
}

/// The line that tells most: the first `fatal:`, else the first `error:`, else the last.
#[must_use]
pub fn telling(stderr: &str) -> String {
    let beginning = |start: &str| stderr.lines().find(|line| line.starts_with(start));
    let last = || stderr.lines().rfind(|line| !line.trim().is_empty());
    let line = beginning("fatal: ")
        .or_else(|| beginning("error: "))
        .or_else(last);
    match line.map(plain) {
        Some(words) if !words.is_empty() => words,
        _ => "it gave no reason".to_owned(),
    }
}

/// A line for people: without git's prefixes and control characters, and not too long.
fn plain(line: &str) -> String {
    let mut line = line.trim();
    while let Some(rest) = ["fatal: ", "error: ", "warning: ", "remote: "]
        .iter()
        .find_map(|prefix| line.strip_prefix(prefix))
    {
        line = rest.trim_start();
    }
    let visible = line.chars().map(|c| if c.is_control() { ' ' } else { c });
    visible.take(400).collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_git_says_is_understood() {
        let transient = |words: &str| Cause::Transient(words.to_owned());
        for (said, meant) in [
            ("remote: Repository not found.\nfatal: repository 'https://github.com/a/b/' not found\n", Cause::NotFound),
            ("fatal: Authentication failed for 'https://github.com/a/b/'\n", Cause::Denied),
            ("error: unable to read askpass response from '/x'\nfatal: could not read Username for 'https://h': terminal prompts disabled\n", Cause::Denied),
            ("fatal: unable to access 'https://h/a/b/': The requested URL returned error: 403\n", Cause::Denied),
            ("fatal: couldn't find remote ref refs/heads/x\n", Cause::NoRef),
            ("fatal: remote error: upload-pack: not our ref 1234\n", Cause::NoRef),
            ("error: Server does not allow request for unadvertised object 12\n", Cause::NoRef),
            ("fatal: bad object 12\nerror: http://h/a/b did not send all necessary objects\n", Cause::OtherObjects),
            (
                "fatal: unable to access 'https://h/': SSL certificate problem: unable to get local issuer certificate\n",
                Cause::Certificate("unable to access 'https://h/': SSL certificate problem: unable to get local issuer certificate".to_owned()),
            ),
            (
                "fatal: unable to access 'http://h/': The requested URL returned error: 503\n",
                transient("unable to access 'http://h/': The requested URL returned error: 503"),
            ),
            (
                "error: RPC failed; curl 56 Recv failure: Connection reset by peer\nfatal: expected flush\n",
                transient("RPC failed; curl 56 Recv failure: Connection reset by peer"),
            ),
            ("fatal: early EOF\nfatal: fetch-pack: invalid index-pack output\n", transient("early EOF")),
            (
                "fatal: http://h/a/info/refs not valid: is this a git repository?\n",
                Cause::Permanent("http://h/a/info/refs not valid: is this a git repository?".to_owned()),
            ),
            ("fatal: transport 'ext' not allowed\n", Cause::Permanent("transport 'ext' not allowed".to_owned())),
            ("\u{1b}[31mboo\n", Cause::Permanent("[31mboo".to_owned())),
            ("", Cause::Permanent("it gave no reason".to_owned())),
        ] {
            assert_eq!(cause(said), meant, "{said}");
        }
        assert!(telling(&"ä".repeat(9999)).len() < 1000);
    }
}
