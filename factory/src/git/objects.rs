//! Objects of a repository: what `git cat-file` says about them.

use std::collections::BTreeMap;

use super::resolve::{Entry, Kind};

/// An object, or the news that there is none.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Object {
    pub(super) kind: String,
    pub(super) size: u64,
    /// Empty unless the content was asked for.
    pub(super) content: Vec<u8>,
}

/// Reads the answer to `cat-file --batch-check` or, with `content`, to `--batch`: one
/// for each asked, in their order. `None` if that is not what it is.
pub(super) fn answers<'n>(
    asked: &[&'n str],
    mut output: &[u8],
    content: bool,
) -> Option<BTreeMap<&'n str, Option<Object>>> {
    let mut all = BTreeMap::new();
    for name in asked {
        let end = output.iter().position(|b| *b == b'\n')?;
        let (line, rest) = output.split_at_checked(end)?;
        output = rest.get(1..)?;
        let line = std::str::from_utf8(line).ok()?;
        let mut words = line.rsplitn(3, ' ');
        let (last, kind, _) = (words.next()?, words.next()?, words.next());
        let Ok(size) = last.parse::<u64>() else {
            // `NAME missing`, `NAME ambiguous`
            all.insert(*name, None);
            continue;
        };
        let mut object = Object {
            kind: kind.to_owned(),
            size,
            content: Vec::new(),
        };
        if content {
            let (bytes, rest) = output.split_at_checked(usize::try_from(size).ok()?)?;
            object.content = bytes.to_vec();
            output = rest.get(1..)?;
        }
        all.insert(*name, Some(object));
    }
    output.is_empty().then_some(all)
}

/// The entries of a tree object, each `MODE SP NAME NUL ID` with the id as `length`
/// bytes; `None` for a tree that is cut off.
pub(super) fn entries(mut tree: &[u8], length: usize) -> Option<Vec<Entry>> {
    let mut all = Vec::new();
    while !tree.is_empty() {
        let space = tree.iter().position(|b| *b == b' ')?;
        let (mode, rest) = tree.split_at_checked(space)?;
        let end = rest.iter().position(|b| *b == 0)?;
        let (id, after) = rest.get(end + 1..)?.split_at_checked(length)?;
        all.push(Entry {
            kind: match mode {
                b"40000" | b"040000" => Kind::Folder,
                b"120000" => Kind::Link,
                b"160000" => Kind::Module,
                _ => Kind::File,
            },
            name: rest.get(1..end)?.to_vec(),
            id: id.iter().map(|b| format!("{b:02x}")).collect(),
        });
        tree = after;
    }
    Some(all)
}

/// Is this the full id of an object?
pub(super) fn is_id(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_one_for_each_asked() {
        let output = b"aa blob 3\nx\ny\nbb missing\ncc tree 0\n\n";
        let all = answers(&["a", "b", "c"], output, true).unwrap();
        assert_eq!(all["a"].as_ref().unwrap().content, b"x\ny");
        assert_eq!(all["b"], None);
        assert_eq!(all["c"].as_ref().unwrap().kind, "tree");
        for cut in 0..output.len() {
            assert_eq!(
                answers(&["a", "b", "c"], &output[..cut], true),
                None,
                "{cut}"
            );
        }
        assert_eq!(
            answers(&["a"], b"aa blob 3\n", false).unwrap()["a"]
                .as_ref()
                .unwrap()
                .size,
            3
        );
        assert_eq!(
            answers(&["a"], b"aa blob 99999999999999999999\nx\n", true),
            None
        );
        assert_eq!(answers(&[], b"more\n", false), None);
    }

    #[test]
    fn a_tree_is_read_to_its_end() {
        let mut tree = b"40000 shop\0".to_vec();
        tree.extend([0xab; 20]);
        tree.extend(b"100755 a b\0");
        tree.extend([0x01; 20]);
        tree.extend(b"120000 link\0");
        tree.extend([0x02; 20]);
        tree.extend(b"160000 module\0");
        tree.extend([0x03; 20]);
        let all = entries(&tree, 20).unwrap();
        let kinds: Vec<_> = all.iter().map(|entry| entry.kind).collect();
        assert_eq!(kinds, [Kind::Folder, Kind::File, Kind::Link, Kind::Module]);
        assert_eq!(all[0].id, "ab".repeat(20));
        for cut in 1..tree.len() {
            assert!(
                entries(&tree[..cut], 20).is_none_or(|some| some.len() < 4),
                "{cut}"
            );
        }
    }

    #[test]
    fn ids_are_hexadecimal_and_whole() {
        assert!(is_id(&"a1".repeat(20)) && is_id(&"a1".repeat(32)));
        for bad in [
            "",
            "a1",
            "HEAD",
            &"A1".repeat(20),
            &"-x".repeat(20),
            &"a1".repeat(21),
        ] {
            assert!(!is_id(bad), "{bad}");
        }
    }
}
