//! Whose run is whose.

use crate::model::Name;
use crate::state::ImageDoc;
use crate::tree::Tree;

use super::{Answered, one_line};

/// The runs that attempts own, with the attempts: of all images, and also of attempts that
/// have ended, as long as they are remembered.
#[must_use]
pub fn runs(tree: &Tree) -> Vec<(Name, u64, String)> {
    let owned = owned(tree).into_iter();
    owned
        .map(|owned| (owned.image, owned.attempt, owned.run))
        .collect()
}

/// A run, and the attempt that it is of.
pub(super) struct Owned {
    image: Name,
    attempt: u64,
    run: String,
    /// Two hosts may count alike.
    link: Option<String>,
}

impl Owned {
    pub(super) fn by(answered: &Answered) -> Option<Self> {
        Some(Self {
            image: answered.image.clone(),
            attempt: answered.attempt,
            run: one_line(answered.answer.run()?)?,
            link: answered.answer.link().and_then(one_line),
        })
    }

    /// Is another attempt answered by this run?
    pub(super) fn is_what(&self, answered: &Answered) -> bool {
        let others = (&self.image, self.attempt) != (&answered.image, answered.attempt);
        let same =
            |run: &Self| self.link.is_some() && (&self.run, &self.link) == (&run.run, &run.link);
        others && Self::by(answered).is_some_and(|run| same(&run))
    }
}

pub(super) fn owned(tree: &Tree) -> Vec<Owned> {
    let files = tree.inputs.images.iter().chain(&tree.archive);
    let may = files.filter(|file| file.text.contains("rebuildHistory"));
    let docs = may.filter_map(|file| ImageDoc::read(file).doc);
    docs.flat_map(|doc| {
        let attempts = doc.rebuild_history.into_iter();
        let owned = attempts.filter_map(|attempt| {
            Some(Owned {
                image: doc.name.clone(),
                attempt: attempt.number()?,
                run: attempt.run?,
                link: attempt.link,
            })
        });
        owned.collect::<Vec<_>>()
    })
    .collect()
}
