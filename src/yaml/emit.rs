//! A `serde` serializer that writes YAML text at once, with no tree in between.
//!
//! The style is the one `kubectl` and kustomize write, so that their output and
//! ours differ in content only: block style, two blanks a level, the dashes of a
//! list in the column of its key, `{}` and `[]` for empty collections, no folded
//! lines. Strings of several lines are literal blocks. Quotes: see the `quote`
//! module.

use std::fmt::{self, Display};

use serde::ser::{self, Serialize};

use super::quote;

/// A mapping key longer than this is written as `? "…"`: readers take keys of at
/// most 1,024 characters without the question mark.
const LONGEST_KEY: usize = 1000;

/// Why a value cannot be written.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum EmitError {
    /// A mapping key that is no string, number or boolean.
    Key,
    /// NaN or an infinity: the Kubernetes API has no such numbers.
    NotFinite,
    /// A whole number outside of `i64` and `u64`.
    TooWide,
    /// What the value's own `Serialize` complained about.
    Custom(String),
}

impl Display for EmitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key => f.write_str("a mapping key must be a string, a number or a boolean"),
            Self::NotFinite => f.write_str("NaN and infinite numbers cannot be written"),
            Self::TooWide => f.write_str("a whole number must fit 64 bits"),
            Self::Custom(message) => f.write_str(message),
        }
    }
}

impl std::error::Error for EmitError {}

impl ser::Error for EmitError {
    fn custom<T: Display>(message: T) -> Self {
        Self::Custom(message.to_string())
    }
}

/// Writes a value as one YAML document: no `---`, a line break at the end.
///
/// # Errors
/// Fails for what YAML readers do not agree on; see [`EmitError`].
pub fn to_string<T: Serialize + ?Sized>(value: &T) -> Result<String, EmitError> {
    let mut out = String::new();
    value.serialize(&mut Emitter::new(&mut out))?;
    Ok(out)
}

/// What was written last, and so what a value has to write before itself.
#[derive(Clone, Copy, PartialEq, Eq)]
enum After {
    /// Nothing: the document starts here.
    Start,
    /// `key:`
    Colon,
    /// `-`
    Dash,
}

/// The serializer behind [`to_string`]; appends to a text that may have others
/// before it.
pub struct Emitter<'o> {
    out: &'o mut String,
    /// The column in which the entries of the collection around us begin.
    column: usize,
    after: After,
}

impl<'o> Emitter<'o> {
    /// Writes at the end of `out`, which is empty or ends with a line break.
    #[must_use]
    pub fn new(out: &'o mut String) -> Self {
        Self {
            out,
            column: 0,
            after: After::Start,
        }
    }

    /// Writes a scalar that needs no quotes.
    fn bare(&mut self, text: &str) {
        self.blank();
        self.out.push_str(text);
        self.out.push('\n');
    }

    fn blank(&mut self) {
        if self.after != After::Start {
            self.out.push(' ');
        }
    }

    fn indent(&mut self) {
        push_blanks(self.out, self.column);
    }

    fn string(&mut self, text: &str) {
        self.blank();
        if quote::is_plain(text.as_bytes()) {
            self.out.push_str(text);
            self.out.push('\n');
        } else if self.after != After::Start && quote::is_literal(text) {
            self.literal(text);
        } else {
            quote::push(self.out, text);
            self.out.push('\n');
        }
    }

    fn literal(&mut self, text: &str) {
        let body = text.trim_end_matches('\n');
        self.out.push_str(match text.len() - body.len() {
            0 => "|-\n",
            1 => "|\n",
            _ => "|+\n",
        });
        for line in body.split('\n') {
            if !line.is_empty() {
                push_blanks(self.out, self.column + 2);
                self.out.push_str(line);
            }
            self.out.push('\n');
        }
        for _ in 1..text.len() - body.len() {
            self.out.push('\n');
        }
    }

    fn open(&mut self, list: bool) -> Open<'_, 'o> {
        let outer = (self.column, self.after);
        match self.after {
            After::Start => {}
            // Lists stand in the column of their key.
            After::Colon if list => {}
            After::Colon | After::Dash => self.column += 2,
        }
        Open {
            emitter: self,
            outer,
            list,
            empty: true,
        }
    }
}

fn push_blanks(out: &mut String, count: usize) {
    const BLANKS: &str = "                                ";
    let mut left = count;
    while left > 0 {
        let some = left.min(BLANKS.len());
        out.push_str(BLANKS.get(..some).unwrap_or(BLANKS));
        left -= some;
    }
}

fn push_u64(out: &mut String, mut number: u64) {
    let mut digits = [b'0'; 20];
    let mut used = 0;
    for slot in digits.iter_mut().rev() {
        *slot = b'0' + u8::try_from(number % 10).unwrap_or(0);
        number /= 10;
        used += 1;
        if number == 0 {
            break;
        }
    }
    let start = digits.len() - used;
    let written = digits.get(start..).unwrap_or_default();
    out.push_str(std::str::from_utf8(written).unwrap_or_default());
}

/// The shortest digits that give the number back, in a form that all readers
/// take for a float: with a dot, and with a sign in the exponent.
fn push_f64(out: &mut String, number: f64) -> Result<(), EmitError> {
    if !number.is_finite() {
        return Err(EmitError::NotFinite);
    }
    let digits = format!("{number:?}");
    match digits.split_once('e') {
        None => out.push_str(&digits),
        Some((mantissa, exponent)) => {
            out.push_str(mantissa);
            if !mantissa.contains('.') {
                out.push_str(".0");
            }
            out.push('e');
            if !exponent.starts_with('-') {
                out.push('+');
            }
            out.push_str(exponent);
        }
    }
    Ok(())
}

/// A collection that is being written. Nothing is written before its first entry,
/// since an empty one is written otherwise.
pub struct Open<'e, 'o> {
    emitter: &'e mut Emitter<'o>,
    outer: (usize, After),
    list: bool,
    empty: bool,
}

impl Open<'_, '_> {
    /// To where an entry begins.
    fn entry(&mut self) {
        let (_, after) = self.outer;
        let first = std::mem::take(&mut self.empty);
        match after {
            // On the line of its dash.
            After::Dash if first => self.emitter.out.push(' '),
            After::Colon if first => {
                self.emitter.out.push('\n');
                self.emitter.indent();
            }
            After::Start if first => {}
            _ => self.emitter.indent(),
        }
    }

    fn key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), EmitError> {
        self.entry();
        let out = &mut *self.emitter.out;
        let start = out.len();
        key.serialize(KeyEmitter { out })?;
        if out.len() - start > LONGEST_KEY {
            out.insert_str(start, "? ");
            out.push('\n');
            self.emitter.indent();
        }
        self.emitter.out.push(':');
        self.emitter.after = After::Colon;
        Ok(())
    }

    fn value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EmitError> {
        value.serialize(&mut *self.emitter)
    }

    fn item<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EmitError> {
        self.entry();
        self.emitter.out.push('-');
        self.emitter.after = After::Dash;
        value.serialize(&mut *self.emitter)
    }

    fn close(self) -> Result<(), EmitError> {
        (self.emitter.column, self.emitter.after) = self.outer;
        if self.empty {
            self.emitter.bare(if self.list { "[]" } else { "{}" });
        }
        Ok(())
    }
}

/// A collection as the value of an enum's variant: `Variant:` and then it. Two
/// levels close at its end.
pub struct Variant<'e, 'o> {
    inner: Open<'e, 'o>,
    outer: (usize, After),
}

impl<'o> Emitter<'o> {
    fn variant(&mut self, name: &'static str, list: bool) -> Result<Variant<'_, 'o>, EmitError> {
        let outer = (self.column, self.after);
        self.open(false).key(name)?;
        Ok(Variant {
            inner: self.open(list),
            outer,
        })
    }
}

impl Variant<'_, '_> {
    fn close(self) -> Result<(), EmitError> {
        let Open {
            emitter,
            outer,
            list,
            empty,
        } = self.inner;
        (emitter.column, emitter.after) = outer;
        if empty {
            emitter.bare(if list { "[]" } else { "{}" });
        }
        (emitter.column, emitter.after) = self.outer;
        Ok(())
    }
}

impl<'e, 'o> ser::Serializer for &'e mut Emitter<'o> {
    type Ok = ();
    type Error = EmitError;
    type SerializeSeq = Open<'e, 'o>;
    type SerializeTuple = Open<'e, 'o>;
    type SerializeTupleStruct = Open<'e, 'o>;
    type SerializeTupleVariant = Variant<'e, 'o>;
    type SerializeMap = Open<'e, 'o>;
    type SerializeStruct = Open<'e, 'o>;
    type SerializeStructVariant = Variant<'e, 'o>;

    fn serialize_bool(self, value: bool) -> Result<(), EmitError> {
        self.bare(if value { "true" } else { "false" });
        Ok(())
    }

    fn serialize_i8(self, value: i8) -> Result<(), EmitError> {
        self.serialize_i64(value.into())
    }

    fn serialize_i16(self, value: i16) -> Result<(), EmitError> {
        self.serialize_i64(value.into())
    }

    fn serialize_i32(self, value: i32) -> Result<(), EmitError> {
        self.serialize_i64(value.into())
    }

    fn serialize_i64(self, value: i64) -> Result<(), EmitError> {
        self.blank();
        if value < 0 {
            self.out.push('-');
        }
        push_u64(self.out, value.unsigned_abs());
        self.out.push('\n');
        Ok(())
    }

    fn serialize_i128(self, value: i128) -> Result<(), EmitError> {
        match (i64::try_from(value), u64::try_from(value)) {
            (Ok(value), _) => self.serialize_i64(value),
            (_, Ok(value)) => self.serialize_u64(value),
            _ => Err(EmitError::TooWide),
        }
    }

    fn serialize_u8(self, value: u8) -> Result<(), EmitError> {
        self.serialize_u64(value.into())
    }

    fn serialize_u16(self, value: u16) -> Result<(), EmitError> {
        self.serialize_u64(value.into())
    }

    fn serialize_u32(self, value: u32) -> Result<(), EmitError> {
        self.serialize_u64(value.into())
    }

    fn serialize_u64(self, value: u64) -> Result<(), EmitError> {
        self.blank();
        push_u64(self.out, value);
        self.out.push('\n');
        Ok(())
    }

    fn serialize_u128(self, value: u128) -> Result<(), EmitError> {
        let value = u64::try_from(value).map_err(|_| EmitError::TooWide)?;
        self.serialize_u64(value)
    }

    fn serialize_f32(self, value: f32) -> Result<(), EmitError> {
        // Through its own shortest digits: 0.1f32 is 0.1, not 0.10000000149011612.
        let exact = format!("{value:?}").parse().unwrap_or(f64::from(value));
        self.serialize_f64(exact)
    }

    fn serialize_f64(self, value: f64) -> Result<(), EmitError> {
        self.blank();
        push_f64(self.out, value)?;
        self.out.push('\n');
        Ok(())
    }

    fn serialize_char(self, value: char) -> Result<(), EmitError> {
        self.string(value.encode_utf8(&mut [0; 4]));
        Ok(())
    }

    fn serialize_str(self, value: &str) -> Result<(), EmitError> {
        self.string(value);
        Ok(())
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), EmitError> {
        value.serialize(self)
    }

    fn serialize_none(self) -> Result<(), EmitError> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), EmitError> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), EmitError> {
        self.bare("null");
        Ok(())
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<(), EmitError> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
    ) -> Result<(), EmitError> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        value: &T,
    ) -> Result<(), EmitError> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), EmitError> {
        let mut open = self.open(false);
        open.key(variant)?;
        open.value(value)?;
        open.close()
    }

    fn serialize_seq(self, _length: Option<usize>) -> Result<Open<'e, 'o>, EmitError> {
        Ok(self.open(true))
    }

    fn serialize_tuple(self, _length: usize) -> Result<Open<'e, 'o>, EmitError> {
        Ok(self.open(true))
    }

    fn serialize_tuple_struct(
        self,
        _name: &'static str,
        _length: usize,
    ) -> Result<Open<'e, 'o>, EmitError> {
        Ok(self.open(true))
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _length: usize,
    ) -> Result<Variant<'e, 'o>, EmitError> {
        self.variant(variant, true)
    }

    fn serialize_map(self, _length: Option<usize>) -> Result<Open<'e, 'o>, EmitError> {
        Ok(self.open(false))
    }

    fn serialize_struct(
        self,
        _name: &'static str,
        _length: usize,
    ) -> Result<Open<'e, 'o>, EmitError> {
        Ok(self.open(false))
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _length: usize,
    ) -> Result<Variant<'e, 'o>, EmitError> {
        self.variant(variant, false)
    }
}

impl ser::SerializeSeq for Open<'_, '_> {
    type Ok = ();
    type Error = EmitError;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EmitError> {
        self.item(value)
    }

    fn end(self) -> Result<(), EmitError> {
        self.close()
    }
}

impl ser::SerializeTuple for Open<'_, '_> {
    type Ok = ();
    type Error = EmitError;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EmitError> {
        self.item(value)
    }

    fn end(self) -> Result<(), EmitError> {
        self.close()
    }
}

impl ser::SerializeTupleStruct for Open<'_, '_> {
    type Ok = ();
    type Error = EmitError;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EmitError> {
        self.item(value)
    }

    fn end(self) -> Result<(), EmitError> {
        self.close()
    }
}

impl ser::SerializeMap for Open<'_, '_> {
    type Ok = ();
    type Error = EmitError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), EmitError> {
        self.key(key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EmitError> {
        self.value(value)
    }

    fn end(self) -> Result<(), EmitError> {
        self.close()
    }
}

impl ser::SerializeStruct for Open<'_, '_> {
    type Ok = ();
    type Error = EmitError;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), EmitError> {
        self.key(key)?;
        self.value(value)
    }

    fn end(self) -> Result<(), EmitError> {
        self.close()
    }
}

impl ser::SerializeTupleVariant for Variant<'_, '_> {
    type Ok = ();
    type Error = EmitError;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EmitError> {
        self.inner.item(value)
    }

    fn end(self) -> Result<(), EmitError> {
        self.close()
    }
}

impl ser::SerializeStructVariant for Variant<'_, '_> {
    type Ok = ();
    type Error = EmitError;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), EmitError> {
        self.inner.key(key)?;
        self.inner.value(value)
    }

    fn end(self) -> Result<(), EmitError> {
        self.close()
    }
}

/// Writes a mapping key. Numbers and booleans become strings: JSON has no others.
struct KeyEmitter<'o> {
    out: &'o mut String,
}

type Never = ser::Impossible<(), EmitError>;

macro_rules! number_keys {
    ($($method:ident: $type:ty),*) => {
        $(fn $method(self, value: $type) -> Result<(), EmitError> {
            self.serialize_str(&value.to_string())
        })*
    };
}

impl ser::Serializer for KeyEmitter<'_> {
    type Ok = ();
    type Error = EmitError;
    type SerializeSeq = Never;
    type SerializeTuple = Never;
    type SerializeTupleStruct = Never;
    type SerializeTupleVariant = Never;
    type SerializeMap = Never;
    type SerializeStruct = Never;
    type SerializeStructVariant = Never;

    number_keys! {
        serialize_bool: bool, serialize_i8: i8, serialize_i16: i16, serialize_i32: i32,
        serialize_i64: i64, serialize_i128: i128, serialize_u8: u8, serialize_u16: u16,
        serialize_u32: u32, serialize_u64: u64, serialize_u128: u128, serialize_char: char
    }

    fn serialize_str(self, value: &str) -> Result<(), EmitError> {
        quote::push(self.out, value);
        Ok(())
    }

    fn serialize_unit_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
    ) -> Result<(), EmitError> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        value: &T,
    ) -> Result<(), EmitError> {
        value.serialize(self)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), EmitError> {
        value.serialize(self)
    }

    fn serialize_f32(self, _value: f32) -> Result<(), EmitError> {
        Err(EmitError::Key)
    }

    fn serialize_f64(self, _value: f64) -> Result<(), EmitError> {
        Err(EmitError::Key)
    }

    fn serialize_bytes(self, _value: &[u8]) -> Result<(), EmitError> {
        Err(EmitError::Key)
    }

    fn serialize_none(self) -> Result<(), EmitError> {
        Err(EmitError::Key)
    }

    fn serialize_unit(self) -> Result<(), EmitError> {
        Err(EmitError::Key)
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<(), EmitError> {
        Err(EmitError::Key)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        _variant: &'static str,
        _value: &T,
    ) -> Result<(), EmitError> {
        Err(EmitError::Key)
    }

    fn serialize_seq(self, _length: Option<usize>) -> Result<Never, EmitError> {
        Err(EmitError::Key)
    }

    fn serialize_tuple(self, _length: usize) -> Result<Never, EmitError> {
        Err(EmitError::Key)
    }

    fn serialize_tuple_struct(
        self,
        _name: &'static str,
        _length: usize,
    ) -> Result<Never, EmitError> {
        Err(EmitError::Key)
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        _variant: &'static str,
        _length: usize,
    ) -> Result<Never, EmitError> {
        Err(EmitError::Key)
    }

    fn serialize_map(self, _length: Option<usize>) -> Result<Never, EmitError> {
        Err(EmitError::Key)
    }

    fn serialize_struct(self, _name: &'static str, _length: usize) -> Result<Never, EmitError> {
        Err(EmitError::Key)
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        _variant: &'static str,
        _length: usize,
    ) -> Result<Never, EmitError> {
        Err(EmitError::Key)
    }
}
