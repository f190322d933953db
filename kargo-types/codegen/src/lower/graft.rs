//! Unions: what a CRD leaves untyped, and properties that exclude each other.

use super::{Graft, Lower, Place};
use crate::facts::{Property, Schema, Type};
use crate::ir::{
    Choice, ChoiceVariant, Field, Keyed, Keys, Limits, Node, Part, Shape, Struct, Tagged,
    TaggedVariant, Ty,
};
use crate::names;
use crate::rules::{Domain, Rule, State, combinations, outcome};

impl Lower<'_> {
    pub(super) fn graft(&mut self, schema: &Schema, place: &Place, graft: &Graft) -> Option<Node> {
        match graft {
            Graft::Keyed { name, variants } => self.keyed(schema, place, name, variants),
            Graft::Tagged { .. } | Graft::Choice { .. } => self.with_choice(schema, place, graft),
        }
    }

    fn keyed(
        &mut self,
        schema: &Schema,
        place: &Place,
        name: &str,
        variants: &[(String, String)],
    ) -> Option<Node> {
        if schema.ty != Type::Any || !schema.preserve_unknown_fields {
            self.fail(
                place,
                "a union is grafted here, but the facts do have a type: drop the graft",
            );
            return None;
        }
        let slot = self.reserve(name, place, schema);
        let mut found = Vec::new();
        for (key, facts) in variants {
            found.push(ChoiceVariant {
                rust: names::pascal(key),
                keys: Keys::One(key.clone()),
                node: self.other(place, facts)?,
            });
        }
        self.fill(slot, Shape::Keyed(Keyed { variants: found }), None);
        self.share(slot, place).map(|ty| bare(ty, schema))
    }

    /// The type of other, free-standing facts.
    fn other(&mut self, place: &Place, facts: &str) -> Option<Node> {
        let inputs = self.inputs;
        let found = inputs
            .iter()
            .enumerate()
            .find(|(_, input)| input.facts.name == facts && input.facts.resource.is_none());
        let Some((index, input)) = found else {
            self.fail(
                place,
                format!("there are no free-standing facts named `{facts}` to graft"),
            );
            return None;
        };
        let inner = self.place(index);
        self.node(&input.facts.root, &inner)
    }

    fn tagged(&mut self, place: &Place, graft: &Graft) -> Option<Ty> {
        let Graft::Tagged {
            name,
            tag,
            content,
            variants,
            ..
        } = graft
        else {
            return None;
        };
        let slot = self.reserve(name, place, &Schema::of(Type::Any));
        let mut found = Vec::new();
        for (value, facts) in variants {
            let optional = self.inputs.iter().any(|input| {
                input.facts.name == *facts
                    && input.facts.root.min_properties.is_none()
                    && matches!(&input.facts.root.ty, Type::Object(properties)
                        if properties.iter().all(|property| !property.required))
            });
            found.push(TaggedVariant {
                rust: names::pascal(value),
                value: value.clone(),
                node: self.other(place, facts)?,
                may_be_absent: optional,
            });
        }
        let shape = Shape::Tagged(Tagged {
            tag: tag.clone(),
            content: content.clone(),
            variants: found,
        });
        self.fill(slot, shape, None);
        self.share(slot, place)
    }

    /// A struct some of whose properties become one field.
    fn with_choice(&mut self, schema: &Schema, place: &Place, graft: &Graft) -> Option<Node> {
        let Type::Object(properties) = &schema.ty else {
            self.fail(
                place,
                "a choice is grafted here, but this is no object: drop the graft",
            );
            return None;
        };
        let name = self.name_of(place);
        let mut inner = place.clone();
        inner.parent.clone_from(&name);
        let slot = self.reserve(&name, place, schema);
        let mut rules = self.rules(schema, place);
        let (mut choice, taken, group) = self.choice(properties, &inner, graft)?;
        let never = self.never(properties, &group, &rules, graft);
        let optional = self.prove_choice(properties, &group, &never, &rules, place)?;
        choice.optional = optional;

        let mut parts = Vec::new();
        for property in properties {
            if taken.first() == Some(&property.name) {
                parts.push(Part::Choice(choice.clone()));
            }
            if taken.contains(&property.name) || never.contains(&property.name) {
                continue;
            }
            parts.push(Part::Field(self.field(property, &inner)?));
        }
        self.distinct(&parts, place);
        mark_proved(&mut rules, properties, &choice, &group, &never);
        if !choice.bare {
            let slot = self.reserve(&choice.ty, &inner, &Schema::of(Type::Any));
            let mut shape = choice.clone();
            // Whether it may be left out belongs to the field, not to the type.
            shape.optional = false;
            shape.rust.clear();
            self.fill(slot, Shape::Choice(shape), None);
            self.share(slot, place)?;
        }
        let fields = Struct {
            parts,
            closed: schema.closed,
            open: schema.preserve_unknown_fields,
            never,
            rules,
            limits: Limits {
                min_properties: schema.min_properties,
                max_properties: schema.max_properties,
                ..Limits::default()
            },
        };
        self.fill(slot, Shape::Struct(fields), None);
        self.share(slot, place).map(|ty| bare(ty, schema))
    }

    /// The choice, the properties it takes (in the order of the facts), and
    /// those among them that exclude each other.
    fn choice(
        &mut self,
        properties: &[Property],
        place: &Place,
        graft: &Graft,
    ) -> Option<(Choice, Vec<String>, Vec<String>)> {
        let (field, ty, group) = match graft {
            Graft::Tagged { field, tag, or, .. } => {
                let mut group = vec![tag.clone()];
                group.extend(or.iter().map(|(_, property)| property.clone()));
                let ty = or.as_ref().map_or(String::new(), |(name, _)| name.clone());
                (field, ty, group)
            }
            Graft::Choice {
                field,
                name,
                properties,
            } => (field, name.clone(), properties.clone()),
            Graft::Keyed { .. } => return None,
        };
        let mut taken = group.clone();
        if let Graft::Tagged { content, .. } = graft {
            taken.push(content.clone());
        }
        for name in &taken {
            let Some(property) = properties.iter().find(|property| property.name == *name) else {
                self.fail(
                    place,
                    format!(
                        "a choice with `{name}` is grafted here, but there is no such property"
                    ),
                );
                return None;
            };
            if property.required && matches!(graft, Graft::Choice { .. }) {
                self.fail(
                    place,
                    format!("a choice with `{name}` is grafted here, but `{name}` is required"),
                );
                return None;
            }
        }
        let mut variants = Vec::new();
        for name in &group {
            let property = properties.iter().find(|property| property.name == *name)?;
            if let Graft::Tagged { tag, content, .. } = graft
                && tag == name
            {
                let ty = self.tagged(place, graft)?;
                variants.push(ChoiceVariant {
                    rust: names::pascal(tag),
                    keys: Keys::Tagged {
                        tag: tag.clone(),
                        content: content.clone(),
                    },
                    node: bare(ty, &Schema::of(Type::Any)),
                });
                continue;
            }
            let Field { node, .. } = self.field(property, place)?;
            variants.push(ChoiceVariant {
                rust: names::pascal(name),
                keys: Keys::One(name.clone()),
                node,
            });
        }
        let bare = variants.len() == 1;
        let ty = match variants.first() {
            Some(ChoiceVariant {
                node:
                    Node {
                        ty: Ty::Named(name),
                        ..
                    },
                ..
            }) if bare => name.clone(),
            _ => ty,
        };
        let order: Vec<String> = properties
            .iter()
            .map(|property| property.name.clone())
            .filter(|name| taken.contains(name))
            .collect();
        let choice = Choice {
            rust: names::field(field),
            ty,
            optional: false,
            doc: String::new(),
            variants,
            bare,
        };
        Some((choice, order, group))
    }

    /// Properties that the rules forbid whenever the tag is set and that no
    /// alternative of the union has.
    fn never(
        &self,
        properties: &[Property],
        group: &[String],
        rules: &[Rule],
        graft: &Graft,
    ) -> Vec<String> {
        let Graft::Tagged { tag, or: None, .. } = graft else {
            return Vec::new();
        };
        properties
            .iter()
            .filter(|property| !property.required && !group.contains(&property.name))
            .filter(|property| {
                let mut domains = domains(properties, &[]);
                domains.retain(|domain| domain.name == property.name || domain.name == *tag);
                for domain in &mut domains {
                    if domain.name == property.name {
                        domain.states.retain(|state| *state != State::Absent);
                    }
                }
                let all = combinations(&domains);
                !all.is_empty() && all.iter().all(|known| outcome(rules, known) == Some(false))
            })
            .map(|property| property.name.clone())
            .collect()
    }

    /// Shows from the rules that no two of the group can be set together, and
    /// finds out whether none may be. A graft that the rules do not bear out is
    /// an error: it would refuse what the API accepts.
    fn prove_choice(
        &mut self,
        properties: &[Property],
        group: &[String],
        never: &[String],
        rules: &[Rule],
        place: &Place,
    ) -> Option<bool> {
        let mut none_allowed = false;
        for known in combinations(&relevant(properties, group, never, rules)) {
            let set = |wanted: State| {
                known
                    .iter()
                    .filter(|(name, state)| group.contains(name) && *state == wanted)
                    .map(|(name, _)| name.as_str())
                    .collect::<Vec<_>>()
            };
            let full = set(State::Full);
            let result = outcome(rules, &known);
            if full.len() > 1 && result != Some(false) {
                self.fail(
                    place,
                    format!(
                        "a choice is grafted here, but no rule keeps `{}` from being set together: drop the graft",
                        full.join("` and `"),
                    ),
                );
                return None;
            }
            if full.is_empty() && set(State::Empty).is_empty() && result != Some(false) {
                none_allowed = true;
            }
        }
        Some(none_allowed)
    }
}

/// Marks the rules that no value of the generated struct can break.
fn mark_proved(
    rules: &mut [Rule],
    properties: &[Property],
    choice: &Choice,
    group: &[String],
    never: &[String],
) {
    for rule in rules {
        let all = combinations(&relevant(
            properties,
            group,
            never,
            std::slice::from_ref(rule),
        ));
        let possible = all.iter().filter(|known| {
            let set = known
                .iter()
                .filter(|(name, state)| group.contains(name) && *state != State::Absent)
                .count();
            set == 1 || (set == 0 && choice.optional)
        });
        let outcomes: Vec<_> = possible
            .map(|known| outcome(std::slice::from_ref(rule), known))
            .collect();
        rule.by_construction =
            !outcomes.is_empty() && outcomes.iter().all(|value| *value == Some(true));
    }
}

/// The states of the properties that the rules mention.
fn relevant(
    properties: &[Property],
    group: &[String],
    never: &[String],
    rules: &[Rule],
) -> Vec<Domain> {
    let mentioned: Vec<String> = rules
        .iter()
        .flat_map(|rule| rule.cond.properties())
        .collect();
    let mut all = domains(properties, never);
    all.retain(|domain| group.contains(&domain.name) || mentioned.contains(&domain.name));
    all
}

/// The states each property can be in, as its own bounds allow.
fn domains(properties: &[Property], never: &[String]) -> Vec<Domain> {
    properties
        .iter()
        .map(|property| {
            let schema = &property.schema;
            let mut states = Vec::new();
            if !property.required {
                states.push(State::Absent);
            }
            if !never.contains(&property.name) {
                let nonempty = |bound: Option<u64>| bound.is_some_and(|least| least > 0);
                let scalar = matches!(
                    schema.ty,
                    Type::String | Type::Boolean | Type::List(_) | Type::Map(_)
                );
                let empty = scalar
                    && schema.enumeration.is_empty()
                    && !nonempty(schema.min_length)
                    && !nonempty(schema.min_items)
                    && !nonempty(schema.min_properties);
                if empty {
                    states.push(State::Empty);
                }
                states.push(State::Full);
            }
            Domain {
                name: property.name.clone(),
                states,
            }
        })
        .collect()
}

fn bare(ty: Ty, schema: &Schema) -> Node {
    Node {
        ty,
        limits: Limits::default(),
        doc: schema.doc.clone(),
        default: None,
        deprecated: schema.deprecated,
    }
}
