//! Values with a grammar of their own: platforms, durations, ports, modes, sizes.

/// Go's `true` and `false`.
pub(super) fn boolean(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

/// A whole number of 32 bits without a sign.
pub(super) fn unsigned(text: &str, base: u32) -> Option<u32> {
    let digits = !text.is_empty() && text.chars().all(|c| c.is_digit(base));
    digits
        .then(|| u32::from_str_radix(text, base).ok())
        .flatten()
}

/// Is it a duration as HEALTHCHECK takes it: `30s`, `1h30m`, nothing, or at least a millisecond?
pub(super) fn is_interval(text: &str) -> bool {
    const UNITS: [(&str, f64); 8] = [
        ("ns", 1.0),
        ("us", 1e3),
        ("µs", 1e3),
        ("μs", 1e3),
        ("ms", 1e6),
        ("s", 1e9),
        ("m", 6e10),
        ("h", 3.6e12),
    ];
    if text.is_empty() {
        return true;
    }
    let negative = text.starts_with('-');
    let mut rest = text.strip_prefix(['-', '+']).unwrap_or(text);
    if rest == "0" {
        return true;
    }
    if rest.is_empty() {
        return false;
    }
    let mut total = 0.0;
    while !rest.is_empty() {
        let number = rest.len()
            - rest
                .trim_start_matches(|c: char| c.is_ascii_digit() || c == '.')
                .len();
        let (number, tail) = rest.split_at_checked(number).unwrap_or((rest, ""));
        if number.matches('.').count() > 1 || !number.contains(|c: char| c.is_ascii_digit()) {
            return false;
        }
        let unit = tail
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(tail.len());
        let (unit, tail) = tail.split_at_checked(unit).unwrap_or((tail, ""));
        let Some((_, factor)) = UNITS.iter().find(|(name, _)| *name == unit) else {
            return false;
        };
        let padded = format!("0{number}0");
        total += padded.parse::<f64>().unwrap_or(f64::INFINITY) * factor;
        rest = tail;
    }
    // What overflows Go's nanoseconds is refused, as is what is shorter than a millisecond.
    total < 1.0 || ((1e6..9.2e18).contains(&total) && !negative)
}

/// Is it a number of retries?
pub(super) fn is_retries(text: &str) -> bool {
    text.is_empty() || text.parse::<i32>().is_ok_and(|number| number >= 0)
}

/// Is it a signal: a number but 0, or a name of Linux?
pub(super) fn is_signal(text: &str) -> bool {
    const NAMES: [&str; 38] = [
        "ABRT", "ALRM", "BUS", "CHLD", "CLD", "CONT", "FPE", "HUP", "ILL", "INT", "IO", "IOT",
        "KILL", "PIPE", "POLL", "PROF", "PWR", "QUIT", "SEGV", "STKFLT", "STOP", "SYS", "TERM",
        "TRAP", "TSTP", "TTIN", "TTOU", "URG", "USR1", "USR2", "VTALRM", "WINCH", "XCPU", "XFSZ",
        "RTMIN", "RTMAX", "RTMIN+15", "RTMAX-14",
    ];
    if let Ok(number) = text.parse::<i64>() {
        return number != 0;
    }
    let name = text.to_uppercase();
    let name = name.strip_prefix("SIG").unwrap_or(&name);
    let offset = |prefix: &str, most: u32| {
        let digits = name
            .strip_prefix(prefix)
            .filter(|digits| !digits.starts_with('0'));
        digits
            .and_then(|digits| unsigned(digits, 10))
            .is_some_and(|number| number <= most)
    };
    NAMES.contains(&name) || offset("RTMIN+", 15) || offset("RTMAX-", 14)
}

/// Is it a port, or a range of them, as EXPOSE takes it: `[ip:][port:]port[-port][/protocol]`?
pub(super) fn is_port(text: &str) -> bool {
    let parts: Vec<&str> = text.rsplitn(3, ':').collect();
    let (container, host, ip) = match parts.as_slice() {
        [container] => (*container, "", ""),
        [container, host] => (*container, *host, ""),
        [container, host, ip] => (*container, *host, *ip),
        _ => return false,
    };
    let (container, protocol) = container.split_once('/').unwrap_or((container, ""));
    if !matches!(
        protocol.to_lowercase().as_str(),
        "" | "tcp" | "udp" | "sctp"
    ) {
        return false;
    }
    let bare = ip
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(ip);
    if !ip.is_empty() && bare.parse::<std::net::IpAddr>().is_err() {
        return false;
    }
    let Some((start, end)) = ports(container) else {
        return false;
    };
    if host.is_empty() {
        return true;
    }
    ports(host).is_some_and(|(first, last)| start == end || last - first == end - start)
}

fn ports(text: &str) -> Option<(i64, i64)> {
    let number = |text: &str| text.parse().ok().filter(|port| (0..=65_535).contains(port));
    match text.split_once('-') {
        None => number(text).map(|port: i64| (port, port)),
        Some((start, end)) => {
            let (start, end) = (number(start)?, number(end)?);
            (start <= end).then_some((start, end))
        }
    }
}

/// Is it a mode of `--chmod`: octal up to 7777, or symbolic?
pub(super) fn is_mode(text: &str) -> bool {
    if text.starts_with(|c: char| c.is_ascii_digit()) || text.is_empty() {
        return unsigned(text, 8).is_some_and(|mode| mode <= 0o7777);
    }
    text.split(',').all(|clause| {
        let who = clause.trim_start_matches(['a', 'u', 'g', 'o']);
        who.starts_with(['+', '-', '=']) && who.chars().all(|c| "+-=rstwXxugo".contains(c))
    })
}

/// Is it a size in bytes, such as `64m` or `1.5 GiB`?
pub(super) fn is_size(text: &str) -> bool {
    let Some(last) = text.rfind(|c: char| c.is_ascii_digit() || c == '.' || c == ' ') else {
        return false;
    };
    let (number, suffix) = text.split_at_checked(last + 1).unwrap_or((text, ""));
    let number = number.strip_suffix(' ').unwrap_or(number);
    let suffix = suffix.to_ascii_lowercase();
    let unit = match suffix.as_bytes() {
        [] | [b'b'] => true,
        [unit] | [unit, b'b'] | [unit, b'i', b'b'] => b"kmgtp".contains(unit),
        _ => false,
    };
    unit && number
        .parse::<f64>()
        .is_ok_and(|size| size >= 0.0 || size.is_nan())
}

/// Is it a platform, such as `linux/arm64/v8`, or one word that is known as system or architecture?
pub(super) fn is_platform(text: &str) -> bool {
    const SYSTEMS: [&str; 18] = [
        "aix",
        "android",
        "darwin",
        "dragonfly",
        "freebsd",
        "hurd",
        "illumos",
        "ios",
        "js",
        "linux",
        "macos",
        "nacl",
        "netbsd",
        "openbsd",
        "plan9",
        "solaris",
        "windows",
        "zos",
    ];
    const ARCHITECTURES: [&str; 28] = [
        "386",
        "aarch64",
        "amd64",
        "amd64p32",
        "arm",
        "arm64",
        "arm64be",
        "armbe",
        "armel",
        "armhf",
        "i386",
        "loong64",
        "mips",
        "mips64",
        "mips64le",
        "mips64p32",
        "mips64p32le",
        "mipsle",
        "ppc",
        "ppc64",
        "ppc64le",
        "riscv",
        "riscv64",
        "s390",
        "s390x",
        "sparc",
        "sparc64",
        "wasm",
    ];
    let parts: Vec<&str> = text.splitn(4, '/').collect();
    let word = |extra: &'static str| {
        move |part: &str| {
            !part.is_empty()
                && part
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || extra.contains(c))
        }
    };
    let Some((system, rest)) = parts.split_first() else {
        return false;
    };
    let bare = match system.split_once('(') {
        None => *system,
        Some((bare, options)) => {
            let Some(options) = options.strip_suffix(')') else {
                return false;
            };
            if !is_system_options(options) {
                return false;
            }
            bare
        }
    };
    if !word("_-")(bare) || !rest.iter().all(|part| word("_.-")(part)) {
        return false;
    }
    if rest.is_empty() {
        let name = bare.to_lowercase();
        let architecture = system.to_lowercase();
        let known = ARCHITECTURES.contains(&architecture.as_str());
        return SYSTEMS.contains(&name.as_str())
            || known
            || matches!(architecture.as_str(), "x86_64" | "x86-64");
    }
    rest.len() <= 2
}

/// `10.0.17763+win32k`: a version, and features behind plus signs.
fn is_system_options(text: &str) -> bool {
    let mut parts = text.split('+');
    let version = parts.next().unwrap_or_default();
    let inside = |part: &str| {
        part.chars()
            .all(|c| c.is_ascii_alphanumeric() || "_.%-".contains(c))
            && is_percent_encoded(part)
    };
    inside(version) && parts.all(|part| !part.is_empty() && inside(part))
}

fn is_percent_encoded(text: &str) -> bool {
    text.split('%').skip(1).all(|part| {
        part.get(..2)
            .is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
    })
}

/// Is it something that COPY refuses to fetch: a URL, or a git repository?
pub(super) fn is_remote(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    if text.starts_with("http://") || text.starts_with("https://") {
        return true;
    }
    if lower.starts_with("git://") || lower.starts_with("ssh://") {
        return true;
    }
    // `user@host:path`
    let word = |part: &str, extra: &str| {
        !part.is_empty()
            && part
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || extra.contains(c))
    };
    text.split_once('@').is_some_and(|(user, rest)| {
        word(user, "-_")
            && rest
                .split_once(':')
                .is_some_and(|(host, _)| word(host, "-."))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_each_grammar_takes() {
        type Case = (
            &'static str,
            fn(&str) -> bool,
            &'static [&'static str],
            &'static [&'static str],
        );
        let cases: [Case; 8] = [
            (
                "interval",
                is_interval,
                &["", "0", "30s", "1h30m", "1.5s", "1ms", ".5s", "0s"],
                &["30", "s", "1x", "-1s", "1us", "1..5s", "99999999999h"],
            ),
            (
                "retries",
                is_retries,
                &["", "0", "3"],
                &["-1", "x", "1.5", "99999999999"],
            ),
            (
                "signal",
                is_signal,
                &["SIGTERM", "term", "9", "-1", "RTMIN+3", "SIGRTMAX-14"],
                &["0", "", "SIGNOPE", "RTMIN+16", "RTMIN+03"],
            ),
            (
                "port",
                is_port,
                &[
                    "80",
                    "80/tcp",
                    "53/UDP",
                    "8000-8010",
                    "1.2.3.4:80:80",
                    "[::1]:80:80",
                    "1000-1001:80",
                ],
                &[
                    "",
                    "x",
                    "80/foo",
                    "9-8",
                    "70000",
                    "/tcp",
                    "80:",
                    "1.2.3:1:1",
                ],
            ),
            (
                "mode",
                is_mode,
                &["755", "0644", "u+x", "u=rwX,go=rX", "a+rw", "+x", "u=g"],
                &["8", "99999", "rwx", "u", "u+q", "0o755"],
            ),
            (
                "size",
                is_size,
                &["1", "64m", "1.5 GiB", "10KB", "3b"],
                &["", "m", "-1", "1xb", "1mbb"],
            ),
            (
                "platform",
                is_platform,
                &[
                    "linux/amd64",
                    "linux",
                    "arm64",
                    "linux/arm/v7",
                    "windows(10.0.17763)/amd64",
                    "x86_64",
                    "foo/bar",
                ],
                &["", "foo", "linux/", "a/b/c/d", "linux/*", "li nux/amd64"],
            ),
            (
                "remote",
                is_remote,
                &["https://a/b", "git@github.com:a/b.git", "ssh://x/y"],
                &["a/b", "./a@b:c/d", "x"],
            ),
        ];
        for (name, is, good, bad) in cases {
            for text in good {
                assert!(is(text), "{name}: {text}");
            }
            for text in bad {
                assert!(!is(text), "{name}: {text}");
            }
        }
    }
}
