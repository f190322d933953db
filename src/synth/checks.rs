//! What the API server asks of every object, whatever its kind.

use super::name;
use super::object::ApiObject;
use super::problem::Problem;
use crate::diagnostics::code;

/// Checks name, namespace, labels and annotations.
pub(super) fn check(object: &ApiObject, problems: &mut Vec<Problem>) {
    let mut report = |pointer: &str, message: String| {
        problems.push(
            Problem::new(code::OBJECT_INVALID, message)
                .object(object.id())
                .origin(object.origin().cloned())
                .pointer(pointer),
        );
    };
    let found = object.name();
    // The names of roles and their bindings are path segments, not DNS names.
    let is_role = object
        .api_version()
        .starts_with("rbac.authorization.k8s.io/");
    if found.is_empty() {
        problems.push(
            Problem::new(
                code::OBJECT_INCOMPLETE,
                format!("an object of chart `{}` has no name", object.chart()),
            )
            .object(object.id())
            .origin(object.origin().cloned())
            .pointer("/metadata/name"),
        );
        return;
    } else if is_role && (found.contains(['/', '%']) || matches!(found, "." | "..")) {
        report(
            "/metadata/name",
            format!("`{found}` cannot be the name of a {}", object.kind()),
        );
    } else if !is_role && !name::is_subdomain(found) {
        report(
            "/metadata/name",
            format!(
                "`{found}` is no DNS name: at most 253 of a-z, 0-9, `-` and `.`, letters or digits at both ends"
            ),
        );
    }
    match object.namespace() {
        Some(namespace) if object.is_cluster_scoped() => {
            report(
                "/metadata/namespace",
                format!(
                    "a {} belongs to no namespace, `{namespace}` is given",
                    object.kind()
                ),
            );
        }
        Some(namespace) if !name::is_label(namespace) => {
            report(
                "/metadata/namespace",
                format!("`{namespace}` cannot be the name of a namespace"),
            );
        }
        _ => {}
    }
    // Pointers are made only where they are needed: nearly all keys are right.
    for (key, value) in object.labels() {
        if !name::is_qualified(key) {
            report(
                &pointer("labels", key),
                format!("`{key}` cannot be the key of a label"),
            );
        }
        if !value.is_some_and(name::is_label_value) {
            report(
                &pointer("labels", key),
                "the value of a label has at most 63 letters, digits, `-`, `_` and `.`, letters or digits at both ends"
                    .to_owned(),
            );
        }
    }
    for (key, value) in object.annotations() {
        // Other than in labels, capitals do not matter in the prefix.
        if !name::is_qualified(key) && !name::is_qualified(&key.to_ascii_lowercase()) {
            report(
                &pointer("annotations", key),
                format!("`{key}` cannot be the key of an annotation"),
            );
        }
        if value.is_none() {
            report(
                &pointer("annotations", key),
                "the value of an annotation is a text".to_owned(),
            );
        }
    }
}

fn pointer(map: &str, key: &str) -> String {
    let key = key.replace('~', "~0").replace('/', "~1");
    format!("/metadata/{map}/{key}")
}
