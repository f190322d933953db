//! What is written reads back the same, and `diff` sees exactly what differs.

use crd_codegen::facts::{Facts, Schema, Type};
use crd_codegen::{diff, format};
use proptest::prelude::*;

use crate::{arbitrary, bare};

/// Turns properties and enum values around and adds words: no facts.
fn disguise(facts: &mut Facts) {
    fn turn(schema: &mut Schema) {
        schema.doc.push_str("Other words.");
        schema.enumeration.reverse();
        match &mut schema.ty {
            Type::Object(properties) => {
                properties.reverse();
                properties
                    .iter_mut()
                    .for_each(|property| turn(&mut property.schema));
            }
            Type::Map(inner) | Type::List(inner) => turn(inner),
            _ => {}
        }
    }
    facts.origin.source.push_str(" elsewhere");
    turn(&mut facts.root);
    facts
        .definitions
        .iter_mut()
        .for_each(|(_, schema)| turn(schema));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn facts_survive_their_text(facts in arbitrary::facts()) {
        let text = format::write(&facts);
        let read = format::parse("x.facts", &text);
        prop_assert_eq!(read.as_ref(), Ok(&facts), "{}", text);
    }

    #[test]
    fn words_and_order_are_no_difference(facts in arbitrary::facts()) {
        let mut other = facts.clone();
        disguise(&mut other);
        prop_assert_eq!(diff::diff(&facts, &other), vec![]);
    }

    /// One node of one is put in place of a node of the other, so that the two
    /// are alike but for little.
    #[test]
    fn a_difference_is_found_exactly_where_there_is_one(
        one in arbitrary::facts(),
        other in arbitrary::facts(),
        part in 0..4,
    ) {
        let mut near = one.clone();
        match part {
            0 => near.resource = other.resource.clone(),
            1 => near.root = other.root.clone(),
            2 => near.definitions = other.definitions.clone(),
            _ => near.name = other.name.clone(),
        }
        let changes = diff::diff(&one, &near);
        prop_assert_eq!(changes.is_empty(), bare(&one) == bare(&near), "{:#?}", changes);
        let back = diff::diff(&near, &one);
        prop_assert_eq!(changes.is_empty(), back.is_empty());
    }
}
