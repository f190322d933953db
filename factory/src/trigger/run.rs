//! Runs of workflows and pipelines as the APIs list them, and which one is an attempt's.

use std::collections::BTreeSet;

use image_factory::model::{Name, Time};
use image_factory::record::Answer;

use crate::http::Url;

/// The longest link that is kept.
const LONGEST_LINK: usize = 500;

/// How the names begin that our templates give to runs.
const OURS: &str = "image-factory ";

/// A run of a workflow, or a pipeline.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Run {
    /// Digits.
    pub(super) id: String,
    /// Where people look at it.
    pub(super) link: String,
    /// Its name, as its host shows it; empty without.
    pub(super) title: String,
    /// When it was made, by the host's clock.
    pub(super) created: Option<Time>,
    /// How it stands.
    pub(super) state: State,
}

/// How a run stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum State {
    /// It waits for a machine, or runs.
    Open,
    /// It waits for a person.
    Waits,
    /// It ended well.
    Succeeded,
    /// It ended, and not well: how.
    Failed(String),
    /// Somebody stopped it.
    Cancelled,
}

impl Run {
    /// What is learnt of the attempt whose run this is.
    pub(super) fn answer(&self) -> Answer {
        let (run, link) = (Some(self.id.clone()), Some(self.link.clone()));
        match &self.state {
            State::Open | State::Waits => Answer::Running {
                run: self.id.clone(),
                link: self.link.clone(),
            },
            State::Succeeded => Answer::Succeeded { run, link },
            State::Failed(why) => Answer::Failed {
                why: why.clone(),
                run,
                link,
            },
            State::Cancelled => Answer::Cancelled { run, link },
        }
    }
}

/// What our templates call a run: `image-factory shop #3`.
pub(super) fn title(image: &Name, attempt: u64) -> String {
    format!("{OURS}{image} #{attempt}")
}

/// The run that bears an attempt in its name; the first, should there be several.
pub(super) fn named<'r>(runs: &'r [Run], image: &Name, attempt: u64) -> Option<&'r Run> {
    let title = title(image, attempt);
    oldest(runs.iter().filter(|run| contains(&run.title, &title)))
}

/// Does a text have these words, and neither more of the first nor of the last?
fn contains(text: &str, words: &str) -> bool {
    text.match_indices(words).any(|(at, _)| {
        let before = text.get(..at).and_then(|head| head.chars().next_back());
        let after = text
            .get(at + words.len()..)
            .and_then(|tail| tail.chars().next());
        !before.is_some_and(is_of_word) && !after.is_some_and(|c| c.is_alphanumeric())
    })
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '-' | '_' | '.')
}

/// What a name in our form says: image and attempt. A workflow that is not sent one of
/// them has an empty place there.
type Words<'t> = (Option<&'t str>, Option<&'t str>);

/// All that is in our form in a text.
fn words(text: &str) -> impl Iterator<Item = Words<'_>> {
    let starts = text.match_indices(OURS);
    let starts = starts.filter(|(at, _)| {
        let before = text.get(..*at).and_then(|head| head.chars().next_back());
        !before.is_some_and(is_of_word)
    });
    starts.filter_map(|(at, _)| {
        let rest = text.get(at + OURS.len()..)?;
        let (image, rest) = rest.split_once('#')?;
        // `image-factory  #`, or with the spaces made one.
        let image = image.strip_suffix(' ').unwrap_or(image);
        if image.contains(' ') {
            return None;
        }
        let end = rest.find(|c: char| !c.is_ascii_digit());
        let (number, rest) = rest.split_at(end.unwrap_or(rest.len()));
        let whole = !rest.starts_with(|c: char| c.is_alphanumeric());
        let number = Some(number).filter(|number| whole && !number.is_empty());
        Some((Some(image).filter(|image| !image.is_empty()), number))
    })
}

/// May a run be this attempt's, as far as its name goes? Not if that names another one.
fn may_be(run: &Run, image: &Name, attempt: u64) -> bool {
    let attempt = attempt.to_string();
    words(&run.title).all(|(name, number)| {
        let is_named = name.is_some() && number.is_some();
        let fits = name.is_none_or(|name| name == image.as_str())
            && number.is_none_or(|number| number == attempt);
        !is_named && fits
    })
}

/// The runs that may be an attempt's although no name says so: made since, nobody
/// else's; the first of them in front.
pub(super) fn unclaimed<'r>(
    runs: &'r [Run],
    (image, attempt): (&Name, u64),
    since: Time,
    claimed: &BTreeSet<String>,
) -> Vec<&'r Run> {
    let mut all: Vec<&Run> = runs
        .iter()
        .filter(|run| run.created.is_some_and(|created| created >= since))
        .filter(|run| !claimed.contains(&run.id) && may_be(run, image, attempt))
        .collect();
    all.sort_by_key(|run| age(run));
    all
}

fn oldest<'r>(runs: impl Iterator<Item = &'r Run>) -> Option<&'r Run> {
    runs.min_by_key(|run| age(run))
}

/// Ids grow, and are numbers of any length.
fn age(run: &Run) -> (Option<Time>, usize, &str) {
    (run.created, run.id.len(), &run.id)
}

/// An id that can stand in an address: up to 20 digits.
pub(super) fn is_id(text: &str) -> bool {
    (1..=20).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
}

/// A link from an answer, if people can be shown it: `https`, or the API's own server.
pub(super) fn link(text: &str, api: &Url) -> Option<String> {
    let url = Url::parse(text)?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~:/?#@!$&*+,;=%".contains(&b);
    let good = (url.is_tls() || url.same_server(api))
        && text.len() <= LONGEST_LINK
        && text.bytes().all(plain);
    good.then(|| url.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use image_factory::model::Parse as _;
    use proptest::prelude::*;

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap()
    }

    fn at(seconds: i64) -> Time {
        Time::from_unix_seconds(seconds)
    }

    fn run(id: &str, title: &str, created: i64) -> Run {
        Run {
            id: id.into(),
            link: format!("https://host/{id}"),
            title: title.into(),
            created: Some(at(created)),
            state: State::Open,
        }
    }

    #[test]
    fn a_run_is_found_by_the_attempt_in_its_name_and_by_no_other() {
        for (text, is) in [
            ("image-factory shop #3", true),
            ("Build (image-factory shop #3)", true),
            ("image-factory shop #3: node moved", true),
            ("image-factory shop #30", false),
            ("image-factory shop #13", false),
            ("image-factory shop-api #3", false),
            ("image-factory my-shop #3", false),
            ("my-image-factory shop #3", false),
            ("image-factory  shop #3", false),
            ("image-factory shop #3x", false),
            ("image-factory shop #30 image-factory shop #3", true),
            ("Build", false),
            ("", false),
        ] {
            let runs = [run("1", text, 0)];
            assert_eq!(named(&runs, &name("shop"), 3).is_some(), is, "{text}");
        }
        let runs = [
            run("12", "image-factory shop #3", 5),
            run("9", "image-factory shop #3", 5),
            run("13", "image-factory shop #3", 6),
        ];
        assert_eq!(named(&runs, &name("shop"), 3).unwrap().id, "9");
    }

    #[test]
    fn without_a_name_the_first_unclaimed_run_since_counts() {
        let runs = [
            run("6", "Build", 12),
            run("5", "Build", 11),
            run("4", "Build", 10),
            run("3", "image-factory other #1", 10),
            run("2", "image-factory shop #2", 10),
            run("1", "Build", 9),
        ];
        let claimed = BTreeSet::from(["4".to_owned()]);
        let ids = |runs: Vec<&Run>| runs.iter().map(|run| run.id.clone()).collect::<Vec<_>>();
        let shop = name("shop");
        let unclaimed = |runs, since, claimed| unclaimed(runs, (&shop, 3), at(since), claimed);
        assert_eq!(ids(unclaimed(&runs, 10, &claimed)), ["5", "6"]);
        let none = BTreeSet::new();
        assert_eq!(ids(unclaimed(&runs, 10, &none)), ["4", "5", "6"]);
        assert!(unclaimed(&runs, 13, &claimed).is_empty());
        let unknown = Run {
            created: None,
            ..run("7", "", 0)
        };
        assert!(unclaimed(&[unknown], 0, &claimed).is_empty());
    }

    #[test]
    fn a_name_that_lacks_a_part_names_no_attempt() {
        for (text, may) in [
            ("image-factory shop #", true),
            ("Build (image-factory shop #)", true),
            ("image-factory api #", false),
            ("image-factory my-shop #", false),
            ("image-factory  #3", true),
            ("image-factory #3", true),
            ("image-factory  #4", false),
            ("image-factory  #", true),
            ("image-factory #", true),
            ("image-factory api #3", false),
            ("image-factory shop #4", false),
            ("image-factory shop #4x", true),
            ("my-image-factory api #4", true),
            ("image-factory rebuilds api #4", true),
            ("image-factory", true),
        ] {
            let runs = [run("1", text, 0)];
            assert_eq!(may_be(&runs[0], &name("shop"), 3), may, "{text}");
        }
    }

    #[test]
    fn links_are_shown_if_they_lead_to_the_web_or_home() {
        let api = Url::parse("http://127.0.0.1:8080/api/v3").unwrap();
        for (text, is) in [
            ("https://github.com/a/b/actions/runs/1", true),
            ("http://127.0.0.1:8080/a/b/-/pipelines/1", true),
            ("http://127.0.0.1:8081/a", false),
            ("http://github.com/a", false),
            ("https://user:pw@github.com/a", false),
            ("https://github.com/a\nX: y", false),
            ("https://github.com/<b>", false),
            ("https://github.com/a)[x](y", false),
            ("javascript:alert(1)", false),
            ("", false),
        ] {
            assert_eq!(link(text, &api).is_some(), is, "{text}");
        }
        assert!(link(&format!("https://h/{}", "a".repeat(500)), &api).is_none());
    }

    #[test]
    fn ids_are_digits() {
        for (text, is) in [
            ("1", true),
            ("", false),
            ("1/2", false),
            ("-1", false),
            ("123456789012345678901", false),
        ] {
            assert_eq!(is_id(text), is, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_name_is_read(text in "(image-factory |shop|#3|#| |é|x){0,6}", attempt in 0u64..40) {
            let runs = [run("1", &text, 0)];
            let found = named(&runs, &name("shop"), attempt).is_some();
            prop_assert!(!found || !may_be(&runs[0], &name("shop"), attempt));
        }
    }
}
