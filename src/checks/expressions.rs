//! What a generator can know about the text templates inside manifests:
//! Kargo's `${{ … }}` expressions and Argo Rollouts' `{{args.x}}`.
//!
//! Neither is looked at by any admission webhook; a mistake shows when a
//! Promotion or an AnalysisRun fails.

/// One `${{ … }}` or `${% … %}` of a text: what stands between the delimiters.
///
/// The end is the first closing pair, as in Kargo (`pkg/expressions/json_templates.go`).
///
/// # Errors
/// The text from the opening delimiter on that is never closed.
pub(super) fn expressions(text: &str) -> Result<Vec<&str>, &str> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(opened) = rest.find('$').and_then(|at| rest.get(at..)) {
        let (inner, close) = if let Some(inner) = opened.strip_prefix("${{") {
            (inner, "}}")
        } else if let Some(inner) = opened.strip_prefix("${%") {
            (inner, "%}")
        } else {
            rest = opened.get(1..).unwrap_or_default();
            continue;
        };
        let Some(end) = inner.find(close) else {
            return Err(opened);
        };
        found.push(inner.get(..end).unwrap_or_default().trim());
        rest = inner.get(end + close.len()..).unwrap_or_default();
    }
    Ok(found)
}

/// The first arguments of all calls of `function` in an expression, where they
/// are plain string literals: `imageFrom("docker.io/library/node").Tag`.
pub(super) fn literal_arguments<'a>(expression: &'a str, function: &str) -> Vec<&'a str> {
    let mut found = Vec::new();
    for (at, _) in expression.match_indices(function) {
        let before = expression.get(..at).unwrap_or_default();
        if before.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '.') {
            continue;
        }
        let after = expression
            .get(at + function.len()..)
            .unwrap_or_default()
            .trim_start();
        let Some(arguments) = after.strip_prefix('(').map(str::trim_start) else {
            continue;
        };
        for quote in ['"', '\'', '`'] {
            if let Some(text) = arguments.strip_prefix(quote)
                && let Some(end) = text.find(quote)
            {
                found.push(text.get(..end).unwrap_or_default());
            }
        }
    }
    found
}

/// The tags of a Rollouts template, as `args.image` for `{{ args.image }}`.
pub(super) fn rollouts_tags(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("{{") {
        let inner = rest.get(at + 2..).unwrap_or_default();
        // fasttemplate leaves an opening pair without an end as it is.
        let Some(end) = inner.find("}}") else { break };
        found.push(inner.get(..end).unwrap_or_default().trim());
        rest = inner.get(end + 2..).unwrap_or_default();
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_found_with_either_delimiter() {
        let cases: &[(&str, &[&str])] = &[
            ("", &[]),
            ("plain {{ x }}", &[]),
            ("${{ ctx.stage }}", &["ctx.stage"]),
            ("a ${{a}} b ${% b %} c", &["a", "b"]),
            ("${% {a: {b: 1}} %}", &["{a: {b: 1}}"]),
            ("${% a %}${{ b }}", &["a", "b"]),
        ];
        for (text, expected) in cases {
            assert_eq!(expressions(text).as_deref(), Ok(*expected), "{text}");
        }
    }

    #[test]
    fn the_first_closing_pair_ends_an_expression() {
        assert_eq!(expressions("${{ {a: {b: 1}} }}"), Ok(vec!["{a: {b: 1"]));
    }

    #[test]
    fn an_open_expression_is_returned() {
        assert_eq!(expressions("x ${{ a"), Err("${{ a"));
        assert_eq!(expressions("${{ a }} ${% b }}"), Err("${% b }}"));
    }

    #[test]
    fn literal_arguments_of_calls() {
        let cases: &[(&str, &[&str])] = &[
            ("imageFrom(\"a/b\").Tag", &["a/b"]),
            ("quote(imageFrom( 'a/b' ).Digest)", &["a/b"]),
            ("myimageFrom(\"a\")", &[]),
            ("imageFrom(vars.repo)", &[]),
            (
                "imageFrom(\"a\") + imageFrom(`b`, warehouse(\"w\"))",
                &["a", "b"],
            ),
            ("imageFrom", &[]),
        ];
        for (text, expected) in cases {
            assert_eq!(literal_arguments(text, "imageFrom"), *expected, "{text}");
        }
    }

    #[test]
    fn rollouts_tags_are_found() {
        assert_eq!(
            rollouts_tags("{{args.a}}-{{ args.b }}{{x"),
            ["args.a", "args.b"]
        );
        assert_eq!(rollouts_tags("${{ x }}"), ["x"]);
    }
}
