//! Adding an entry.

use super::lines::Lines;
use super::{Entry, Parsed, Refused, by_hand, enrolled, only_differ_at};
use crate::diagnostics::{Diagnostic, code};
use crate::model::{Image, InputFile, InputFiles, Model, load};
use crate::tree::{Edit, Tree};
use crate::yaml::{Kind, Node};

/// The edit that adds an entry at the end of the list in images.yaml.
///
/// # Errors
///
/// If the enrollment is wrong, or would be with it: a name that is taken, an image that
/// is enrolled, a value that cannot be. And if the file cannot be edited.
pub fn add(tree: &Tree, entry: &Entry) -> Result<Edit, Refused> {
    let before = enrolled(tree)?;
    let empty = InputFile {
        path: tree.enrollment.as_str().into(),
        text: String::new(),
    };
    let mut files = tree.inputs.enrollment.iter();
    let file = files
        .find(|file| *file.path == *tree.enrollment)
        .unwrap_or(&empty);
    let text = spliced(file, entry)?;
    let mut edit = Edit::default();
    edit.write(&*file.path, text.as_str());
    let files = InputFiles {
        enrollment: tree.with(&edit).inputs.enrollment,
        ..InputFiles::default()
    };
    let (after, mut diagnostics) = load(&files);
    // A name twice, or an image twice, is said in words of its own.
    if let Some(twice) = taken(&before, entry) {
        return Err(twice.into());
    }
    diagnostics.retain(Diagnostic::is_error);
    let Some(after) = after else {
        let mut refused = Refused::from(diagnostics);
        refused.text = Some(InputFile {
            path: file.path.clone(),
            text,
        });
        return Err(refused);
    };
    if let Some(image) = after.image(&entry.name)
        && let Some(twice) = enrolled_twice(&before, image)
    {
        return Err(twice.into());
    }
    let clashes = clashing(tree, &edit, &after, entry);
    if !clashes.is_empty() {
        let mut refused = Refused::from(clashes);
        refused.text = Some(InputFile {
            path: file.path.clone(),
            text,
        });
        return Err(refused);
    }
    if only_differ_at(&file.text, &text, None, Some(count(&file.text))) {
        Ok(edit)
    } else {
        let why = "has something in it that an added entry would change";
        Err(by_hand(file, None, why, paste(entry)).into())
    }
}

/// A base image of another reference has the name already.
fn clashing(tree: &Tree, edit: &Edit, after: &Model, entry: &Entry) -> Vec<Diagnostic> {
    let place = after.image(&entry.name).map(Image::place);
    let (_, mut found) = load(&tree.with(edit).inputs);
    found.retain(|d| d.code == code::NAME_CLASH && d.place == place);
    found
}

fn count(text: &str) -> usize {
    Parsed::of(text).items().len()
}

fn taken(model: &Model, entry: &Entry) -> Option<Diagnostic> {
    let image = model.image(&entry.name)?;
    let message = format!(
        "`{}` is enrolled already, as `{}`",
        image.name, image.repository
    );
    Some(
        Diagnostic::error(code::ENROLLED_ALREADY, message)
            .help("choose another name, or change that entry")
            .at(image.place()),
    )
}

/// Two managed images cannot be pushed to one place, and one thing watched twice is a
/// mistake; two tags of one external repository are two images.
fn enrolled_twice(before: &Model, new: &Image) -> Option<Diagnostic> {
    let twin = before.images.iter().find(|old| {
        old.repository == new.repository
            && (old.is_managed() || new.is_managed() || old.watch == new.watch)
    })?;
    let message = format!(
        "`{}` is enrolled already, as `{}`",
        twin.repository, twin.name
    );
    Some(
        Diagnostic::error(code::ENROLLED_ALREADY, message)
            .help("change that entry, or name another repository")
            .at(twin.place()),
    )
}

fn paste(entry: &Entry) -> String {
    format!(
        "add this to the list of images by hand:\n{}",
        entry.text().trim_end()
    )
}

/// The text with the entry in it.
fn spliced(file: &InputFile, entry: &Entry) -> Result<String, Diagnostic> {
    let parsed = Parsed::of(&file.text);
    let lines = Lines::of(&file.text);
    let newline = if file.text.contains("\r\n") {
        "\r\n"
    } else {
        "\n"
    };
    let put = |line: usize, indent: usize, blank: bool, key: bool| {
        let at = lines.start(line);
        let (head, tail) = file.text.split_at_checked(at).unwrap_or((&file.text, ""));
        let mut text = head.to_owned();
        if !text.is_empty() && !text.ends_with('\n') {
            text.push_str(newline);
        }
        if blank && !text.is_empty() {
            text.push_str(newline);
        }
        if key {
            text.push_str("images:");
            text.push_str(newline);
        }
        for line in entry.text().lines() {
            text.push_str(&format!("{:indent$}{line}{newline}", ""));
        }
        text + tail
    };
    let Some(root) = &parsed.root else {
        // Nothing but comments; `null` and the like would be in the way of a list.
        let nothing = (0..lines.count()).all(|line| {
            lines.is_blank(line)
                || lines.comment(line).is_some()
                || lines.line(line).trim_end() == "---"
        });
        return if nothing {
            Ok(put(lines.count(), 0, lines.count() > 0, false))
        } else {
            Err(by_hand(file, None, "holds nothing, in words", paste(entry)))
        };
    };
    let Some(list) = parsed.list() else {
        return without_list(file, root, &lines, entry, put);
    };
    let items = list.as_sequence().unwrap_or(&[]);
    let flow = lines_begin(&file.text, list, '[');
    let Some(last) = items.last() else {
        return emptied(file, root, list, entry);
    };
    let dash = lines.dash(last.span).filter(|_| !flow);
    let Some(dash) = dash else {
        let why = "has its images in brackets, or in another form than one `- name:` a line";
        return Err(by_hand(file, Some(list.span), why, paste(entry)));
    };
    // As the entries before it, if there are several.
    let blank = match items.len().checked_sub(2).and_then(|at| items.get(at)) {
        Some(before) => {
            let from = lines.at(before.span.end);
            (from..lines.at(last.span.start)).any(|line| lines.is_blank(line))
        }
        None => true,
    };
    Ok(put(lines.after(last.span, dash), dash, blank, false))
}

/// A map without images: the key is there without a value, or not at all.
fn without_list(
    file: &InputFile,
    root: &Node<'_>,
    lines: &Lines<'_>,
    entry: &Entry,
    put: impl Fn(usize, usize, bool, bool) -> String,
) -> Result<String, Diagnostic> {
    if lines_begin(&file.text, root, '{') {
        let why = "is a map in braces";
        return Err(by_hand(file, Some(root.span), why, paste(entry)));
    }
    let entries = root.as_mapping().unwrap_or(&[]);
    let key = entries
        .iter()
        .find(|(key, _)| key.as_str() == Some("images"));
    match key {
        Some((key, value)) if value.span.start == value.span.end => {
            Ok(put(lines.at(key.span.start) + 1, 2, false, false))
        }
        Some((_, value)) => {
            let why = "says in a word that there are no images";
            Err(by_hand(file, Some(value.span), why, paste(entry)))
        }
        None => Ok(put(
            lines.at(root.span.end.saturating_sub(1)) + 1,
            2,
            true,
            true,
        )),
    }
}

/// `[]`, in the place of which the entry comes.
fn emptied(
    file: &InputFile,
    root: &Node<'_>,
    list: &Node<'_>,
    entry: &Entry,
) -> Result<String, Diagnostic> {
    let refuse = || {
        let why = "has an empty list in a form";
        by_hand(file, Some(list.span), why, paste(entry))
    };
    let text = &file.text;
    let head = text.get(..list.span.start).ok_or_else(refuse)?;
    let tail = text.get(list.span.end..).ok_or_else(refuse)?;
    let brackets = text.get(list.span.start..list.span.end);
    let plain = brackets.is_some_and(|found| found.replace(' ', "") == "[]");
    if !plain || lines_begin(text, root, '{') {
        return Err(refuse());
    }
    let (rest, below) = match tail.split_once('\n') {
        Some((rest, below)) => (rest.trim_end_matches('\r'), below),
        None => (tail, ""),
    };
    let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let bare = matches!(root.kind, Kind::Sequence(_));
    let indent = if bare { 0 } else { 2 };
    let line = format!(
        "{}{}",
        head.trim_end_matches(' '),
        if rest.trim().is_empty() { "" } else { rest }
    );
    let mut out = line;
    if !out.is_empty() && !out.ends_with('\n') {
        out.push_str(newline);
    }
    for line in entry.text().lines() {
        out.push_str(&format!("{:indent$}{line}{newline}", ""));
    }
    Ok(out + below)
}

/// Does a node begin with this character?
fn lines_begin(text: &str, node: &Node<'_>, with: char) -> bool {
    text.get(node.span.start..)
        .is_some_and(|rest| rest.starts_with(with))
}
