//! What an order lifts for the images that it names.

use super::Order;
use crate::model::Name;

/// What does not hold for an image since somebody asked.
#[derive(Clone, Copy, Default)]
pub(super) struct Lift<'a> {
    /// Who asked, in Kargo.
    pub(super) by: Option<&'a str>,
    /// It is rebuilt even if nothing changed, and nothing that the planner knows of
    /// itself stands against it: no delay, no failed attempts, no parents.
    pub(super) at_once: bool,
    /// If something changed, there is no delay, and `autoRebuild: false` is answered.
    pub(super) changed: bool,
    /// Nothing that people decided stands against it, but the number of attempts at once.
    pub(super) emergency: bool,
}

impl<'a> Order<'a> {
    /// The images that it is about; nothing: all.
    pub(super) const fn images(&self) -> Option<&'a [Name]> {
        match self {
            Self::Due => None,
            Self::Requested { images, .. }
            | Self::Person { images }
            | Self::Emergency { images } => Some(images),
        }
    }

    pub(super) fn names(&self, image: &Name) -> bool {
        self.images().is_none_or(|images| images.contains(image))
    }

    /// Did a person ask, so that others have no part in the limits?
    pub(super) fn is_a_persons(&self) -> bool {
        match self {
            Self::Due => false,
            Self::Requested { by, .. } => is_a_person(by),
            Self::Person { .. } | Self::Emergency { .. } => true,
        }
    }

    pub(super) fn lift(&self, image: &Name) -> Lift<'a> {
        let nothing = Lift::default();
        if !self.is_a_persons() || !self.names(image) {
            return nothing;
        }
        match *self {
            Self::Due => nothing,
            Self::Requested { by, .. } => Lift {
                by: Some(by),
                changed: true,
                ..nothing
            },
            Self::Person { .. } => Lift {
                at_once: true,
                ..nothing
            },
            Self::Emergency { .. } => Lift {
                at_once: true,
                emergency: true,
                ..nothing
            },
        }
    }
}

/// Is this actor of a Promotion somebody, and not a program? Kargo's own Promotions have
/// none, or its service account where its webhooks do not know that as its own.
#[must_use]
pub fn is_a_person(actor: &str) -> bool {
    let programs = ["controller:", "kubernetes:system:serviceaccount:"];
    !actor.is_empty() && !programs.iter().any(|program| actor.starts_with(program))
}

#[cfg(test)]
mod tests {
    use super::is_a_person;

    #[test]
    fn kargo_and_other_programs_are_no_persons() {
        for (actor, person) in [
            ("", false),
            ("controller:stage", false),
            (
                "kubernetes:system:serviceaccount:kargo:kargo-controller",
                false,
            ),
            ("a person", true),
            ("admin", true),
            ("alice@example.com", true),
            ("kubernetes-admin", true),
        ] {
            assert_eq!(is_a_person(actor), person, "{actor:?}");
        }
    }
}
