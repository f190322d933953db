//! Questions to who enrolls an image on a terminal.

use std::io::BufRead;

use image_factory::cli::Streams;
use image_factory::diagnostics::{Diagnostic, code};
use image_factory::enroll::{Entry, Source};

/// A line longer than this is no answer.
const LONGEST: u64 = 4096;

/// Asks for what is missing. An empty answer takes what stands in brackets.
pub(super) fn complete(
    entry: &mut Entry,
    input: &mut dyn BufRead,
    streams: &mut Streams<'_>,
) -> Result<(), Vec<Diagnostic>> {
    let mut ask = |question: &str, default: &str| ask(question, default, input, streams);
    let tags = entry.allow_tags.is_some() || entry.constraint.is_some();
    if entry.source.is_none() && !tags {
        let repo = ask(
            "Repository with its Dockerfile, OWNER/REPO (none: it is built elsewhere and only watched)",
            "",
        )?;
        if !repo.is_empty() {
            let dockerfile = ask("Dockerfile", "Dockerfile")?;
            let branch = ask("Branch", "main")?;
            let workflow = ask("Workflow that builds it", &format!("{}.yml", entry.name))?;
            let unless = |value: String, usual: &str| (value != usual).then_some(value);
            entry.source = Some(Source {
                repo,
                dockerfile: unless(dockerfile, "Dockerfile"),
                branch: unless(branch, "main"),
                workflow: unless(workflow, &format!("{}.yml", entry.name)),
                ..Source::default()
            });
        }
    }
    if entry.registry.is_none() {
        let managed = entry.source.is_some();
        let usual = if managed { "ghcr.io" } else { "docker.io" };
        let registry = ask("Registry", usual)?;
        entry.registry = (managed || registry != usual).then_some(registry);
    }
    if entry.repository.is_empty() {
        let usual = match &entry.source {
            Some(source) => {
                let owner = source.repo.rsplit_once('/').map_or("", |(owner, _)| owner);
                format!("{}/{}", owner.to_lowercase(), entry.name)
            }
            None => entry.name.clone(),
        };
        entry.repository = ask("Path of the image below its registry", &usual)?;
    }
    if entry.source.is_none() && entry.allow_tags.is_none() && entry.constraint.is_none() {
        let tags = ask(
            "Tags that count, as a pattern such as ^16-alpine$",
            "^latest$",
        )?;
        entry.allow_tags = Some(tags);
    }
    if entry.rebuild_delay.is_none() && entry.source.is_some() {
        let delay = ask(
            "How long after a change of a base image it is rebuilt",
            "7d",
        )?;
        entry.rebuild_delay = (delay != "7d").then_some(delay);
    }
    Ok(())
}

fn ask(
    question: &str,
    default: &str,
    input: &mut dyn BufRead,
    streams: &mut Streams<'_>,
) -> Result<String, Vec<Diagnostic>> {
    let shown = if default.is_empty() {
        String::new()
    } else {
        format!(" [{default}]")
    };
    streams.tell(&format!("{question}{shown}: "));
    let mut line = String::new();
    let read = std::io::Read::take(&mut *input, LONGEST).read_line(&mut line);
    if !matches!(read, Ok(bytes) if bytes > 0) {
        let message = "there are no more answers";
        return Err(vec![Diagnostic::error(code::FLAG_MISSING, message).help(
            "answer the questions, or say all by flags: `image-factory enroll --help`",
        )]);
    }
    let answer = line.trim();
    Ok(if answer.is_empty() { default } else { answer }.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(entry: &mut Entry, answers: &str) -> (Result<(), Vec<Diagnostic>>, String) {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let mut streams = Streams {
            out: &mut out,
            err: &mut err,
            terminal: true,
        };
        let done = complete(entry, &mut answers.as_bytes(), &mut streams);
        (done, String::from_utf8(err).unwrap())
    }

    fn named(name: &str) -> Entry {
        Entry {
            name: name.to_owned(),
            ..Entry::default()
        }
    }

    #[test]
    fn empty_answers_take_the_defaults_and_write_none() {
        let mut entry = named("web");
        let (done, questions) = asked(&mut entry, "Acme/Shop\n\n\n\n\n\n\n");
        assert!(done.is_ok());
        assert_eq!(
            entry.text(),
            "- name: web\n  registry: ghcr.io\n  repository: acme/web\n  source:\n    repo: Acme/Shop\n"
        );
        assert!(
            questions.contains("Workflow that builds it [web.yml]: "),
            "{questions}"
        );
    }

    #[test]
    fn without_a_source_the_tags_are_asked_for() {
        let mut entry = named("redis");
        let (done, _) = asked(&mut entry, "\n\n\n^7$\n");
        assert!(done.is_ok());
        assert_eq!(
            entry.text(),
            "- name: redis\n  repository: redis\n  allowTags: ^7$\n"
        );
    }

    #[test]
    fn what_flags_say_is_not_asked_and_an_end_is_no_answer() {
        let mut entry = named("redis");
        entry.constraint = Some("^7".to_owned());
        entry.registry = Some("quay.io".to_owned());
        let (done, questions) = asked(&mut entry, "a/redis");
        assert!(done.is_ok());
        assert_eq!(questions.matches(": ").count(), 1, "{questions}");
        assert!(asked(&mut named("x"), "").0.is_err());
    }
}
