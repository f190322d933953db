//! Diagnostics for machines.

use serde_json::{Value, json};

use super::{Diagnostic, Sources};

/// A list of `{code, severity, file, line, column, message, help}` in the
/// given order; what is not known is null. Lines and columns count from 1.
#[must_use]
pub fn diagnostics(diagnostics: &[Diagnostic], sources: &Sources) -> Value {
    let one = |diagnostic: &Diagnostic| {
        let place = diagnostic.place.as_ref();
        let position = place.and_then(|place| sources.position(place));
        json!({
            "code": diagnostic.code.id(),
            "severity": diagnostic.severity.as_str(),
            "file": place.map(|place| &*place.file),
            "line": position.map(|position| position.line),
            "column": position.map(|position| position.column),
            "message": diagnostic.message,
            "help": diagnostic.help,
        })
    };
    Value::Array(diagnostics.iter().map(one).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostics::{Place, Span, code};

    #[test]
    fn all_fields_are_there_known_or_not() {
        let mut sources = Sources::new();
        sources.add("images.yaml", "a\n  nmae: x\n");
        let all = [
            Diagnostic::error(code::UNKNOWN_KEY, "unknown key `nmae`")
                .at(Place::new("images.yaml", Span::new(4, 8)))
                .help("did you mean `name`?"),
            Diagnostic::warning(code::STATE_NOT_ENROLLED, "m")
                .at(Place::file("state/images/a.yaml")),
        ];
        let expected = json!([
            {"code": code::UNKNOWN_KEY.id(), "severity": "error", "file": "images.yaml", "line": 2, "column": 3,
             "message": "unknown key `nmae`", "help": "did you mean `name`?"},
            {"code": code::STATE_NOT_ENROLLED.id(), "severity": "warning", "file": "state/images/a.yaml",
             "line": null, "column": null, "message": "m", "help": null},
        ]);
        assert_eq!(diagnostics(&all, &sources), expected);
    }
}
