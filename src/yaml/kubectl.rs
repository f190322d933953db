//! What existing manifests mean, which were written for `kubectl`.
//!
//! Its reader (sigs.k8s.io/yaml, on go-yaml 2) follows YAML 1.1 for plain scalars:
//! `0644` is 420, `yes` and `on` are true, `1_000` is 1000. Dates and `12:30` are
//! strings to it.

use serde_json::{Number, Value};

use super::node::{Node, Scalar, is_decimal};
use super::value::{self, to_value_by};

/// The value as JSON, typed as `kubectl` types it.
#[must_use]
pub fn to_value_as_kubectl(node: &Node<'_>) -> Value {
    to_value_by(node, &scalar_value)
}

fn scalar_value(scalar: &Scalar<'_>) -> Value {
    if !scalar.plain {
        return Value::String(scalar.text.to_string());
    }
    if let Some(flag) = flag(&scalar.text) {
        return Value::Bool(flag);
    }
    let starts_number = scalar
        .text
        .starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-'));
    if starts_number {
        let digits = scalar.text.replace('_', "");
        return number(&digits)
            .map_or_else(|| Value::String(scalar.text.to_string()), Value::Number);
    }
    value::scalar_value(scalar)
}

fn flag(text: &str) -> Option<bool> {
    match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" | "true" | "True" | "TRUE" => {
            Some(true)
        }
        "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" | "false" | "False" | "FALSE" => {
            Some(false)
        }
        _ => None,
    }
}

/// A whole number with the prefixes of Go's literals, or a decimal fraction.
fn number(text: &str) -> Option<Number> {
    let (sign, unsigned) = match text.as_bytes().first() {
        Some(b'-') => ("-", text.get(1..)?),
        Some(b'+') => ("", text.get(1..)?),
        _ => ("", text),
    };
    let lower = unsigned.to_ascii_lowercase();
    let (digits, radix) = match (lower.get(..2), lower.get(2..), lower.strip_prefix('0')) {
        (Some("0x"), Some(digits), _) => (digits, 16),
        (Some("0o"), Some(digits), _) => (digits, 8),
        (Some("0b"), Some(digits), _) => (digits, 2),
        (.., Some(digits)) if !digits.is_empty() => (digits, 8),
        _ => (lower.as_str(), 10),
    };
    // `from_str_radix` takes a sign, which would be a second one here.
    if digits.bytes().all(|b| b.is_ascii_alphanumeric()) {
        if let Ok(int) = i64::from_str_radix(&format!("{sign}{digits}"), radix) {
            return Some(int.into());
        }
        if sign.is_empty()
            && let Ok(int) = u64::from_str_radix(digits, radix)
        {
            return Some(int.into());
        }
    }
    let float = is_decimal(unsigned).then(|| format!("{sign}{unsigned}").parse().ok())?;
    float.and_then(Number::from_f64)
}
