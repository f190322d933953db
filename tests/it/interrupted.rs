//! Two runs at once, a full disk, a signal: dist is old or new, never a mixture of
//! halves.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::support::{Ran, Tree, skipped};

/// Path and text of everything in the out folder.
fn texts(tree: &Tree) -> BTreeMap<String, String> {
    fs::read_dir(tree.path("dist"))
        .into_iter()
        .flatten()
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, fs::read_to_string(path).unwrap())
        })
        .collect()
}

fn is_temporary(name: &str) -> bool {
    name.starts_with(".synth-")
}

/// The program under a limit of bytes a file, in blocks of 512; with the signal for
/// it ignored, or deadly.
fn limited(tree: &Tree, blocks: u32, deadly: bool) -> Command {
    let trap = if deadly { "" } else { "trap '' XFSZ; " };
    let program = tree.command(&[]).get_program().to_owned();
    let mut shell = Command::new("sh");
    shell
        .arg("-c")
        .arg(format!(
            "{trap}ulimit -c 0; ulimit -f {blocks}; exec \"$0\" --diff none"
        ))
        .arg(program)
        .current_dir(tree.root())
        .stdin(Stdio::null());
    shell
}

#[test]
fn a_run_waits_for_the_one_before_it() {
    let tree = Tree::new();
    let folder = File::open(tree.root()).unwrap();
    folder.lock().unwrap();
    let holder = thread::spawn(move || {
        thread::sleep(Duration::from_millis(400));
        drop(folder);
    });
    let ran = tree.synth(&[]).expect(0);
    holder.join().unwrap();
    assert!(ran.stderr.contains("waiting for another run"), "{ran:#?}");
    tree.synth(&["--check"]).expect(0);
}

#[test]
fn a_run_gives_up_on_one_that_does_not_end() {
    let tree = Tree::rendered();
    tree.drift();
    let folder = File::open(tree.root()).unwrap();
    folder.lock().unwrap();
    let before = tree.state_of("dist");
    tree.synth(&[]).refused("IF152", "another run is at work");
    assert_eq!(tree.state_of("dist"), before);
    drop(folder);
    // Who only looks waits for who writes, not for others who look.
    let folder = File::open(tree.root()).unwrap();
    folder.lock_shared().unwrap();
    tree.synth(&["--check"]).expect(1);
}

#[test]
fn many_runs_at_once_end_in_one_result() {
    let tree = Tree::large(200);
    let running: Vec<_> = (0..8)
        .map(|_| {
            tree.command(&["--diff", "none"])
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    let mut written = 0;
    for child in running {
        let ran = Ran::from(child.wait_with_output().unwrap()).expect(0);
        written += usize::from(ran.stdout.starts_with("written: "));
    }
    assert_eq!(written, 1, "the first writes, the others find it in sync");
    tree.synth(&["--check"]).expect(0);
    assert!(!texts(&tree).keys().any(|name| is_temporary(name)));
}

#[test]
fn a_file_that_cannot_be_written_whole_leaves_all_as_it_was() {
    let tree = Tree::large(100);
    tree.synth(&[]).expect(0);
    tree.enrol(300, "^2$");
    let before = tree.state_of("dist");
    let ran = Ran::of(&mut limited(&tree, 16, false)).refused("IF151", "nothing was changed");
    assert!(ran.stderr.contains("file too large"), "{ran:#?}");
    // The folder itself was changed and changed back.
    let dist = tree.path("dist");
    let mut after = tree.state_of("dist");
    after.insert(dist.clone(), before[&dist].clone());
    assert_eq!(after, before);
}

#[test]
fn a_first_run_that_fails_leaves_no_folder() {
    let tree = Tree::large(300);
    Ran::of(&mut limited(&tree, 16, false)).refused("IF151", "nothing was changed");
    assert!(!tree.path("dist").exists());
}

#[test]
fn a_run_that_is_killed_while_it_writes_leaves_the_old_and_the_next_clears_up() {
    let tree = Tree::large(100);
    tree.synth(&[]).expect(0);
    let old = texts(&tree);
    tree.enrol(300, "^2$");
    let killed = limited(&tree, 16, true).status().unwrap();
    assert!(killed.signal().is_some(), "{killed:?}");
    let mut left = texts(&tree);
    let temporary = left.extract_if(.., |name, _| is_temporary(name)).count();
    assert!(
        temporary > 0,
        "it was killed while a temporary file stood there"
    );
    assert_eq!(left, old);

    let ran = tree.synth(&["--check", "--diff", "none"]).expect(1);
    assert!(!ran.stdout.contains(".synth-"), "{ran:#?}");
    tree.synth(&[]).expect(0);
    assert!(!texts(&tree).keys().any(|name| is_temporary(name)));
}

#[test]
fn leftovers_are_cleared_even_when_all_is_in_sync() {
    let tree = Tree::rendered();
    tree.write("dist/.synth-1-0.tmp", "half a fi");
    tree.synth(&["--check"]).expect(0);
    assert!(
        tree.path("dist/.synth-1-0.tmp").exists(),
        "a check writes nothing"
    );
    tree.synth(&[]).expect(0);
    assert!(!tree.path("dist/.synth-1-0.tmp").exists());
}

#[test]
fn a_run_that_is_killed_at_any_moment_leaves_whole_files() {
    let tree = Tree::large(300);
    tree.synth(&[]).expect(0);
    let one = texts(&tree);
    tree.enrol(300, "^2$");
    tree.synth(&[]).expect(0);
    let other = texts(&tree);
    assert_ne!(one, other);

    let mut killed = 0;
    for round in 0..24_u64 {
        tree.enrol(300, if round % 2 == 0 { "^1$" } else { "^2$" });
        let mut child = tree.command(&["-q"]).spawn().unwrap();
        thread::sleep(Duration::from_millis(round * 3));
        child.kill().unwrap();
        killed += usize::from(child.wait().unwrap().signal().is_some());
        for (name, text) in texts(&tree) {
            if !is_temporary(&name) {
                assert!(
                    one.get(&name) == Some(&text) || other.get(&name) == Some(&text),
                    "{name} is neither"
                );
            }
        }
    }
    assert!(killed > 0, "no run was caught alive");
    tree.synth(&[]).expect(0);
    assert_eq!(texts(&tree), other);
}

#[test]
fn a_full_disk_leaves_all_as_it_was() {
    let tree = Tree::large(300);
    let out = tree.path("dist");
    fs::create_dir(&out).unwrap();
    let mounted = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=64k", "tmpfs"])
        .arg(&out)
        .stderr(Stdio::null())
        .status();
    if !mounted.is_ok_and(|status| status.success()) {
        return skipped("no small file system can be mounted here");
    }
    struct Mounted<'a>(&'a std::path::Path);
    impl Drop for Mounted<'_> {
        fn drop(&mut self) {
            let _ = Command::new("umount").arg(self.0).status();
        }
    }
    let _mounted = Mounted(&out);
    tree.synth(&[]).refused("IF151", "no space left");
    assert!(texts(&tree).is_empty());
    tree.enrol(0, "");
    tree.synth(&[]).expect(0);
    let small = texts(&tree);
    tree.enrol(300, "^1$");
    tree.synth(&[]).refused("IF151", "nothing was changed");
    assert_eq!(texts(&tree), small);
}
