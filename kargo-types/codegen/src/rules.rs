//! Conditions over an object's properties, from CEL or from JSON Schema's
//! `oneOf`, `anyOf` and `not`: proved from the types where they hold by
//! construction, turned into Rust where they do not.

use serde_json::Value;

/// A rule over one object (or one scalar or list, as `self`).
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Rule {
    /// As the facts state it.
    pub(crate) text: String,
    /// The keyword and what it says, as JSON Schema or CRD.
    pub(crate) schema: Value,
    /// What a value that breaks it is told.
    pub(crate) message: String,
    pub(crate) cond: Cond,
    /// The generated types cannot break it: proved, not assumed.
    pub(crate) by_construction: bool,
}

/// A condition. A part that CEL could not evaluate (an index past the end, a
/// field that is absent) counts as false, which is what CEL's error comes to
/// as long as it is never negated; [`crate::cel`] refuses where it would be.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cond {
    Const(bool),
    Not(Box<Cond>),
    All(Vec<Cond>),
    Any(Vec<Cond>),
    /// Exactly one holds.
    One(Vec<Cond>),
    /// Both hold or neither.
    Same(Box<Cond>, Box<Cond>),
    /// The value is present.
    Has(Operand),
    /// The value is present and passes.
    Holds(Operand, Test),
    /// The value is absent or passes.
    AbsentOr(Operand, Test),
}

/// What a condition looks at.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Operand {
    /// `self`
    This,
    /// A property of it, by JSON name.
    Property(Box<Operand>, String),
    /// An item of it.
    Index(Box<Operand>, usize),
}

/// What is asked of a value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Test {
    /// It is one of these.
    In(Vec<Value>),
    /// It is none of these.
    NotIn(Vec<Value>),
    /// Characters, items or properties.
    Size(Cmp, i64),
    /// The number itself.
    Number(Cmp, i64),
}

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cmp {
    Lt,
    Le,
    Eq,
    Ne,
    Ge,
    Gt,
}

impl Cmp {
    /// As both CEL and Rust write it.
    pub(crate) fn symbol(self) -> &'static str {
        match self {
            Cmp::Lt => "<",
            Cmp::Le => "<=",
            Cmp::Eq => "==",
            Cmp::Ne => "!=",
            Cmp::Ge => ">=",
            Cmp::Gt => ">",
        }
    }

    fn holds(self, left: i64, right: i64) -> bool {
        match self {
            Cmp::Lt => left < right,
            Cmp::Le => left <= right,
            Cmp::Eq => left == right,
            Cmp::Ne => left != right,
            Cmp::Ge => left >= right,
            Cmp::Gt => left > right,
        }
    }

    /// The comparison with its sides exchanged.
    pub(crate) fn flipped(self) -> Cmp {
        match self {
            Cmp::Lt => Cmp::Gt,
            Cmp::Le => Cmp::Ge,
            Cmp::Ge => Cmp::Le,
            Cmp::Gt => Cmp::Lt,
            same => same,
        }
    }
}

/// What may be known of a property without its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Absent,
    /// `""`, `false`, an empty list or object.
    Empty,
    /// Anything else.
    Full,
}

/// The states a property can be in.
#[derive(Debug, Clone)]
pub(crate) struct Domain {
    pub(crate) name: String,
    pub(crate) states: Vec<State>,
}

impl Cond {
    /// What the condition comes to in a state; `None` where it depends on more.
    fn eval(&self, state: &dyn Fn(&str) -> Option<State>) -> Option<bool> {
        match self {
            Cond::Const(value) => Some(*value),
            Cond::Not(inner) => inner.eval(state).map(|value| !value),
            Cond::All(parts) => {
                let values: Vec<_> = parts.iter().map(|part| part.eval(state)).collect();
                if values.contains(&Some(false)) {
                    Some(false)
                } else if values.contains(&None) {
                    None
                } else {
                    Some(true)
                }
            }
            Cond::Any(parts) => {
                let values: Vec<_> = parts.iter().map(|part| part.eval(state)).collect();
                if values.contains(&Some(true)) {
                    Some(true)
                } else if values.contains(&None) {
                    None
                } else {
                    Some(false)
                }
            }
            Cond::One(parts) => {
                let values: Vec<_> = parts.iter().map(|part| part.eval(state)).collect();
                let certain = values.iter().filter(|value| **value == Some(true)).count();
                if certain > 1 {
                    Some(false)
                } else if values.contains(&None) {
                    None
                } else {
                    Some(certain == 1)
                }
            }
            Cond::Same(left, right) => Some(left.eval(state)? == right.eval(state)?),
            Cond::Has(operand) => Some(state(operand.property()?)? != State::Absent),
            Cond::Holds(operand, test) => match state(operand.property()?)? {
                State::Absent => Some(false),
                known => test.eval(known),
            },
            Cond::AbsentOr(operand, test) => match state(operand.property()?)? {
                State::Absent => Some(true),
                known => test.eval(known),
            },
        }
    }

    /// The properties of `self` it looks at, each once.
    pub(crate) fn properties(&self) -> Vec<String> {
        let mut names = Vec::new();
        self.collect(&mut names);
        names
    }

    fn collect(&self, names: &mut Vec<String>) {
        match self {
            Cond::Const(_) => {}
            Cond::Not(inner) => inner.collect(names),
            Cond::All(parts) | Cond::Any(parts) | Cond::One(parts) => {
                parts.iter().for_each(|part| part.collect(names));
            }
            Cond::Same(left, right) => {
                left.collect(names);
                right.collect(names);
            }
            Cond::Has(operand) | Cond::Holds(operand, _) | Cond::AbsentOr(operand, _) => {
                if let Some(name) = operand.first()
                    && !names.iter().any(|known| known == name)
                {
                    names.push(name.to_string());
                }
            }
        }
    }
}

impl Operand {
    /// The property's name, where the operand is just `self.name`.
    fn property(&self) -> Option<&str> {
        match self {
            Operand::Property(of, name) if **of == Operand::This => Some(name),
            _ => None,
        }
    }

    /// The property of `self` that the operand starts with.
    fn first(&self) -> Option<&str> {
        match self {
            Operand::This => None,
            Operand::Property(of, name) if **of == Operand::This => Some(name),
            Operand::Property(of, _) | Operand::Index(of, _) => of.first(),
        }
    }
}

impl Test {
    fn eval(&self, state: State) -> Option<bool> {
        match self {
            Test::In(values) => is_in(values, state),
            Test::NotIn(values) => is_in(values, state).map(|value| !value),
            Test::Size(cmp, bound) => match state {
                State::Empty => Some(cmp.holds(0, *bound)),
                State::Full if *bound == 1 && *cmp == Cmp::Ge => Some(true),
                State::Full if *bound == 0 && matches!(cmp, Cmp::Gt | Cmp::Ne) => Some(true),
                State::Full if *bound == 0 && matches!(cmp, Cmp::Eq | Cmp::Le) => Some(false),
                _ => None,
            },
            Test::Number(..) => None,
        }
    }
}

/// Whether a value in this state is one of `values`: certain for booleans, and
/// for other values as far as emptiness tells.
fn is_in(values: &[Value], state: State) -> Option<bool> {
    let listed = |wanted: &Value| values.contains(wanted);
    let only_empty = values.iter().all(|value| {
        value.is_null() || *value == Value::Bool(false) || *value == Value::String(String::new())
    });
    match state {
        State::Absent => Some(false),
        State::Empty if listed(&Value::Bool(false)) || listed(&Value::String(String::new())) => {
            Some(true)
        }
        State::Empty => Some(false),
        State::Full if listed(&Value::Bool(true)) => Some(true),
        State::Full if only_empty => Some(false),
        State::Full => None,
    }
}

/// Every combination of the domains' states.
pub(crate) fn combinations(domains: &[Domain]) -> Vec<Vec<(String, State)>> {
    let mut all = vec![Vec::new()];
    for domain in domains {
        all = all
            .into_iter()
            .flat_map(|known: Vec<(String, State)>| {
                domain.states.iter().map(move |state| {
                    let mut more = known.clone();
                    more.push((domain.name.clone(), *state));
                    more
                })
            })
            .collect();
    }
    all
}

/// What all the rules come to together in one combination.
pub(crate) fn outcome(rules: &[Rule], known: &[(String, State)]) -> Option<bool> {
    let state = |name: &str| {
        known
            .iter()
            .find(|(other, _)| other == name)
            .map(|(_, state)| *state)
    };
    let values: Vec<_> = rules.iter().map(|rule| rule.cond.eval(&state)).collect();
    if values.contains(&Some(false)) {
        Some(false)
    } else if values.contains(&None) {
        None
    } else {
        Some(true)
    }
}

/// One alternative of `oneOf` or `anyOf` as a condition over the object.
///
/// # Errors
///
/// Names the keyword that is outside what can be expressed.
pub(crate) fn alternative(schema: &Value) -> Result<Cond, String> {
    let Value::Object(keywords) = schema else {
        return Err("an alternative that is no object".to_string());
    };
    let mut parts = Vec::new();
    for (keyword, value) in keywords {
        match (keyword.as_str(), value) {
            ("required", Value::Array(names)) => {
                for name in names {
                    let Value::String(name) = name else {
                        return Err("`required` that lists no names".to_string());
                    };
                    parts.push(Cond::Has(property(name)));
                }
            }
            ("properties", Value::Object(properties)) => {
                for (name, schema) in properties {
                    parts.extend(property_tests(name, schema)?);
                }
            }
            ("type", Value::String(ty)) if ty == "object" => {}
            ("not", schema) => parts.push(Cond::Not(Box::new(alternative(schema)?))),
            (other, _) => return Err(format!("`{other}` in an alternative")),
        }
    }
    Ok(Cond::All(parts))
}

fn property(name: &str) -> Operand {
    Operand::Property(Box::new(Operand::This), name.to_string())
}

fn property_tests(name: &str, schema: &Value) -> Result<Vec<Cond>, String> {
    let Value::Object(keywords) = schema else {
        return Err(format!(
            "property `{name}` that is no object in an alternative"
        ));
    };
    let mut parts = Vec::new();
    for (keyword, value) in keywords {
        let test = match (keyword.as_str(), value) {
            ("enum", Value::Array(values)) => Test::In(values.clone()),
            ("const", value) => Test::In(vec![value.clone()]),
            ("minLength" | "minItems" | "minProperties", Value::Number(count)) => Test::Size(
                Cmp::Ge,
                count
                    .as_i64()
                    .ok_or_else(|| format!("`{keyword}: {count}`"))?,
            ),
            ("maxLength" | "maxItems" | "maxProperties", Value::Number(count)) => Test::Size(
                Cmp::Le,
                count
                    .as_i64()
                    .ok_or_else(|| format!("`{keyword}: {count}`"))?,
            ),
            (other, _) => return Err(format!("`{other}` of `{name}` in an alternative")),
        };
        parts.push(Cond::AbsentOr(property(name), test));
    }
    Ok(parts)
}
