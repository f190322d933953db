//! Checks of objects as plug-ins.

use super::object::{ApiObject, ObjectId};
use super::problem::Problem;

/// A check of all objects of an app, before anything is written.
///
/// ```
/// use image_factory::diagnostics::code;
/// use image_factory::synth::{App, Objects, Problem, Validator};
/// use k8s_openapi::api::core::v1::Service;
///
/// struct NoLoadBalancers;
///
/// impl Validator for NoLoadBalancers {
///     fn check(&self, objects: &Objects<'_>, problems: &mut Vec<Problem>) {
///         for (object, service) in objects.of::<Service>() {
///             let spec = service.spec.as_ref();
///             if spec.and_then(|spec| spec.type_.as_deref()) == Some("LoadBalancer") {
///                 problems.push(
///                     Problem::new(code::OBJECT_INVALID, "load balancers cost money")
///                         .object(object.id())
///                         .pointer("/spec/type"),
///                 );
///             }
///         }
///     }
/// }
///
/// let mut app = App::new();
/// app.validator(NoLoadBalancers);
/// assert!(app.synth().unwrap().is_empty());
/// ```
pub trait Validator {
    /// Looks at the objects and adds what is wrong. An origin that a problem does
    /// not give is filled in from its object.
    fn check(&self, objects: &Objects<'_>, problems: &mut Vec<Problem>);
}

/// All objects of an app, in the order they are written.
pub struct Objects<'a> {
    objects: Vec<&'a ApiObject>,
}

impl<'a> Objects<'a> {
    pub(super) fn new(objects: Vec<&'a ApiObject>) -> Self {
        Self { objects }
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &'a ApiObject> {
        self.objects.iter().copied()
    }

    /// Those of one type.
    pub fn of<T: 'static>(&self) -> impl Iterator<Item = (&'a ApiObject, &'a T)> {
        self.iter()
            .filter_map(|object| object.downcast::<T>().map(|typed| (object, typed)))
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.objects.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }

    /// The object with this identity.
    #[must_use]
    pub fn get(&self, id: &ObjectId) -> Option<&'a ApiObject> {
        self.iter().find(|object| object.is(id))
    }
}

impl ApiObject {
    fn is(&self, id: &ObjectId) -> bool {
        self.name() == id.name
            && self.kind() == id.kind
            && self.namespace() == id.namespace.as_deref()
            && self.api_version() == id.api_version
    }
}
