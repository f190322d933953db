//! What fails, hangs, is too large or damaged.

use super::*;

#[test]
fn what_may_be_over_is_tried_again_and_nothing_else() {
    let server = GitServer::start();
    server
        .repository("acme/shop")
        .commit("main", &[("Dockerfile", "FROM a\n")]);
    let file = wanted(&server.address("acme/shop"), "main", "Dockerfile");
    for (part, fault) in [
        ("/info/refs", Fault::Status(503)),
        ("/info/refs", Fault::Status(429)),
        ("/info/refs", Fault::Cut),
        ("/git-upload-pack", Fault::Status(502)),
        ("/git-upload-pack", Fault::Cut),
    ] {
        let machine = Machine::new(&server);
        server.fault(part, 2, fault.clone());
        assert_eq!(machine.text(&file), "FROM a\n", "{part} {fault:?}");
        server.heal();
        server.forget();
        server.fault(part, 99, fault.clone());
        let machine = Machine::new(&server);
        let (kind, message, _) = machine.error(&file);
        assert_eq!(kind, SourceErrorKind::Unavailable, "{fault:?} {message}");
        assert!(message.ends_with("(tried 4 times)"), "{message}");
        server.heal();
    }
    for (fault, kind) in [
        (Fault::Status(403), SourceErrorKind::Denied),
        (Fault::Status(404), SourceErrorKind::NoRepository),
        (Fault::Status(400), SourceErrorKind::Unexpected),
        (
            Fault::Garbage(b"<html>welcome to the hotel</html>".to_vec()),
            SourceErrorKind::Unexpected,
        ),
    ] {
        server.forget();
        server.fault("/info/refs", 99, fault.clone());
        let machine = Machine::new(&server);
        assert_eq!(machine.error(&file).0, kind, "{fault:?}");
        // A page is taken for a repository without branches, after asking twice.
        let asked = 1 + usize::from(matches!(fault, Fault::Garbage(_)));
        assert!(server.requests().len() <= 2 * asked, "{fault:?}");
        server.heal();
    }
}

#[test]
fn a_server_that_hangs_is_given_up() {
    let server = GitServer::start();
    server
        .repository("acme/shop")
        .commit("main", &[("Dockerfile", "FROM a\n")]);
    let file = wanted(&server.address("acme/shop"), "main", "Dockerfile");
    for (part, fault) in [
        ("/info/refs", Fault::Hang),
        ("/git-upload-pack", Fault::Stall),
    ] {
        let mut machine = Machine::new(&server);
        machine.limits.answer = Duration::from_millis(700);
        machine.limits.fetch = Duration::from_millis(700);
        server.fault(part, 99, fault.clone());
        let start = Instant::now();
        let (kind, message, _) = machine.error(&file);
        assert_eq!(kind, SourceErrorKind::Unavailable);
        assert!(
            message.ends_with("did not answer within 0.7 s (tried 2 times)"),
            "{message}"
        );
        assert!(start.elapsed() < Duration::from_secs(15), "{fault:?}");
        server.heal();
        machine.limits.answer = Duration::from_secs(20);
        machine.limits.fetch = Duration::from_secs(20);
        assert_eq!(machine.text(&file), "FROM a\n");
    }
}

#[test]
fn what_is_larger_than_any_dockerfile_is_not_read() {
    let server = GitServer::start();
    let mut state = 88_172_645_463_325_252_u64;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[0]
    })
    .take(300_000)
    .collect();
    server.repository("acme/shop").commit_entries(
        "main",
        &[
            ("Dockerfile", Entry::File(&[b'x'; 2000])),
            ("noise", Entry::File(&noise)),
        ],
    );
    let url = server.address("acme/shop");
    let mut machine = Machine::new(&server);
    machine.limits.file = 1000;
    let (kind, message, _) = machine.error(&wanted(&url, "main", "Dockerfile"));
    assert_eq!(kind, SourceErrorKind::NoFile);
    assert!(
        message.ends_with("has 2000 bytes, more than the 1000 that are read"),
        "{message}"
    );
    // Of what is larger still not even all is fetched.
    let mut narrow = Machine::new(&server);
    narrow.limits.pack = 50_000;
    let (kind, message, _) = narrow.error(&wanted(&url, "main", "noise"));
    assert_eq!(kind, SourceErrorKind::Unexpected);
    assert!(message.contains("sent more than"), "{message}");
    narrow.limits.pack = 1 << 20;
    assert_eq!(narrow.text_bytes(&wanted(&url, "main", "noise")), noise);
    machine.limits.file = 2000;
    assert_eq!(
        machine.text(&wanted(&url, "main", "Dockerfile")).len(),
        2000
    );
}

#[test]
fn a_damaged_cache_is_made_anew() {
    let server = GitServer::start();
    server
        .repository("acme/shop")
        .commit("main", &[("a/Dockerfile", "FROM a\n"), ("b", "FROM b\n")]);
    let file = wanted(&server.address("acme/shop"), "main", "a/Dockerfile");
    let other = wanted(&server.address("acme/shop"), "main", "b");
    let machine = Machine::new(&server);
    assert_eq!(machine.text(&file), "FROM a\n");
    let each = |damage: &dyn Fn(&Path)| {
        let mut stack = vec![machine.cache()];
        while let Some(folder) = stack.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    stack.push(path);
                } else {
                    damage(&path);
                }
            }
        }
    };
    let named = |path: &Path, part: &str| path.to_str().unwrap().contains(part);
    let truncate = |path: &Path| {
        let _ = std::fs::remove_file(path);
        std::fs::write(path, "").unwrap();
    };
    let damages: [&dyn Fn(&Path); 6] = [
        &|path| {
            if named(path, "/files/") {
                std::fs::write(path, "FROM evil\n").unwrap()
            }
        },
        &|path| {
            if named(path, ".pack") {
                truncate(path)
            }
        },
        &|path| {
            if named(path, "seen") {
                std::fs::write(path, [0, 255, 10]).unwrap()
            }
        },
        &|path| {
            if named(path, "/git/config") {
                truncate(path)
            }
        },
        &|path| {
            if named(path, "/git/HEAD") {
                truncate(path)
            }
        },
        &|path| {
            if named(path, "/git/config") {
                std::fs::write(path.with_file_name("shallow.lock"), "").unwrap()
            }
        },
    ];
    for (at, damage) in damages.iter().enumerate() {
        each(*damage);
        assert_eq!(machine.text(&file), "FROM a\n", "{at}");
        assert_eq!(machine.text(&other), "FROM b\n", "{at}");
        // Without what was remembered all has to come from the repository.
        each(&|path| {
            if named(path, "seen") {
                truncate(path)
            }
        });
        each(*damage);
        assert_eq!(machine.text(&other), "FROM b\n", "{at}");
    }
    std::fs::remove_dir_all(machine.cache()).unwrap();
    assert_eq!(machine.text(&file), "FROM a\n");
}

#[test]
fn runs_at_the_same_time_wait_for_each_other() {
    let server = GitServer::start();
    server
        .repository("acme/shop")
        .commit("main", &[("Dockerfile", "FROM a\n")]);
    let file = wanted(&server.address("acme/shop"), "main", "Dockerfile");
    let machine = Machine::new(&server);
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| assert_eq!(machine.text(&file), "FROM a\n"));
        }
    });
    assert_eq!(fetches(&server), 2);
}

#[test]
fn a_server_without_filters_is_read_too() {
    let server = GitServer::start();
    let shop = server.repository("acme/shop");
    shop.commit("main", &[("Dockerfile", "FROM a\n")]);
    shop.set("uploadpack.allowFilter", "false");
    shop.set("uploadpack.allowAnySHA1InWant", "false");
    let machine = Machine::new(&server);
    let file = wanted(&server.address("acme/shop"), "main", "Dockerfile");
    assert_eq!(machine.text(&file), "FROM a\n");
    shop.commit("main", &[("Dockerfile", "FROM b\n")]);
    assert_eq!(machine.text(&file), "FROM b\n");
    shop.set("protocol.version", "0");
    shop.commit("main", &[("Dockerfile", "FROM c\n")]);
    assert_eq!(machine.text(&file), "FROM c\n");
}

#[test]
fn without_git_or_a_cache_it_says_so() {
    let server = GitServer::start();
    server
        .repository("acme/shop")
        .commit("main", &[("Dockerfile", "FROM a\n")]);
    let mut machine = Machine::new(&server);
    let file = wanted(&server.address("acme/shop"), "main", "Dockerfile");
    machine.set("PATH", "/nonexistent");
    let (kind, message, help) = machine.error(&file);
    assert_eq!(kind, SourceErrorKind::Environment);
    assert!(message.starts_with("git cannot be started: "), "{message}");
    assert!(help.contains("install git"), "{help}");
}
