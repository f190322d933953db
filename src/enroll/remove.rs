//! Taking an entry out.

use super::lines::Lines;
use super::{Parsed, Refused, by_hand, enrolled, only_differ_at};
use crate::diagnostics::{Diagnostic, code, did_you_mean, nearest};
use crate::model::{InputFile, Model};
use crate::tree::{Edit, Tree};

/// The edit that takes an entry out of the file that has it, with the comments that
/// belong to it: those directly above it, unless it is the first of the list (they are
/// the list's then, unless they name it), and those below it that are indented further.
///
/// # Errors
///
/// If the enrollment is wrong, the image is not enrolled, or its file cannot be edited.
pub fn remove(tree: &Tree, name: &str) -> Result<Edit, Refused> {
    let model = enrolled(tree)?;
    let Some(image) = model.image(name) else {
        return Err(unknown(&model, name).into());
    };
    let place = image.place();
    let mut files = tree.inputs.enrollment.iter();
    let file = files
        .find(|file| file.path == place.file)
        .ok_or_else(|| unknown(&model, name))?;
    let (text, at) = cut(file, name)?;
    if !only_differ_at(&file.text, &text, Some(at), None) {
        let why = "has something in it that would change with the entry";
        return Err(by_hand(file, place.span, why, help(name)).into());
    }
    let mut edit = Edit::default();
    if text.trim().is_empty() && *file.path != *tree.enrollment {
        edit.delete(&*file.path);
    } else {
        edit.write(&*file.path, text);
    }
    Ok(edit)
}

fn unknown(model: &Model, name: &str) -> Diagnostic {
    let names: Vec<&str> = model.images.iter().map(|i| i.name.as_str()).collect();
    let help = match nearest(name, &names) {
        None if names.len() > 20 => "`image-factory status` shows all images".to_owned(),
        _ => did_you_mean(name, &names),
    };
    Diagnostic::error(code::UNKNOWN_IMAGE, format!("`{name}` is not enrolled")).help(help)
}

fn help(name: &str) -> String {
    format!("take the entry of `{name}` out by hand")
}

/// The text without the entry, and which of the list it was.
fn cut(file: &InputFile, name: &str) -> Result<(String, usize), Diagnostic> {
    let parsed = Parsed::of(&file.text);
    let lines = Lines::of(&file.text);
    let items = parsed.items();
    let called = |item: &crate::yaml::Node<'_>| {
        item.get("name").and_then(|name| name.as_str()) == Some(name)
    };
    let found = items.iter().position(called);
    let (at, item) = found
        .and_then(|at| Some((at, items.get(at)?)))
        .ok_or_else(|| by_hand(file, None, "has the entry in a form", help(name)))?;
    let Some(dash) = lines.dash(item.span) else {
        let why = "has its images in brackets, or in another form than one `- name:` a line";
        return Err(by_hand(file, Some(item.span), why, help(name)));
    };
    let own = lines.at(item.span.start);
    let after = lines.after(item.span, dash);
    // Two entries on a line, as `[…]` has them, are no lines of their own.
    let shared = items
        .get(at + 1)
        .is_some_and(|next| lines.at(next.span.start) < after);
    if shared {
        return Err(by_hand(
            file,
            Some(item.span),
            "has several images on a line",
            help(name),
        ));
    }
    let mut first = own;
    while first > 0 && lines.comment(first - 1) == Some(dash) {
        first -= 1;
    }
    let words = |line: usize| {
        lines
            .line(line)
            .split(|c: char| !(c.is_alphanumeric() || c == '-'))
    };
    let named = (first..own).any(|line| words(line).any(|word| word == name));
    if at == 0 && !named {
        first = own;
    }
    let (mut from, mut to) = (first, after);
    // One of the gaps above and below goes too.
    if lines.is_blank(to) && (from == 0 || lines.is_blank(from - 1) || at == 0) {
        to += 1;
    } else if at + 1 == items.len() && from > 0 && lines.is_blank(from - 1) {
        // The gap before the last one divides nothing any more.
        from -= 1;
    }
    let head = file.text.get(..lines.start(from)).unwrap_or_default();
    let tail = file.text.get(lines.start(to)..).unwrap_or_default();
    Ok((format!("{head}{tail}"), at))
}
