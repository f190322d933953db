//! `Validate`: bounds, patterns and rules of values that already have their type.

use super::{Emitter, literal};
use crate::ir::{
    Choice, ChoiceVariant, Container, Keys, Limits, Node, Part, Shape, Struct, Tagged, Ty,
};
use crate::names;
use crate::rules::{Cmp, Cond, Operand, Rule, Test};

const SIGNATURE: &str = "fn check(&self, at: &At<'_>, out: &mut Vec<Violation>) {";
const EMPTY: &str = "fn check(&self, _: &At<'_>, _: &mut Vec<Violation>) {}";

impl Emitter<'_> {
    pub(super) fn validate_struct(&mut self, container: &Container, fields: &Struct) {
        self.code.line("");
        self.code
            .open(format!("impl Validate for {} {{", container.name));
        if !self.with_checks.contains(&container.name) {
            self.code.line(EMPTY);
            return self.code.close("}");
        }
        self.code.open(SIGNATURE);
        let kind_with_spec = container.kind.is_some();
        for part in &fields.parts {
            match part {
                Part::Field(field) if self.is_checked(&field.node) => {
                    let at = format!("at.key({})", literal(&field.json));
                    let bare_spec = kind_with_spec && field.json == "spec";
                    if (field.required && !field.nullable) || bare_spec {
                        self.node_checks(
                            container,
                            &field.node,
                            &format!("self.{}", field.rust),
                            &at,
                            true,
                        );
                    } else {
                        self.code
                            .open(format!("if let Some(value) = &self.{} {{", field.rust));
                        self.node_checks(container, &field.node, "value", &at, false);
                        self.code.close("}");
                    }
                }
                Part::Field(_) => {}
                Part::Choice(choice) => {
                    if !choice
                        .variants
                        .iter()
                        .any(|variant| self.is_checked(&variant.node))
                    {
                        continue;
                    }
                    if choice.optional {
                        self.code
                            .open(format!("if let Some(choice) = &self.{} {{", choice.rust));
                        self.code.line("choice.check(at, out);");
                        self.code.close("}");
                    } else {
                        self.code
                            .line(format!("self.{}.check(at, out);", choice.rust));
                    }
                }
            }
        }
        if fields.limits.min_properties.is_some() || fields.limits.max_properties.is_some() {
            self.fail(container, "`minProperties` or `maxProperties` of an object with known properties cannot be expressed".to_string());
        }
        for rule in fields.rules.iter().filter(|rule| !rule.by_construction) {
            self.rule(container, fields, rule);
        }
        self.code.close("}");
        self.code.close("}");
    }

    pub(super) fn validate_variants(&mut self, container: &Container, variants: &[ChoiceVariant]) {
        self.code.line("");
        self.code
            .open(format!("impl Validate for {} {{", container.name));
        if !self.with_checks.contains(&container.name) {
            self.code.line(EMPTY);
            return self.code.close("}");
        }
        self.code.open(SIGNATURE);
        self.code.open("match self {");
        for variant in variants {
            let rust = &variant.rust;
            if !self.is_checked(&variant.node) {
                self.code.line(format!("Self::{rust}(_) => {{}}"));
                continue;
            }
            self.code.open(format!("Self::{rust}(value) => {{"));
            let at = match &variant.keys {
                Keys::One(key) => format!("at.key({})", literal(key)),
                Keys::Tagged { .. } => "at".to_string(),
            };
            self.node_checks(container, &variant.node, "value", &at, false);
            self.code.close("}");
        }
        self.code.close("}");
        self.code.close("}");
        self.code.close("}");
    }

    pub(super) fn validate_choice(&mut self, container: &Container, choice: &Choice) {
        self.validate_variants(container, &choice.variants);
    }

    pub(super) fn validate_tagged(&mut self, container: &Container, tagged: &Tagged) {
        let variants: Vec<ChoiceVariant> = tagged
            .variants
            .iter()
            .map(|variant| ChoiceVariant {
                rust: variant.rust.clone(),
                keys: Keys::One(tagged.content.clone()),
                node: variant.node.clone(),
            })
            .collect();
        self.validate_variants(container, &variants);
    }

    /// The checks of one value. `value` is a place (`self.name`) or, where
    /// `owned` is false, already a reference.
    fn node_checks(
        &mut self,
        container: &Container,
        node: &Node,
        value: &str,
        at: &str,
        owned: bool,
    ) {
        let by_ref = if owned {
            format!("&{value}")
        } else {
            value.to_string()
        };
        let at_ref = if at == "at" {
            "at".to_string()
        } else {
            format!("&{at}")
        };
        if let Ty::OrExpr(inner) = &node.ty {
            let inner = Node {
                ty: (**inner).clone(),
                ..node.clone()
            };
            if !inner.limits.is_empty() {
                self.code
                    .open(format!("if let OrExpr::Value(value) = {by_ref} {{"));
                self.node_checks(container, &inner, "value", at, false);
                self.code.close("}");
            }
            return;
        }
        let limits = &node.limits;
        let guarded = limits.expression && node.ty == Ty::String && !limits.is_empty();
        if guarded {
            self.code
                .open(format!("if !runtime::is_expression({by_ref}) {{"));
        }
        self.bounds(container, node, &by_ref, value, &at_ref, owned);
        if guarded {
            self.code.close("}");
        }
        for rule in &limits.rules {
            if !rule.by_construction {
                self.value_rule(container, node, rule, value, &at_ref, owned);
            }
        }
        match &node.ty {
            Ty::Named(name) if self.with_checks.contains(name) => {
                self.code.line(format!("{value}.check({at_ref}, out);"));
            }
            Ty::List(inner) if self.is_checked(inner) => {
                self.code.open(format!(
                    "for (index, item) in {value}.iter().enumerate() {{"
                ));
                self.node_checks(
                    container,
                    inner,
                    "item",
                    &format!("{at}.index(index)"),
                    false,
                );
                self.code.close("}");
            }
            Ty::Map(inner) if self.is_checked(inner) => {
                self.code.open(format!("for (key, item) in {by_ref} {{"));
                self.node_checks(container, inner, "item", &format!("{at}.key(key)"), false);
                self.code.close("}");
            }
            _ => {}
        }
    }

    fn bounds(
        &mut self,
        container: &Container,
        node: &Node,
        by_ref: &str,
        value: &str,
        at: &str,
        owned: bool,
    ) {
        let Limits {
            pattern,
            min_length,
            max_length,
            minimum,
            maximum,
            exclusive_minimum,
            exclusive_maximum,
            multiple_of,
            min_items,
            max_items,
            unique_items,
            embedded_resource,
            map_keys,
            min_properties,
            max_properties,
            ..
        } = &node.limits;
        let copy = if owned {
            value.to_string()
        } else {
            format!("*{value}")
        };
        if min_length.is_some() || max_length.is_some() {
            self.code.line(format!(
                "check::length({by_ref}, {}, {at}, out);",
                range(*min_length, *max_length)
            ));
        }
        if let (Some(format @ ("email" | "uri")), Ty::String) =
            (node.limits.format.as_deref(), &node.ty)
        {
            self.code
                .line(format!("check::{format}({by_ref}, {at}, out);"));
        }
        if let Some(pattern) = pattern {
            match &node.ty {
                Ty::String => {
                    let name = self.pattern(pattern);
                    self.code
                        .line(format!("check::pattern({by_ref}, &{name}, {at}, out);"));
                }
                Ty::GoDuration => {
                    let name = self.pattern(pattern);
                    self.code.line(format!(
                        "check::duration_pattern({copy}, &{name}, {at}, out);"
                    ));
                }
                _ => self.fail(
                    container,
                    "a `pattern` of what is no string cannot be expressed".to_string(),
                ),
            }
        }
        let number = |value: &serde_json::Number| match &node.ty {
            Ty::F64 if value.is_f64() => value.to_string(),
            Ty::F64 => format!("{value}.0"),
            _ => value.to_string(),
        };
        if (minimum.is_some() || maximum.is_some() || multiple_of.is_some())
            && !matches!(node.ty, Ty::I32 | Ty::I64 | Ty::F64)
        {
            self.fail(
                container,
                "a bound of what is no number cannot be expressed".to_string(),
            );
            return;
        }
        if matches!(node.ty, Ty::I32 | Ty::I64)
            && [minimum, maximum, multiple_of]
                .into_iter()
                .flatten()
                .any(|bound| bound.as_i64().is_none())
        {
            self.fail(
                container,
                "a bound with a fraction of a whole number cannot be expressed".to_string(),
            );
            return;
        }
        // What 32 bits cannot hold needs no look.
        let is_narrow = node.ty == Ty::I32;
        let below = |bound: &serde_json::Number| bound.as_i64() < Some(i32::MIN.into());
        let above = |bound: &serde_json::Number| bound.as_i64() > Some(i32::MAX.into());
        let minimum = minimum
            .as_ref()
            .filter(|bound| !(is_narrow && below(bound)));
        let maximum = maximum
            .as_ref()
            .filter(|bound| !(is_narrow && above(bound)));
        if is_narrow && (minimum.is_some_and(above) || maximum.is_some_and(below)) {
            self.fail(
                container,
                "a bound that no number of 32 bits can keep".to_string(),
            );
            return;
        }
        if let Some(bound) = minimum {
            let how = if *exclusive_minimum {
                "more_than"
            } else {
                "at_least"
            };
            self.code.line(format!(
                "check::{how}({copy}, {}, {at}, out);",
                number(bound)
            ));
        }
        if let Some(bound) = maximum {
            let how = if *exclusive_maximum {
                "less_than"
            } else {
                "at_most"
            };
            self.code.line(format!(
                "check::{how}({copy}, {}, {at}, out);",
                number(bound)
            ));
        }
        if let Some(bound) = multiple_of {
            self.code.line(format!(
                "check::multiple_of({copy}, {}, {at}, out);",
                number(bound)
            ));
        }
        if min_items.is_some() || max_items.is_some() {
            self.code.line(format!(
                "check::items({value}.len(), {}, {at}, out);",
                range(*min_items, *max_items)
            ));
        }
        if *unique_items {
            self.code
                .line(format!("check::unique({by_ref}, {at}, out);"));
        }
        if *embedded_resource {
            self.code
                .line(format!("check::embedded_resource({by_ref}, {at}, out);"));
        }
        if !map_keys.is_empty() {
            self.code.line(format!(
                "check::unique_by({by_ref}, &{map_keys:?}, {at}, out);"
            ));
        }
        if min_properties.is_some() || max_properties.is_some() {
            self.code.line(format!(
                "check::properties({value}.len(), {}, {at}, out);",
                range(*min_properties, *max_properties)
            ));
        }
    }

    /// A rule over a value that is no struct: only `self` can be asked about.
    fn value_rule(
        &mut self,
        container: &Container,
        node: &Node,
        rule: &Rule,
        value: &str,
        at: &str,
        owned: bool,
    ) {
        let this = if owned {
            format!("Some(&{value})")
        } else {
            format!("Some({value})")
        };
        let mut asker = Asker {
            emitter: self,
            host: None,
            this: Some((this, node.clone())),
            locals: Vec::new(),
        };
        match asker.cond(&rule.cond) {
            Ok(condition) => {
                self.code
                    .line(format!("let holds = {};", outer(&condition)));
                self.code.open("if !holds {");
                self.code.line(format!(
                    "check::broken({}, {at}, out);",
                    literal(&rule.message)
                ));
                self.code.close("}");
            }
            Err(what) => {
                let text = rule.text.clone();
                self.fail(
                    container,
                    format!("the rule `{text}` cannot be expressed: it has {what}"),
                );
            }
        }
        self.rules.push((
            container.name.clone(),
            rule.text.clone(),
            rule.by_construction,
        ));
    }

    fn rule(&mut self, container: &Container, fields: &Struct, rule: &Rule) {
        let mut asker = Asker {
            emitter: self,
            host: Some(fields),
            this: None,
            locals: Vec::new(),
        };
        asker.name_properties(&rule.cond);
        let unknown: Vec<String> = asker
            .locals
            .iter()
            .filter(|local| matches!(local.node.ty, Ty::OrExpr(_)))
            .map(|local| format!("{}.is_some_and(OrExpr::is_expr)", local.rust))
            .collect();
        let condition = asker.cond(&rule.cond);
        let locals = asker.locals;
        let condition = match condition {
            Ok(condition) => condition,
            Err(what) => {
                let text = rule.text.clone();
                return self.fail(
                    container,
                    format!("the rule `{text}` cannot be expressed: it has {what}"),
                );
            }
        };
        self.code.open("{");
        for local in &locals {
            self.code
                .line(format!("let {} = {};", local.rust, local.value));
        }
        if !unknown.is_empty() {
            self.code
                .line(format!("let unknown = {};", unknown.join(" || ")));
        }
        self.code
            .line(format!("let holds = {};", outer(&condition)));
        self.code.open(if unknown.is_empty() {
            "if !holds {"
        } else {
            "if !unknown && !holds {"
        });
        self.code.line(format!(
            "check::broken({}, at, out);",
            literal(&rule.message)
        ));
        self.code.close("}");
        self.code.close("}");
    }
}

/// The condition without parentheses around the whole of it.
fn outer(condition: &str) -> &str {
    let Some(inner) = condition
        .strip_prefix('(')
        .and_then(|rest| rest.strip_suffix(')'))
    else {
        return condition;
    };
    let mut depth = 0_i32;
    for c in inner.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth < 0 {
            return condition;
        }
    }
    inner
}

fn range(least: Option<u64>, most: Option<u64>) -> String {
    match (least, most) {
        (Some(least), Some(most)) => format!("{least}..={most}"),
        (Some(least), None) => format!("{least}.."),
        (None, Some(most)) => format!("..={most}"),
        (None, None) => "..".to_string(),
    }
}

/// Turns conditions into Rust over the generated types.
struct Asker<'a, 'b> {
    emitter: &'a Emitter<'b>,
    host: Option<&'a Struct>,
    this: Option<(String, Node)>,
    /// Properties of the host that have a name of their own.
    locals: Vec<Local>,
}

/// A property as a variable of type `Option<&T>`.
struct Local {
    json: String,
    rust: String,
    value: String,
    node: Node,
}

impl Asker<'_, '_> {
    /// Gives every property that the condition asks about a name.
    fn name_properties(&mut self, cond: &Cond) {
        let Some(fields) = self.host else {
            return;
        };
        for json in cond.properties() {
            if let Ok((value, node)) = self.property(fields, &json, "self") {
                let mut rust = names::field(&json);
                if matches!(rust.as_str(), "at" | "out" | "holds" | "unknown" | "value") {
                    rust.push('_');
                }
                self.locals.push(Local {
                    json,
                    rust,
                    value,
                    node,
                });
            }
        }
    }

    fn cond(&mut self, cond: &Cond) -> Result<String, String> {
        Ok(match cond {
            Cond::Const(value) => value.to_string(),
            Cond::Not(inner) => format!("!{}", self.cond(inner)?),
            Cond::All(parts) => self.join(parts, " && ", "true")?,
            Cond::Any(parts) => self.join(parts, " || ", "false")?,
            Cond::One(parts) => {
                let parts: Vec<String> = parts
                    .iter()
                    .map(|part| self.cond(part))
                    .collect::<Result<_, _>>()?;
                format!("check::exactly_one(&[{}])", parts.join(", "))
            }
            Cond::Same(left, right) => format!("({} == {})", self.cond(left)?, self.cond(right)?),
            Cond::Has(operand) => match self.tag(operand) {
                Some(text) => text,
                None => format!("{}.is_some()", self.operand(operand)?.0),
            },
            Cond::Holds(operand, test) => {
                let (text, node) = self.operand(operand)?;
                format!("{text}.is_some_and(|value| {})", self.test(test, &node)?)
            }
            Cond::AbsentOr(operand, test) => {
                let (text, node) = self.operand(operand)?;
                format!("{text}.is_none_or(|value| {})", self.test(test, &node)?)
            }
        })
    }

    fn join(&mut self, parts: &[Cond], with: &str, none: &str) -> Result<String, String> {
        let texts: Vec<String> = parts
            .iter()
            .map(|part| self.cond(part))
            .collect::<Result<_, _>>()?;
        Ok(match texts.as_slice() {
            [] => none.to_string(),
            [one] => one.clone(),
            _ => format!("({})", texts.join(with)),
        })
    }

    /// `has()` of a union's tag.
    fn tag(&self, operand: &Operand) -> Option<String> {
        let Operand::Property(of, name) = operand else {
            return None;
        };
        if **of != Operand::This {
            return None;
        }
        let fields = self.host?;
        for choice in fields.choices() {
            for variant in &choice.variants {
                let Keys::Tagged { tag, .. } = &variant.keys else {
                    continue;
                };
                if tag != name {
                    continue;
                }
                if choice.bare {
                    return Some(if choice.optional {
                        format!("self.{}.is_some()", choice.rust)
                    } else {
                        "true".to_string()
                    });
                }
                let variant = format!("{}::{}(_)", choice.ty, variant.rust);
                let variant = if choice.optional {
                    format!("Some({variant})")
                } else {
                    variant
                };
                return Some(format!("matches!(&self.{}, {variant})", choice.rust));
            }
        }
        fields.never.contains(name).then(|| "false".to_string())
    }

    /// An expression of type `Option<&T>`, and what is known of `T`.
    fn operand(&self, operand: &Operand) -> Result<(String, Node), String> {
        match operand {
            Operand::This => self.this.clone().ok_or("`self` as a value".to_string()),
            Operand::Index(of, index) => {
                let (text, node) = self.operand(of)?;
                let Ty::List(inner) = node.ty else {
                    return Err("an index of what is no list".to_string());
                };
                Ok((format!("{text}.and_then(|list| list.get({index}))"), *inner))
            }
            Operand::Property(of, name) if **of == Operand::This && self.host.is_some() => {
                if let Some(local) = self.locals.iter().find(|local| local.json == *name) {
                    return Ok((local.rust.clone(), local.node.clone()));
                }
                let fields = self.host.ok_or("no struct")?;
                self.property(fields, name, "self")
            }
            Operand::Property(of, name) => {
                let (text, node) = self.operand(of)?;
                let Ty::Named(ty) = &node.ty else {
                    return Err(format!("the property `{name}` of what is no object"));
                };
                let Some(Shape::Struct(fields)) = self
                    .emitter
                    .by_name
                    .get(ty.as_str())
                    .map(|container| &container.shape)
                else {
                    return Err(format!("the property `{name}` of a union"));
                };
                let (inner, node) = self.property(fields, name, "object")?;
                Ok((format!("{text}.and_then(|object| {{ {inner} }})"), node))
            }
        }
    }

    fn property(&self, fields: &Struct, name: &str, of: &str) -> Result<(String, Node), String> {
        for part in &fields.parts {
            match part {
                Part::Field(field) if field.json == name => {
                    let text = if field.required && !field.nullable {
                        format!("Some(&{of}.{})", field.rust)
                    } else {
                        format!("{of}.{}.as_ref()", field.rust)
                    };
                    return Ok((text, field.node.clone()));
                }
                Part::Field(_) => {}
                Part::Choice(choice) => {
                    for variant in &choice.variants {
                        if variant.keys != Keys::One(name.to_string()) {
                            continue;
                        }
                        let one = format!("{}::{}(value)", choice.ty, variant.rust);
                        let one = if choice.optional {
                            format!("Some({one})")
                        } else {
                            one
                        };
                        let text = format!(
                            "match &{of}.{} {{ {one} => Some(value), _ => None }}",
                            choice.rust
                        );
                        return Ok((text, variant.node.clone()));
                    }
                }
            }
        }
        Err(format!(
            "the property `{name}`, which the object does not have"
        ))
    }

    fn test(&self, test: &Test, node: &Node) -> Result<String, String> {
        let (ty, value) = match &node.ty {
            Ty::OrExpr(inner) => ((**inner).clone(), "value.value()"),
            other => (other.clone(), "value"),
        };
        if matches!(node.ty, Ty::OrExpr(_)) {
            let plain = Node { ty, ..node.clone() };
            let inner = self.test(test, &plain)?;
            return Ok(format!("{value}.is_some_and(|value| {inner})"));
        }
        match test {
            Test::In(values) => Self::is_in(values, &ty),
            Test::NotIn(values) => Ok(format!("!({})", Self::is_in(values, &ty)?)),
            Test::Size(cmp, bound) => match ty {
                Ty::String => Ok(compare("check::size_of_text(value)", *cmp, *bound)),
                Ty::List(_) | Ty::Map(_) | Ty::JsonMap => {
                    Ok(compare("check::size(value.len())", *cmp, *bound))
                }
                _ => Err("the size of what has none".to_string()),
            },
            Test::Number(cmp, bound) => match ty {
                Ty::I32 => Ok(compare("i64::from(*value)", *cmp, *bound)),
                Ty::I64 => Ok(compare("*value", *cmp, *bound)),
                _ => Err("a comparison of what is no whole number".to_string()),
            },
        }
    }

    fn is_in(values: &[serde_json::Value], ty: &Ty) -> Result<String, String> {
        let present: Vec<&serde_json::Value> =
            values.iter().filter(|value| !value.is_null()).collect();
        if present.is_empty() {
            return Ok("{ let _ = value; false }".to_string());
        }
        let mut tests = Vec::new();
        for value in present {
            tests.push(match (ty, value) {
                (Ty::String, serde_json::Value::String(text)) if text.is_empty() => {
                    "value.is_empty()".to_string()
                }
                (Ty::String, serde_json::Value::String(text)) => {
                    format!("value == {}", literal(text))
                }
                (Ty::Named(_), serde_json::Value::String(text)) => {
                    format!("value.as_str() == {}", literal(text))
                }
                (Ty::Bool, serde_json::Value::Bool(true)) => "*value".to_string(),
                (Ty::Bool, serde_json::Value::Bool(false)) => "!*value".to_string(),
                _ => {
                    return Err(format!(
                        "a comparison with `{value}`, which the value cannot be"
                    ));
                }
            });
        }
        Ok(if tests.len() == 1 {
            tests.join("")
        } else {
            format!("({})", tests.join(" || "))
        })
    }
}

fn compare(left: &str, cmp: Cmp, bound: i64) -> String {
    format!("{left} {} {bound}", cmp.symbol())
}
