//! Processes end, with all that they started, and say no secret.

use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use factory::process::{Mask, Process, ProcessError};

const PATH: &str = "/usr/bin:/bin";

fn shell<'a>(script: &str) -> Process<'a> {
    Process::new("sh").args(["-c", script]).env("PATH", PATH)
}

fn is_alive(pid: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"));
    stat.is_ok_and(|stat| !stat.contains(") Z "))
}

/// Waits until a file holds a number.
fn number(file: &Path) -> String {
    let start = Instant::now();
    loop {
        let text = std::fs::read_to_string(file).unwrap_or_default();
        if text.ends_with('\n') {
            return text.trim().to_owned();
        }
        assert!(start.elapsed() < Duration::from_secs(30), "nothing began");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn ends(pid: &str) {
    let start = Instant::now();
    while is_alive(pid) {
        assert!(start.elapsed() < Duration::from_secs(10), "{pid} lives on");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_program_gets_what_was_said_and_nothing_else() {
    let output = shell("cat; pwd; env | grep -v '^PWD=\\|^SHLVL=\\|^_=' | sort; echo over >&2")
        .env("A", "b c")
        .dir("/")
        .stdin("in\n")
        .run()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text, format!("in\n/\nA=b c\nPATH={PATH}\n"));
    assert_eq!(output.stderr, "over\n");
    // Who does not read its input is no failure of ours.
    assert!(shell("true").stdin(vec![b'x'; 1 << 20]).run().is_ok());
}

#[test]
fn a_failure_says_how_and_the_last_words_without_secrets() {
    let mut mask = Mask::default();
    mask.add(Some("me"), "s3cret");
    let error = shell("echo said; seq 1 9999 >&2; echo me s3cret bWU6czNjcmV0 >&2; exit 7")
        .mask(mask)
        .run()
        .unwrap_err();
    assert!(
        error.to_string().starts_with("sh ended with code 7: "),
        "{error}"
    );
    assert!(error.to_string().ends_with("9999\nme *** ***"));
    assert!(error.stderr().len() <= 16 * 1024);
    let said = match error {
        ProcessError::Failed { code, stdout, .. } => Some((code, stdout)),
        _ => None,
    };
    assert_eq!(said, Some((Some(7), b"said\n".to_vec())));

    // Half a secret is one too.
    let mut mask = Mask::default();
    mask.add(None, &"x".repeat(9000));
    let long = format!("{}{}", "x".repeat(9000), "y".repeat(8000));
    for script in [
        format!("echo {long} >&2; echo end >&2; exit 1"),
        format!("printf {long} >&2; exit 1"),
    ] {
        let error = shell(&script).mask(mask.clone()).run().unwrap_err();
        assert!(!error.to_string().contains('x'), "{error}");
    }

    let killed = shell("kill -9 $$").run().unwrap_err();
    assert_eq!(killed.to_string(), "sh was killed");
    let missing = Process::new("no-such-program").run().unwrap_err();
    assert!(
        matches!(missing, ProcessError::NotStarted { .. }),
        "{missing}"
    );
}

#[test]
fn output_and_what_else_is_watched_is_bounded() {
    let start = Instant::now();
    let endless = shell("cat /dev/zero").limit(1000).run().unwrap_err();
    assert!(matches!(endless, ProcessError::TooMuch { .. }), "{endless}");
    assert_eq!(
        shell("printf 12345").limit(5).run().unwrap().stdout,
        b"12345"
    );
    assert!(shell("printf 123456").limit(5).run().is_err());
    let watched = shell("sleep 60").watch(|| false).run().unwrap_err();
    assert!(matches!(watched, ProcessError::TooMuch { .. }), "{watched}");
    assert!(start.elapsed() < Duration::from_secs(20));
}

#[test]
fn after_its_deadline_a_program_is_killed_with_all_that_it_started() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pid");
    // The one that was started ignores being asked, and holds the output open.
    let script = format!(
        "trap '' TERM INT HUP; echo begun >&2; sleep 300 & echo $! > '{}'; wait",
        file.display()
    );
    let start = Instant::now();
    let error = shell(&script)
        .deadline(Duration::from_millis(800))
        .run()
        .unwrap_err();
    assert_eq!(error.to_string(), "sh did not end within 0.8 s");
    assert_eq!(error.stderr(), "begun\n");
    assert!(start.elapsed() < Duration::from_secs(10));
    ends(&number(&file));
}

#[test]
fn what_a_program_leaves_behind_with_its_output_is_not_waited_for() {
    let start = Instant::now();
    let output = shell("sleep 20 & echo done").run().unwrap();
    assert!(start.elapsed() < Duration::from_secs(10));
    assert_eq!(output.stdout, b"done\n");
}

/// Not a test by itself: [`an_interrupt_ends_what_was_started`] runs it in a process.
#[test]
fn waits_to_be_interrupted() {
    if let Some(file) = std::env::var_os("IMAGE_FACTORY_TEST_PID_FILE") {
        let script = format!("sleep 300 & echo $! > '{}'; wait", file.display());
        let _ = shell(&script).run();
    }
}

#[test]
fn an_interrupt_ends_what_was_started() {
    for signal in ["INT", "TERM", "HUP"] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pid");
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "process::waits_to_be_interrupted"])
            .env("IMAGE_FACTORY_TEST_PID_FILE", &file)
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let started = number(&file);
        assert!(is_alive(&started));
        let name = format!("-{signal}");
        let killed = Command::new("kill")
            .args([&name, &child.id().to_string()])
            .status();
        assert!(killed.unwrap().success());
        // It dies of the signal, as it would have.
        assert!(child.wait().unwrap().signal().is_some(), "{signal}");
        ends(&started);
    }
}
