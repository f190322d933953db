//! The program `crd-import`.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::importer::crd;

struct Run {
    code: i32,
    out: String,
    err: String,
}

fn run(folder: &Path, arguments: &[&str], stdin: &str) -> Run {
    let mut child = Command::new(env!("CARGO_BIN_EXE_crd-import"))
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It need not read all, or anything, of it.
    let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
    let output = child.wait_with_output().unwrap();
    Run {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

const SCHEMA: &str = "{type: object, properties: {spec: {type: object, properties: {to: {type: string}, job: {type: object, properties: {a: {type: string}}}}}}}";

#[test]
fn import_keeps_words_source_and_licence() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    fs::write(at.join("crd.yaml"), crd(SCHEMA)).unwrap();
    let core = "/spec/job=batch/v1.JobSpec";
    let made = run(
        at,
        &[
            "crd.yaml",
            "-o",
            "g.facts",
            "--source",
            "example v1",
            "--licence",
            "MIT",
            "--core",
            core,
        ],
        "",
    );
    assert_eq!(
        (made.code, made.out.as_str(), made.err.as_str()),
        (0, "", "")
    );
    let facts = fs::read_to_string(at.join("g.facts")).unwrap();
    assert!(
        facts.contains("\nsource example v1\nlicence MIT\n"),
        "{facts}"
    );
    let worded = facts.replace("    to: string\n", "    to: string\n      / Who.\n");
    fs::write(at.join("g.facts"), &worded).unwrap();
    let again = run(at, &["crd.yaml", "-o", "g.facts", "--core", core], "");
    assert_eq!(again.code, 0, "{}", again.err);
    assert_eq!(fs::read_to_string(at.join("g.facts")).unwrap(), worded);
    // From stdin to stdout, with the words of another file.
    let piped = run(
        at,
        &["-", "--docs-from", "g.facts", "--core", core],
        &crd(SCHEMA),
    );
    assert_eq!((piped.code, piped.out), (0, worded.clone()));
    let plain = run(at, &["-"], &crd(SCHEMA));
    assert!(
        plain.out.contains("\nsource stdin\nlicence NOASSERTION\n"),
        "{}",
        plain.out
    );
    // Words whose value is gone are told of.
    let gone = run(at, &["-", "--docs-from", "g.facts"], &crd("{type: object}"));
    assert_eq!(
        (gone.code, gone.err.as_str()),
        (
            0,
            "note: /spec/to: words dropped, there is no such value any more\n"
        )
    );
    let left: Vec<_> = fs::read_dir(at)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left.len(), 2, "{left:?}");
}

#[test]
fn check_needs_no_flags_and_ignores_words() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let two = crd(SCHEMA)
        + "---\n"
        + &crd("{type: object}").replace("kind: Greeting\n", "kind: Parting\n");
    fs::write(at.join("crd.yaml"), &two).unwrap();
    let core = "/spec/job=batch/v1.JobSpec";
    let made = run(
        at,
        &[
            "crd.yaml", "-o", "g.facts", "--kind", "Greeting", "--core", core,
        ],
        "",
    );
    assert_eq!(made.code, 0, "{}", made.err);
    let check = |text: &str| {
        fs::write(at.join("new.yaml"), text).unwrap();
        let run = run(at, &["--check", "g.facts", "new.yaml"], "");
        assert_eq!(run.err, "");
        (run.code, run.out)
    };
    assert_eq!(check(&two), (0, String::new()));
    let (code, out) = check(&two.replace("a: {type: string}", "a: {type: integer}"));
    assert_eq!(code, 1);
    assert!(
        out.starts_with("changed    /spec/job  type core batch/v1.JobSpec "),
        "{out}"
    );
    let (code, out) =
        check(&two.replace(", job: {type: object, properties: {a: {type: string}}}", ""));
    assert_eq!(
        (code, out.as_str()),
        (1, "removed    /spec/job  property\n1 change: 1 removed\n")
    );
    let (code, out) = check(&two.replace(
        "to: {type: string}",
        "to: {type: string, pattern: x}, at: {}",
    ));
    assert_eq!(
        (code, out.as_str()),
        (
            1,
            "added      /spec/at  property: any\ntightened  /spec/to  pattern \"x\"\n2 changes: 1 added, 1 tightened\n"
        )
    );
    let (code, out) = check(&two.replace("- name: v1\n", "- name: v2\n"));
    assert_eq!(
        (code, out.as_str()),
        (
            1,
            "removed    version  v1 is not served; served: v2\n1 change: 1 removed\n"
        )
    );
}

#[test]
fn diff_takes_facts_crds_and_schemas() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    fs::write(at.join("old.yaml"), crd(SCHEMA)).unwrap();
    fs::write(
        at.join("new.yaml"),
        crd(SCHEMA).replace("to: {type: string}", "to: {type: string, maxLength: 5}"),
    )
    .unwrap();
    let core = "/spec/job=batch/v1.JobSpec";
    assert_eq!(
        run(at, &["old.yaml", "-o", "old.facts", "--core", core], "").code,
        0
    );
    let expected = "tightened  /spec/to  maxLength 5\n1 change: 1 tightened\n";
    for arguments in [
        &["--diff", "old.yaml", "new.yaml"][..],
        &["--diff", "old.facts", "new.yaml"],
        &["--diff", "old.yaml", "new.yaml", "--core", core],
    ] {
        let run = run(at, arguments, "");
        assert_eq!(
            (run.code, run.out.as_str(), run.err.as_str()),
            (1, expected, ""),
            "{arguments:?}"
        );
    }
    let same = run(at, &["--diff", "old.facts", "old.yaml"], "");
    assert_eq!((same.code, same.out.as_str()), (0, ""));
    let back = run(at, &["--diff", "new.yaml", "old.facts"], "");
    assert_eq!(
        (back.code, back.out.as_str()),
        (
            1,
            "loosened   /spec/to  no more: maxLength 5\n1 change: 1 loosened\n"
        )
    );
    let piped = run(at, &["--diff", "old.yaml", "-"], &crd(SCHEMA));
    assert_eq!((piped.code, piped.out.as_str()), (0, ""));
}

#[test]
fn bad_input_exits_2_and_leaves_the_old_file() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    fs::write(at.join("g.facts"), "crd-facts 1\nname\n").unwrap();
    fs::write(
        at.join("ok.facts"),
        crd_codegen::format::write(&crate::schema("{type: string}")),
    )
    .unwrap();
    fs::write(at.join("bytes"), [0xff, 0xfe, 0x00]).unwrap();
    fs::write(
        at.join("bad.yaml"),
        "type: object\nproperties: {a: {colour: red}}\n",
    )
    .unwrap();
    let table: &[(&[&str], &str)] = &[
        (
            &["none.yaml"],
            "error: none.yaml: No such file or directory (os error 2)\n",
        ),
        (&["bytes"], "error: bytes: not UTF-8 text\n"),
        (
            &["bad.yaml"],
            "error: bad.yaml: /properties/a/colour: facts know nothing of the keyword `colour`\n",
        ),
        (
            &["bad.yaml", "-o", "ok.facts"],
            "error: bad.yaml: /properties/a/colour: facts know nothing of the keyword `colour`\n",
        ),
        (
            &["-", "-o", "g.facts"],
            "error: g.facts:2:5: expected a header line, as `name …`, or `root: …`\n",
        ),
        (
            &["-", "--core", "/spec/x=core/v1.Thing"],
            "error: stdin: /spec/x: there is nothing here to fold as core/v1.Thing\n",
        ),
        (
            &["-", "--version", "v7"],
            "error: stdin: /spec/versions: v7 is not served; served: v1\n",
        ),
        (
            &["-", "-o", "no/such/folder/x.facts"],
            "error: no/such/folder/x.facts: No such file or directory (os error 2)\n",
        ),
        (
            &["--check", "g.facts", "-"],
            "error: g.facts:2:5: expected a header line, as `name …`, or `root: …`\n",
        ),
        (
            &["--check", "ok.facts", "bad.yaml"],
            "error: bad.yaml: /properties/a/colour: facts know nothing of the keyword `colour`\n",
        ),
        (
            &["--diff", "ok.facts", "none.yaml"],
            "error: none.yaml: No such file or directory (os error 2)\n",
        ),
    ];
    let before = fs::read(at.join("ok.facts")).unwrap();
    for (arguments, message) in table {
        let run = run(at, arguments, &crd(SCHEMA));
        assert_eq!(
            (run.code, run.out.as_str(), run.err.as_str()),
            (2, "", *message),
            "{arguments:?}"
        );
    }
    assert_eq!(fs::read(at.join("ok.facts")).unwrap(), before);
    for arguments in [
        &[][..],
        &["--diff", "a"],
        &["-", "--core", "x"],
        &["--check", "a", "b", "--core", "/a=b"],
        &["-", "--diff", "a", "b"],
    ] {
        let run = run(at, arguments, "");
        assert_eq!(run.code, 2, "{arguments:?}");
        assert!(run.err.contains("try '--help'"), "{}", run.err);
    }
    let help = run(at, &["--help"], "");
    assert_eq!(help.code, 0);
}
