//! The tree that reading gives.

use std::borrow::Cow;

use crate::diagnostics::Span;

/// A value and where it stands.
#[derive(Clone, PartialEq, Debug)]
pub struct Node<'a> {
    /// The stretch of the text it takes, without tag, anchor, comments and the
    /// blanks around it. A value left out (`key:`) has an empty span after the
    /// `:` or `-`; a block collection reaches from its first entry to its last.
    pub span: Span,
    /// What it is.
    pub kind: Kind<'a>,
}

/// What a [`Node`] is.
#[derive(Clone, PartialEq, Debug)]
pub enum Kind<'a> {
    /// One value.
    Scalar(Scalar<'a>),
    /// A list.
    Sequence(Vec<Node<'a>>),
    /// Keys and values in the order of the text; keys are always scalars when
    /// reading reported no error.
    Mapping(Vec<(Node<'a>, Node<'a>)>),
}

/// A scalar, not yet given a type.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Scalar<'a> {
    /// The text after quotes, escapes and folding were undone.
    pub text: Cow<'a, str>,
    /// Written without quotes and not tagged `!!str`: it may then be a null, a
    /// boolean or a number.
    pub plain: bool,
}

impl<'a> Node<'a> {
    /// The scalar's text, if this is a scalar.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match &self.kind {
            Kind::Scalar(scalar) => Some(&scalar.text),
            Kind::Sequence(_) | Kind::Mapping(_) => None,
        }
    }

    /// The items, if this is a sequence.
    #[must_use]
    pub fn as_sequence(&self) -> Option<&[Node<'a>]> {
        match &self.kind {
            Kind::Sequence(items) => Some(items),
            Kind::Scalar(_) | Kind::Mapping(_) => None,
        }
    }

    /// The entries, if this is a mapping.
    #[must_use]
    pub fn as_mapping(&self) -> Option<&[(Node<'a>, Node<'a>)]> {
        match &self.kind {
            Kind::Mapping(entries) => Some(entries),
            Kind::Scalar(_) | Kind::Sequence(_) => None,
        }
    }

    /// The value of a key, if this is a mapping that has it.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Node<'a>> {
        self.as_mapping()?
            .iter()
            .find(|(found, _)| found.as_str() == Some(key))
            .map(|(_, value)| value)
    }

    /// Whether this is a null: `~`, `null` or nothing.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(&self.kind, Kind::Scalar(scalar) if scalar.is_null())
    }
}

/// The YAML 1.2 core schema, section 10.3.2 of the specification.
impl Scalar<'_> {
    /// `~`, `null`, `Null`, `NULL` or nothing, unquoted.
    #[must_use]
    pub fn is_null(&self) -> bool {
        self.plain && matches!(&*self.text, "" | "~" | "null" | "Null" | "NULL")
    }

    /// `true` or `false` in lower, title or upper case, unquoted.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        match &*self.text {
            "true" | "True" | "TRUE" if self.plain => Some(true),
            "false" | "False" | "FALSE" if self.plain => Some(false),
            _ => None,
        }
    }

    /// A whole number within `i64`: decimal with an optional sign, `0o17` or `0x1F`.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        match self.int_digits()? {
            (digits, radix @ (8 | 16)) => i64::from_str_radix(digits, radix).ok(),
            (digits, _) => digits.parse().ok(),
        }
    }

    /// A whole number within `u64`, written as for [`as_i64`](Self::as_i64).
    #[must_use]
    pub fn as_u64(&self) -> Option<u64> {
        let (digits, radix) = self.int_digits()?;
        u64::from_str_radix(digits, radix).ok()
    }

    /// A number: what [`as_i64`](Self::as_i64) takes, decimals with an optional
    /// exponent, `.inf` and `.nan`. A whole number beyond 2^53 loses digits.
    #[must_use]
    pub fn as_f64(&self) -> Option<f64> {
        if let Some((digits, radix)) = self.int_digits() {
            return match radix {
                10 => digits.parse().ok(),
                _ => u64::from_str_radix(digits, radix).ok().map(|n| n as f64),
            };
        }
        if !self.plain {
            return None;
        }
        let text: &str = &self.text;
        let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
        match unsigned {
            ".inf" | ".Inf" | ".INF" if text.starts_with('-') => Some(f64::NEG_INFINITY),
            ".inf" | ".Inf" | ".INF" => Some(f64::INFINITY),
            ".nan" | ".NaN" | ".NAN" if unsigned.len() == text.len() => Some(f64::NAN),
            _ if is_decimal(unsigned) => text.parse().ok(),
            _ => None,
        }
    }

    /// Whether the scalar is a string: quoted, or plain and nothing else.
    #[must_use]
    pub fn is_string(&self) -> bool {
        !self.is_null() && self.as_bool().is_none() && self.as_f64().is_none()
    }

    /// The digits of a whole number, with the sign if decimal, and their base.
    fn int_digits(&self) -> Option<(&str, u32)> {
        if !self.plain {
            return None;
        }
        let text: &str = &self.text;
        let all = |digits: &str, is: fn(u8) -> bool| !digits.is_empty() && digits.bytes().all(is);
        if let Some(digits) = text.strip_prefix("0o") {
            return all(digits, |b| matches!(b, b'0'..=b'7')).then_some((digits, 8));
        }
        if let Some(digits) = text.strip_prefix("0x") {
            return all(digits, |b| b.is_ascii_hexdigit()).then_some((digits, 16));
        }
        let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
        all(unsigned, |b| b.is_ascii_digit()).then_some((text, 10))
    }
}

/// `(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`
pub(super) fn is_decimal(unsigned: &str) -> bool {
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let exponent_fits = exponent.is_none_or(|exponent| {
        let unsigned = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        !unsigned.is_empty() && digits(unsigned)
    });
    digits(whole) && digits(fraction) && !(whole.is_empty() && fraction.is_empty()) && exponent_fits
}
