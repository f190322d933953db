//! Our own words: there, ours, and of one kind.

use crd_codegen::facts::Type;
use crd_codegen::pointer::walk;

use crate::schemas;

/// Providers of metrics that may go without words: their authors know them.
const PROVIDERS: [&str; 10] = [
    "cloudWatch",
    "datadog",
    "graphite",
    "influxdb",
    "kayenta",
    "newRelic",
    "prometheus",
    "skywalking",
    "wavefront",
    "web",
];

/// Kinds that only controllers and users write, not charts.
const NOT_IN_CHARTS: [&str; 2] = ["freight.facts", "promotion.facts"];

#[test]
fn every_field_a_chart_author_touches_has_words() {
    let mut missing = Vec::new();
    let mut counted = 0;
    for (file, facts) in schemas::all() {
        let charts = !NOT_IN_CHARTS.contains(&file.as_str());
        walk(&facts, &mut |pointer, schema| {
            let part = pointer.rsplit('/').next().unwrap_or_default();
            let in_spec =
                facts.resource.is_none() || pointer == "/spec" || pointer.starts_with("/spec/");
            let provider = pointer.split_once("/provider/").map(|(_, rest)| rest);
            let exempt = provider.is_some_and(|rest| {
                PROVIDERS
                    .iter()
                    .any(|name| rest.split('/').next() == Some(name))
            });
            // The items of a list and values of a map are spoken of by the field,
            // unless they are objects with fields of their own.
            let inner = matches!(part, "items" | "values") && !matches!(schema.ty, Type::Object(_));
            if pointer.is_empty() || (charts && in_spec && !exempt && !inner) {
                counted += 1;
                if schema.doc.is_empty() {
                    missing.push(format!("{file} {pointer}"));
                }
            }
        });
    }
    assert_eq!(missing, Vec::<String>::new());
    assert!(counted > 500, "{counted}");
}

#[test]
fn words_are_one_short_sentence_or_two() {
    for (file, facts) in schemas::all() {
        walk(&facts, &mut |pointer, schema| {
            let doc = &schema.doc;
            if !doc.is_empty() {
                assert!(
                    !doc.contains('\n') && doc.chars().count() <= 220,
                    "{file} {pointer}: {doc}"
                );
                assert!(
                    doc.ends_with(['.', '`'])
                        && doc.starts_with(|c: char| c.is_uppercase() || c == '`'),
                    "{file} {pointer}: {doc}"
                );
            }
        });
    }
}
