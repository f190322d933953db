use super::*;

fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Answer {
    Answer {
        status,
        headers: headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        body: body.into(),
    }
}

#[test]
fn heads_are_read() {
    let text = format!("sha256:{}", "a".repeat(64));
    let digest = Digest::parse(&text).unwrap();
    let head = |status, headers: &[(&str, &str)], known| {
        read_head(&answer(status, headers, ""), known).map_err(|error| error.kind)
    };
    let named = [("docker-content-digest", text.as_str())];
    assert_eq!(head(304, &[], Some(&digest)), Ok(Head::Unchanged));
    assert_eq!(
        head(304, &[], None),
        Err(Kind::Garbage),
        "nobody asked for it"
    );
    assert_eq!(head(200, &named, None), Ok(Head::Named(digest.clone())));
    assert_eq!(head(200, &[], Some(&digest)), Ok(Head::Unnamed));
    assert_eq!(head(404, &[], None), Ok(Head::Missing));
    assert_eq!(head(405, &[], None), Ok(Head::Unnamed));
    assert_eq!(head(204, &named, None), Err(Kind::Garbage));
    for bad in ["sha512:00", "sha256:A", "", "latest", "sha256:a\u{1b}[31m"] {
        let headers = [("docker-content-digest", bad)];
        assert_eq!(head(200, &headers, None), Err(Kind::Garbage), "{bad}");
    }
}

#[test]
fn a_tag_that_is_gone_is_told_from_a_repository_that_is() {
    let repository = Repository::parse("ghcr.io/a/b").unwrap();
    let body = |code: &str| format!(r#"{{"errors":[{{"code":"{code}"}}]}}"#);
    for (status, body, kind) in [
        (404, body("MANIFEST_UNKNOWN"), Kind::NoSuchTag),
        (404, body("NAME_UNKNOWN"), Kind::NoSuchRepository),
        (404, String::new(), Kind::NoSuchTag),
        (418, String::new(), Kind::Garbage),
    ] {
        let error = missing(&repository, "1", &answer(status, &[], &body));
        assert_eq!(error.kind, kind, "{body}");
    }
}
