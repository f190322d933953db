//! Where references stand, and which there are.

use super::*;

#[test]
fn flags_of_from() {
    check(&[
        (
            "platform",
            "",
            "FROM --platform=linux/arm64 a AS b",
            "1 from a",
        ),
        ("empty platform", "", "FROM --platform= a", "1 from a"),
        (
            "platform of one word",
            "",
            "FROM --platform=arm64 a",
            "1 from a",
        ),
        (
            "no platform",
            "",
            "FROM --platform=foo a",
            "! 1 no platform",
        ),
        (
            "a quoted flag",
            "",
            "FROM --platform=\"linux/arm64\" a",
            "1 from a",
        ),
        ("another flag", "", "FROM --foo=bar a", "! 1 no flag"),
        (
            "twice",
            "",
            "FROM --platform=a/b --platform=c/d a",
            "! 1 twice",
        ),
        (
            "behind the image",
            "",
            "FROM a --platform=linux/amd64",
            "! 1 FROM takes",
        ),
        ("without a value", "", "FROM --platform a", "! 1 no value"),
        ("a quoted image", "", "FROM \"node:22\"", "1 from node:22"),
        ("quotes inside", "", "FROM no'de':22", "1 from node:22"),
        ("escapes inside", "", "FROM no\\de:22", "1 from node:22"),
        ("dashes end the flags", "", "FROM -- a", "1 from a"),
    ]);
}

#[test]
fn flags_of_copy() {
    check(&[
        (
            "among others",
            "",
            "FROM a\nCOPY --chown=1:1 --from=b:1 --link /x /y",
            "1 from a; 2 copy b:1",
        ),
        (
            "after others",
            "",
            "FROM a\nCOPY --link --chmod=755 --from=b:1 /x /y",
            "1 from a; 2 copy b:1",
        ),
        (
            "quoted value",
            "",
            "FROM a\nCOPY --from=\"b:1\" /x /y",
            "1 from a; 2 copy b:1",
        ),
        (
            "a fully quoted flag is a path",
            "",
            "FROM a\nCOPY \"--from=b:1\" /x /y",
            "1 from a",
        ),
        (
            "flags end at the first path",
            "",
            "FROM a\nCOPY /x --from=b:1 /y",
            "1 from a",
        ),
        (
            "flags end at two dashes",
            "",
            "FROM a\nCOPY -- --from=b:1 /y",
            "1 from a",
        ),
        (
            "empty is the context",
            "",
            "FROM a\nCOPY --from= /x /y",
            "1 from a",
        ),
        (
            "in capitals",
            "",
            "FROM a\nCOPY --FROM=b /x /y",
            "! 2 no flag",
        ),
        (
            "without a value",
            "",
            "FROM a\nCOPY --from b /x /y",
            "! 2 no value",
        ),
        (
            "twice",
            "",
            "FROM a\nCOPY --from=b --from=c /x /y",
            "! 2 twice",
        ),
        (
            "a variable",
            "",
            "ARG V=1\nFROM a\nCOPY --from=b:$V /x /y",
            "! 3 variable",
        ),
        (
            "a variable with a default",
            "",
            "FROM a\nCOPY --from=${V:-b} /x /y",
            "! 2 variable",
        ),
        (
            "the workaround",
            "",
            "ARG V=1\nFROM b:$V AS b\nFROM a\nCOPY --from=b /x /y",
            "2 from b:1; 3 from a",
        ),
        (
            "JSON form",
            "",
            "FROM a\nCOPY --from=b [\"/x\", \"/y\"]",
            "1 from a; 2 copy b",
        ),
        (
            "one path",
            "",
            "FROM a\nCOPY --from=b /x",
            "! 2 destination",
        ),
        (
            "JSON of one path",
            "",
            "FROM a\nCOPY [\"/x\"]",
            "! 2 destination",
        ),
        (
            "JSON of numbers",
            "",
            "FROM a\nCOPY [1, 2]",
            "! 2 strings only",
        ),
        (
            "ADD has no from",
            "",
            "FROM a\nADD --from=b /x /y",
            "! 2 no flag",
        ),
        (
            "a URL",
            "",
            "FROM a\nCOPY https://x/y /z",
            "! 2 does not fetch",
        ),
        (
            "no boolean",
            "",
            "FROM a\nCOPY --link=maybe /x /y",
            "! 2 true or false",
        ),
        (
            "exclude more than once",
            "",
            "FROM a\nCOPY --exclude=a --exclude=b --from=c --parents /x /y",
            "1 from a; 2 copy c",
        ),
    ]);
}

#[test]
fn mounts() {
    check(&[
        (
            "bind by default",
            "",
            "FROM a\nRUN --mount=from=b:1,target=/b x",
            "1 from a; 2 mount b:1",
        ),
        (
            "bind",
            "",
            "FROM a\nRUN --mount=type=bind,from=b:1,source=/,target=/b x",
            "1 from a; 2 mount b:1",
        ),
        (
            "cache",
            "",
            "FROM a\nRUN --mount=type=cache,from=b:1,target=/b x",
            "1 from a; 2 mount b:1",
        ),
        (
            "several",
            "",
            "FROM a\nRUN --mount=from=b,target=/b --mount=from=c,target=/c x",
            "1 from a; 2 mount b; 2 mount c",
        ),
        (
            "keys in any case",
            "",
            "FROM a\nRUN --mount=TYPE=bind,FROM=b,Target=/b x",
            "1 from a; 2 mount b",
        ),
        (
            "CSV quotes",
            "",
            "FROM a\nRUN --mount='type=bind,\"from=b\",target=/b' x",
            "1 from a; 2 mount b",
        ),
        (
            "quoted flag value",
            "",
            "FROM a\nRUN --mount=\"type=bind,from=b,target=/b\" x",
            "1 from a; 2 mount b",
        ),
        (
            "behind the command it is none",
            "",
            "FROM a\nRUN x --mount=from=b,target=/b",
            "1 from a",
        ),
        (
            "the last from counts",
            "",
            "FROM a\nRUN --mount=from=b,from=c,target=/b x",
            "1 from a; 2 mount c",
        ),
        (
            "without from",
            "",
            "FROM a\nRUN --mount=type=cache,target=/b x",
            "1 from a",
        ),
        (
            "a variable in from",
            "",
            "FROM a\nRUN --mount=from=$B,target=/b x",
            "! 2 variable",
        ),
        (
            "variables elsewhere",
            "",
            "FROM a\nARG D=/d\nRUN --mount=type=cache,target=$D,from=b x",
            "1 from a; 3 mount b",
        ),
        (
            "a secret has no from",
            "",
            "FROM a\nRUN --mount=type=secret,id=s,from=b x",
            "! 2 secret",
        ),
        (
            "an unknown type",
            "",
            "FROM a\nRUN --mount=type=bnd,from=b,target=/b x",
            "! 2 no type",
        ),
        (
            "an unknown key",
            "",
            "FROM a\nRUN --mount=type=bind,form=b,target=/b x",
            "! 2 no `form`",
        ),
        (
            "an open CSV quote",
            "",
            "FROM a\nRUN --mount='\"from=b' x",
            "! 2 not closed",
        ),
        (
            "nothing",
            "",
            "FROM a\nRUN --mount= x",
            "! 2 nothing to mount",
        ),
        (
            "a field without a value",
            "",
            "FROM a\nRUN --mount=type=bind,target x",
            "! 2 no value",
        ),
        (
            "read-only fields",
            "",
            "FROM a\nRUN --mount=from=b,target=/b,ro --mount=from=c,target=/c,rw=true x",
            "1 from a; 2 mount b; 2 mount c",
        ),
        (
            "uid of a bind mount",
            "",
            "FROM a\nRUN --mount=from=b,target=/b,uid=1 x",
            "! 2 no `uid`",
        ),
        (
            "sharing of a bind mount",
            "",
            "FROM a\nRUN --mount=from=b,target=/b,sharing=locked x",
            "! 2 no `sharing`",
        ),
        (
            "all of a cache",
            "",
            "FROM a\nRUN --mount=type=cache,id=x,target=/c,sharing=locked,mode=0755,uid=1,gid=1 x",
            "1 from a",
        ),
        (
            "size of tmpfs",
            "",
            "FROM a\nRUN --mount=type=tmpfs,target=/t,size=64m x",
            "1 from a",
        ),
        (
            "the root",
            "",
            "FROM a\nRUN --mount=from=b,target=/ x",
            "! 2 mounted at `/`",
        ),
        (
            "with exec form",
            "",
            "FROM a\nRUN --mount=from=b,target=/b [\"x\"]",
            "1 from a; 2 mount b",
        ),
    ]);
}

const HEX64: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

#[test]
fn references_and_their_canonical_form() {
    let digest = format!("sha256:{HEX64}");
    let long = format!("sha512:{HEX64}{HEX64}");
    let sixty_three = &HEX64[1..];
    for (text, canonical) in [
        ("node", "docker.io/library/node:latest"),
        ("node:22", "docker.io/library/node:22"),
        ("library/node:22", "docker.io/library/node:22"),
        ("docker.io/node:22", "docker.io/library/node:22"),
        ("index.docker.io/node", "docker.io/library/node:latest"),
        ("docker.io/library/node", "docker.io/library/node:latest"),
        (
            "registry-1.docker.io/library/node:22",
            "docker.io/library/node:22",
        ),
        (
            "registry.hub.docker.com/acme/lib:1.2",
            "docker.io/acme/lib:1.2",
        ),
        (
            "registry.hub.docker.com/node:22",
            "docker.io/library/node:22",
        ),
        ("grafana/grafana:11", "docker.io/grafana/grafana:11"),
        ("ghcr.io/owner/image:v1.0", "ghcr.io/owner/image:v1.0"),
        ("ghcr.io/image", "ghcr.io/image:latest"),
        ("localhost/a", "localhost/a:latest"),
        ("localhost:5000/a:b", "localhost:5000/a:b"),
        ("registry:5000/a/b/c", "registry:5000/a/b/c:latest"),
        ("127.0.0.1:5000/a", "127.0.0.1:5000/a:latest"),
        ("[::1]:5000/a:1", "[::1]:5000/a:1"),
        ("[2001:db8::1]/a", "[2001:db8::1]/a:latest"),
        ("REGISTRY/a", "REGISTRY/a:latest"),
        ("Registry.Example.com/a", "Registry.Example.com/a:latest"),
        ("a.b/c", "a.b/c:latest"),
        ("a__b/c--d.e_f", "docker.io/a__b/c--d.e_f:latest"),
        ("a__b.c/d", "a__b.c/d:latest"),
        ("a:V1.0_x-Y", "docker.io/library/a:V1.0_x-Y"),
        ("a:_", "docker.io/library/a:_"),
        ("0", "docker.io/library/0:latest"),
        (
            &format!("a@{digest}"),
            &format!("docker.io/library/a@{digest}"),
        ),
        (
            &format!("a:1@{digest}"),
            &format!("docker.io/library/a:1@{digest}"),
        ),
        (&format!("a@{long}"), &format!("docker.io/library/a@{long}")),
        (
            sixty_three,
            &format!("docker.io/library/{sixty_three}:latest"),
        ),
        (
            &format!("x/{HEX64}"),
            &format!("docker.io/x/{HEX64}:latest"),
        ),
        (
            &format!("a:{}", "t".repeat(128)),
            &format!("docker.io/library/a:{}", "t".repeat(128)),
        ),
    ] {
        let image = ImageReference::parse(text).unwrap_or_else(|fault| panic!("{text}: {fault}"));
        assert_eq!(image.to_string(), canonical, "{text}");
        let again = ImageReference::parse(canonical).unwrap();
        assert_eq!(again.to_string(), canonical, "{text}");
        assert_eq!(
            image.implicit_latest,
            !text.contains('@') && canonical.ends_with(":latest"),
            "{text}"
        );
        check_bytes(
            text,
            "",
            format!("FROM {text}").as_bytes(),
            &format!("1 from {text}"),
        )
        .unwrap();
    }
    let pinned = ImageReference::parse(&format!("a@{digest}")).unwrap();
    assert_eq!((pinned.tag, pinned.implicit_latest), (None, false));
    let both = ImageReference::parse(&format!("a:1@{digest}")).unwrap();
    assert_eq!(
        (both.tag.as_deref(), both.digest),
        (Some("1"), Some(digest))
    );
}

#[test]
fn what_is_no_reference() {
    let short = format!("a@sha256:{}", &HEX64[1..]);
    let capitals = format!("a@sha256:{}", HEX64.to_uppercase());
    let md5 = format!("a@md5:{}", &HEX64[..32]);
    let long_tag = format!("a:{}", "t".repeat(129));
    let long_path = format!("x/{}", "p".repeat(255));
    for (text, word) in [
        ("Node", "capital"),
        ("owner/Node", "capital"),
        ("node:", "no tag follows"),
        ("node:.x", "no tag"),
        ("node:-x", "no tag"),
        ("node:1:2", "no tag"),
        (&long_tag, "no tag"),
        ("node/", "empty"),
        ("/node", "empty"),
        ("a//b", "empty"),
        ("./x", "no registry"),
        ("../x", "no registry"),
        ("a___b", "cannot be part"),
        ("a.-b", "cannot be part"),
        ("a..b", "cannot be part"),
        ("-a", "cannot be part"),
        ("a_", "cannot be part"),
        ("a$b", "cannot be part"),
        ("https://a/b", "URL"),
        ("docker://a", "URL"),
        ("a b", "cannot be part"),
        ("é", "cannot be part"),
        ("", "no name"),
        (":1", "no name"),
        ("@x", "no name"),
        ("a:b/c", "no registry"),
        ("[::1/a", "no registry"),
        ("-a.b/c", "no registry"),
        ("a.b:x/c", "no registry"),
        ("A_B/c", "no registry"),
        ("a@", "no digest"),
        ("a@sha256", "no digest"),
        (&md5, "no digest"),
        (&short, "64 digits"),
        (&capitals, "no digest"),
        (HEX64, "64 hexadecimal"),
        (&long_path, "longer than 255"),
    ] {
        let fault = ImageReference::parse(text).expect_err(text);
        assert!(fault.message.contains(word), "{text}: {fault}");
    }
}
