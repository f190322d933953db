//! `discover --commit`: state and the manifests that follow from it, in one commit.

use std::cell::RefCell;

use factory::git::Checkout;
use factory::git::auth::Credentials;
use factory::git::publish::{Change, Options, Patience, PublishError, all_committed, publish};
use image_factory::cli::Streams;
use image_factory::cli::run::{Said, Stopped};
use image_factory::diagnostics::{Diagnostic, code};
use image_factory::pipeline;
use image_factory::template::{Discovery, Templates, Text};
use image_factory::tree::Tree;

use super::report::{self, Done};
use super::{Gathered, Run};

/// Computes on the commit, not on the files of the disk, and again if the branch has
/// moved meanwhile.
pub(super) fn commit(
    run: &Run<'_>,
    places: &Tree,
    gathered: &Gathered,
    streams: &mut Streams<'_>,
    said: &mut Said,
) -> Result<Done, Stopped> {
    let own = gathered.settings.git.repo.as_ref();
    let credentials = Credentials::new(&gathered.git, &gathered.settings.providers, own);
    let checkout = Checkout::around(&gathered.git, &run.layout.root)
        .map_err(|error| said.stop([error]))?
        .with(credentials);
    // Dockerfiles of this repository were read from the disk.
    all_committed(&checkout, &gathered.located.own).map_err(|error| said.stop([error]))?;
    let landing = &run.args.landing;
    let host = landing.host(&gathered.settings, said)?;
    let target = landing.target(&gathered.settings.git.branch, host.as_ref());
    let streams = RefCell::new(streams);
    let options = Options {
        places,
        target,
        topic: "discover",
        patience: Patience::default(),
        tell: &|line| streams.borrow_mut().tell(&format!("{line}\n")),
    };
    let mut last = (Done::default(), Said::default());
    let mut compute = |tree: &Tree| {
        let mut said = Said::default();
        said.know(tree);
        let change = change(run, tree, gathered, &mut said);
        let (done, change) = match change {
            Ok(both) => both,
            Err(Stopped) => {
                last.1 = said;
                return Err(());
            }
        };
        last = (done, said);
        Ok(change)
    };
    let published = publish(&checkout, &options, &mut compute);
    let (mut done, computed) = last;
    *said = computed;
    match published {
        Ok(published) => {
            if let Some(published) = published {
                done.written = true;
                done.commit = Some(published.commit);
                done.pull_request = published.pull_request;
                said.diagnostics.extend(published.warnings);
            }
            Ok(done)
        }
        Err(PublishError::Compute(())) => Err(said.stop([])),
        Err(PublishError::Stopped(diagnostics)) => Err(said.stop(diagnostics)),
    }
}

/// What has to change in a tree, manifests included.
fn change(
    run: &Run<'_>,
    tree: &Tree,
    gathered: &Gathered,
    said: &mut Said,
) -> Result<(Done, Option<Change>), Stopped> {
    let mut done = run.compute(tree, gathered, said)?;
    let (out, diagnostics) = pipeline::out_edit(&tree.with(&done.edit));
    match out {
        Some(out) => done.edit = done.edit.then(out),
        // What cannot be rendered is no reason to forget what was learnt.
        None => {
            for diagnostic in diagnostics.into_iter().filter(Diagnostic::is_error) {
                let same =
                    |d: &Diagnostic| d.code == diagnostic.code && d.place == diagnostic.place;
                if !said.diagnostics.iter().any(same) {
                    said.diagnostics.push(diagnostic);
                }
            }
        }
    }
    if done.edit.is_empty() {
        return Ok((done, None));
    }
    let message = message(&done).map_err(|error| said.stop([error]))?;
    let change = Change {
        edit: done.edit.clone(),
        message,
    };
    Ok((done, Some(change)))
}

fn message(done: &Done) -> Result<String, Diagnostic> {
    let news = report::news(done, false);
    let subject = match news.as_slice() {
        [] => "Bring state and manifests up to date".to_owned(),
        [one] if one.len() <= 60 => format!("Discover {one}"),
        [first, rest @ ..] => {
            let name = first.split(':').next().unwrap_or(first);
            match rest.len() {
                0 => format!("Discover what is new about {name}"),
                count => format!("Discover what is new about {name} and {count} more"),
            }
        }
    };
    let discovery = Discovery {
        subject: &subject,
        news: &news,
        by: concat!("image-factory ", env!("CARGO_PKG_VERSION")),
    };
    Templates::new()
        .and_then(|templates| templates.render(&Text::DiscoverCommit(&discovery)))
        .map_err(|error| Diagnostic::error(code::TEXT_FAILED, error.to_string()))
}
