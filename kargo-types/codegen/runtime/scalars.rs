/// A duration as Go and Kubernetes write it: `24h0m0s`, `1m30s`, `1.5s`, `10ms`.
///
/// It is read in any of Go's spellings and written in the one that the API server
/// stores, so that what is applied is what is found later.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GoDuration {
    nanos: i64,
}

/// Go's units, longest first where one is the start of another.
const UNITS: &[(&str, i64)] = &[
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

impl GoDuration {
    /// No time at all.
    pub const ZERO: GoDuration = GoDuration { nanos: 0 };

    /// This many seconds; `None` beyond some 292 years, which is what Go can hold.
    pub fn from_secs(seconds: u64) -> Option<GoDuration> {
        let nanos = i64::try_from(seconds).ok()?.checked_mul(1_000_000_000)?;
        Some(GoDuration { nanos })
    }

    /// This many nanoseconds.
    pub fn from_nanos(nanos: i64) -> GoDuration {
        GoDuration { nanos }
    }

    /// Nanoseconds, negative for a negative duration.
    pub fn as_nanos(self) -> i64 {
        self.nanos
    }

    /// Seconds, rounded towards zero.
    pub fn as_secs(self) -> i64 {
        self.nanos / 1_000_000_000
    }

    /// True for zero and whole seconds above it.
    pub fn is_whole_seconds(self) -> bool {
        self.nanos >= 0 && self.nanos % 1_000_000_000 == 0
    }
}

impl From<GoDuration> for std::time::Duration {
    /// Negative durations become zero.
    fn from(duration: GoDuration) -> std::time::Duration {
        std::time::Duration::from_nanos(u64::try_from(duration.nanos).unwrap_or_default())
    }
}

/// The error of [`GoDuration`]'s `FromStr`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GoDurationError(String);

impl fmt::Display for GoDurationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is no duration of Go's, as `1h30m` or `24h0m0s`", self.0)
    }
}

impl std::error::Error for GoDurationError {}

impl std::str::FromStr for GoDuration {
    type Err = GoDurationError;

    fn from_str(text: &str) -> Result<GoDuration, GoDurationError> {
        parse_duration(text)
            .map(GoDuration::from_nanos)
            .ok_or_else(|| GoDurationError(text.to_string()))
    }
}

/// As Go's `time.ParseDuration`: a sign, then numbers with units, or a bare `0`.
fn parse_duration(text: &str) -> Option<i64> {
    let negative = text.starts_with('-');
    let mut rest = text.strip_prefix(['-', '+']).unwrap_or(text);
    if rest == "0" {
        return Some(0);
    }
    if rest.is_empty() {
        return None;
    }
    let mut total: i128 = 0;
    while !rest.is_empty() {
        let number = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (digits, after) = rest.split_at(number);
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
            return None;
        }
        let (unit, nanos) = UNITS
            .iter()
            .filter(|(unit, _)| after.starts_with(unit))
            .max_by_key(|(unit, _)| unit.len())?;
        let nanos = i128::from(*nanos);
        let whole: i128 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
        total = total.checked_add(whole.checked_mul(nanos)?)?;
        // Digits below a nanosecond do not count.
        let mut scale = nanos;
        for digit in fraction.chars() {
            let digit = i128::from(digit.to_digit(10)?);
            total += digit * scale / 10;
            scale /= 10;
        }
        rest = after.strip_prefix(unit)?;
        // What follows must be a number again.
        if total > i128::from(i64::MAX) + i128::from(negative) {
            return None;
        }
    }
    i64::try_from(if negative { -total } else { total }).ok()
}

impl fmt::Display for GoDuration {
    /// As Go's `Duration.String`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = self.nanos.unsigned_abs();
        if nanos == 0 {
            return f.write_str("0s");
        }
        if self.nanos < 0 {
            f.write_str("-")?;
        }
        let small = [(1_000, 1, "ns"), (1_000_000, 1_000, "µs"), (1_000_000_000, 1_000_000, "ms")];
        for (below, unit, name) in small {
            if nanos < below {
                return write!(f, "{}{}{name}", nanos / unit, decimals(nanos % unit, unit));
            }
        }
        let seconds = nanos / 1_000_000_000;
        let (hours, minutes) = (seconds / 3_600, seconds / 60 % 60);
        if hours > 0 {
            write!(f, "{hours}h")?;
        }
        if hours > 0 || minutes > 0 {
            write!(f, "{minutes}m")?;
        }
        let fraction = decimals(nanos % 1_000_000_000, 1_000_000_000);
        write!(f, "{}{fraction}s", seconds % 60)
    }
}

/// `.5` for 500 of 1000; nothing for 0.
fn decimals(part: u64, of: u64) -> String {
    if part == 0 {
        return String::new();
    }
    let width = of.ilog10() as usize;
    let digits = format!("{part:0width$}");
    format!(".{}", digits.trim_end_matches('0'))
}

impl Decode for GoDuration {
    fn decode(value: &Value, at: &At<'_>, out: &mut Vec<Violation>) -> Option<Self> {
        let text = String::decode(value, at, out)?;
        match text.parse() {
            Ok(duration) => Some(duration),
            Err(error) => {
                at.wrong(out, GoDurationError::to_string(&error));
                None
            }
        }
    }
}

/// An amount as Kubernetes writes it: `100m`, `1.5Gi`, `2e3`. Kept as written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Quantity(String);

impl Quantity {
    /// As written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The error of [`Quantity`]'s `FromStr`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuantityError(String);

impl fmt::Display for QuantityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is no quantity, as `500m`, `1.5Gi` or `2e3`", self.0)
    }
}

impl std::error::Error for QuantityError {}

impl std::str::FromStr for Quantity {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Quantity, QuantityError> {
        if is_quantity(text) {
            Ok(Quantity(text.to_string()))
        } else {
            Err(QuantityError(text.to_string()))
        }
    }
}

fn is_quantity(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let end = unsigned
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(unsigned.len());
    let (number, suffix) = unsigned.split_at(end);
    let is_suffix = match suffix {
        "" | "Ki" | "Mi" | "Gi" | "Ti" | "Pi" | "Ei" => true,
        "n" | "u" | "m" | "k" | "M" | "G" | "T" | "P" | "E" => true,
        other => other
            .strip_prefix(['e', 'E'])
            .is_some_and(|power| is_decimal(power.strip_prefix(['+', '-']).unwrap_or(power))),
    };
    is_decimal(number) && is_suffix
}

/// Digits with at most one point, and at least one digit.
fn is_decimal(text: &str) -> bool {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.chars().all(|c| c.is_ascii_digit());
    digits(whole) && digits(fraction) && !(whole.is_empty() && fraction.is_empty())
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Decode for Quantity {
    fn decode(value: &Value, at: &At<'_>, out: &mut Vec<Violation>) -> Option<Self> {
        let text = match value {
            Value::Number(number) => number.to_string(),
            other => String::decode(other, at, out)?,
        };
        match text.parse() {
            Ok(quantity) => Some(quantity),
            Err(error) => {
                at.wrong(out, QuantityError::to_string(&error));
                None
            }
        }
    }
}

/// Text that is evaluated when it is needed, as `${{ vars.force }}`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Expr(String);

impl Expr {
    /// `None` when the text holds no expression: then it is just a text.
    pub fn new(text: impl Into<String>) -> Option<Expr> {
        let text = text.into();
        is_expression(&text).then_some(Expr(text))
    }

    /// `${{ … }}` around what is to be evaluated.
    pub fn of(inner: &str) -> Expr {
        Expr(format!("${{{{ {inner} }}}}"))
    }

    /// As written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A value, or an expression that yields one.
#[derive(Clone, Debug, PartialEq, PartialOrd)]
pub enum OrExpr<T> {
    /// The value itself.
    Value(T),
    /// What yields it.
    Expr(Expr),
}

impl<T> OrExpr<T> {
    /// The value, if it is known.
    pub fn value(&self) -> Option<&T> {
        match self {
            OrExpr::Value(value) => Some(value),
            OrExpr::Expr(_) => None,
        }
    }

    /// True when the value is not known yet.
    pub fn is_expr(&self) -> bool {
        matches!(self, OrExpr::Expr(_))
    }
}

impl<T> From<Expr> for OrExpr<T> {
    fn from(expr: Expr) -> OrExpr<T> {
        OrExpr::Expr(expr)
    }
}

macro_rules! or_expr_from {
    ($($ty:ty),*) => {
        $(
            impl From<$ty> for OrExpr<$ty> {
                fn from(value: $ty) -> Self {
                    OrExpr::Value(value)
                }
            }
        )*
    };
}
or_expr_from!(bool, i32, i64, f64, GoDuration);

impl<T: Serialize> Serialize for OrExpr<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            OrExpr::Value(value) => value.serialize(serializer),
            OrExpr::Expr(expr) => serializer.serialize_str(&expr.0),
        }
    }
}

impl<T: Decode> Decode for OrExpr<T> {
    fn decode(value: &Value, at: &At<'_>, out: &mut Vec<Violation>) -> Option<Self> {
        match value {
            Value::String(text) if is_expression(text) => Some(OrExpr::Expr(Expr(text.clone()))),
            other => T::decode(other, at, out).map(OrExpr::Value),
        }
    }
}

impl<T: schemars::JsonSchema> schemars::JsonSchema for OrExpr<T> {
    fn schema_name() -> Cow<'static, str> {
        format!("OrExpr_{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let value = generator.subschema_for::<T>();
        schemars::json_schema!({ "anyOf": [value, { "type": "string", "pattern": r"\$\{[{%]" }] })
    }
}

macro_rules! written_as_text {
    ($($ty:ident = $name:literal),*) => {
        $(
            impl Serialize for $ty {
                fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    serializer.collect_str(self)
                }
            }

            impl<'de> Deserialize<'de> for $ty {
                fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    deserialize_decoded(deserializer)
                }
            }

            impl schemars::JsonSchema for $ty {
                fn schema_name() -> Cow<'static, str> {
                    $name.into()
                }

                fn inline_schema() -> bool {
                    true
                }

                fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                    schemars::json_schema!({ "type": "string" })
                }
            }
        )*
    };
}
written_as_text!(GoDuration = "GoDuration", Quantity = "Quantity");

