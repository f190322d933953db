//! `enrollment`: the copy of an image's entry, with defaults filled in.

use crate::model::{
    Builder, Criticality, DiscoveryStatus, Duration, Image, Local, Parse as _, Provider,
    SOURCE_KEYS, Source, Update, UpdateKind, UpdateType, Verify,
};

use super::Mending;
use super::decode::{File, Map};
use super::image::{ImageDoc, Warehouse};
use super::raw::{Entries, Raw};

/// The keys that a copy can have. Others are kept.
const KEYS: &[&str] = &[
    "registry",
    "repository",
    "source",
    "rebuildDelay",
    "autoRebuild",
    "updates",
    "platforms",
    "criticality",
    "build",
    "schedule",
    "maxAge",
    "verify",
    "local",
    "title",
    "description",
    "owner",
    "system",
    "lifecycle",
];

/// Reads the copy as it stands; the text `None` in a key of ours becomes null.
pub(super) fn read(file: &mut File<'_>, map: &Map<'_, '_>) -> Entries {
    let mut copy = file.entries(map, "enrollment");
    mend(file, &mut copy, KEYS, "enrollment.");
    if let Some(Raw::Map(source)) = copy.get_mut("source") {
        mend(file, source, SOURCE_KEYS, "enrollment.source.");
    }
    copy
}

fn mend(file: &mut File<'_>, copy: &mut Entries, keys: &[&str], prefix: &str) {
    for (key, value) in &mut copy.0 {
        if keys.contains(&key.as_str()) && value.as_str() == Some("None") {
            file.mend(Mending::NoneText(format!("{prefix}{}", key.as_str())));
            *value = Raw::null();
        }
    }
}

impl ImageDoc {
    /// Copies the configuration of the enrolled image. Whether it is managed decides
    /// what belongs into the file: an external image has what Kargo watches, a
    /// managed one its source and `rebuildState`. Keys of an older copy that are
    /// not ours stay, and so does the spelling of what means the same.
    pub fn set_enrollment(&mut self, image: &Image) {
        let older = std::mem::take(&mut self.enrollment);
        self.enrollment = copy(image, older);
        if image.is_managed() {
            self.warehouse = Warehouse::default();
            self.rebuild_state.get_or_insert_default();
            if self.status == DiscoveryStatus::External {
                self.status = DiscoveryStatus::Pending;
            }
        } else {
            self.warehouse = Warehouse::new(image.repo_url.url(), Some(&image.watch));
            self.bases = Some(Vec::new());
            self.status = DiscoveryStatus::External;
            self.discovery_error = None;
        }
    }
}

/// A copy in the making: ours first, in our order, then what else was there.
struct Copy {
    older: Entries,
    made: Entries,
}

impl Copy {
    const fn new(older: Entries) -> Self {
        Self {
            older,
            made: Entries::new(),
        }
    }

    /// A key that is always there.
    fn put(&mut self, key: &'static str, value: Raw) {
        match self.older.remove(key) {
            Some(older) if older.means(&value) => self.made.add(key, older),
            _ => self.made.add(key, value),
        }
    }

    fn text(&mut self, key: &'static str, value: impl AsRef<str>) {
        self.put(key, Raw::text(value.as_ref()));
    }

    /// A key that is left out where it has its default. An older copy may say
    /// the default, or null.
    fn unless(&mut self, key: &'static str, default: Option<&Raw>, value: Option<Raw>) {
        match value.filter(|value| Some(value) != default) {
            Some(value) => self.put(key, value),
            None => {
                let older = self.older.remove(key);
                if let Some(older) = older
                    && (older.is_null() || default.is_some_and(|default| older.means(default)))
                {
                    self.made.add(key, older);
                }
            }
        }
    }

    fn optional<T: ToString>(&mut self, key: &'static str, value: Option<&T>) {
        self.unless(key, None, value.map(|value| Raw::text(value.to_string())));
    }

    fn or_default(&mut self, key: &'static str, default: &str, value: &str) {
        self.unless(key, Some(&Raw::text(default)), Some(Raw::text(value)));
    }

    /// A duration: `24h` stays, where `1d` is meant.
    fn duration(&mut self, key: &'static str, value: Duration) {
        let same = self.older.text(key).map(Duration::parse) == Some(Ok(value));
        match self.older.remove(key) {
            Some(older) if same => self.made.add(key, older),
            _ => self.made.add(key, Raw::text(value.to_string())),
        }
    }

    fn list<T: AsRef<str>>(&mut self, key: &'static str, items: &[T]) {
        let none = Raw::List(Vec::new());
        self.unless(key, Some(&none), Some(Raw::texts(items)));
    }

    fn finish(self) -> Entries {
        let mut made = self.made;
        made.add_all(&self.older);
        made
    }
}

fn copy(image: &Image, older: Entries) -> Entries {
    let mut copy = Copy::new(older);
    copy.text("registry", image.repository.registry());
    copy.text("repository", image.repository.path());
    match image.source() {
        Some(from) => {
            let older = match copy.older.remove("source") {
                Some(Raw::Map(older)) => older,
                _ => Entries::new(),
            };
            let given = image.fields.has("source.url");
            copy.made
                .add("source", Raw::Map(source(from, given, older)));
        }
        None => {
            copy.older.remove("source");
        }
    }
    copy.duration("rebuildDelay", image.rebuild_delay);
    copy.put("autoRebuild", Raw::bool(image.auto_rebuild));
    let updates = Raw::List(image.updates.iter().map(update).collect());
    copy.unless("updates", Some(&Raw::List(Vec::new())), Some(updates));
    copy.list("platforms", &image.platforms);
    let normal = Criticality::Normal.as_str();
    copy.or_default("criticality", normal, image.criticality.as_str());
    let workflow = Builder::Workflow.as_str();
    copy.or_default("build", workflow, image.build.as_str());
    copy.optional("schedule", image.schedule.as_ref());
    match image.max_age {
        Some(age) => copy.duration("maxAge", age),
        None => copy.unless("maxAge", None, None),
    }
    copy.unless("verify", None, image.verify.as_ref().map(verify));
    copy.unless("local", None, image.local.as_ref().map(local));
    copy.optional("title", image.about.title.as_ref());
    copy.optional("description", image.about.description.as_ref());
    copy.optional("owner", image.about.owner.as_ref());
    copy.optional("system", image.about.system.as_ref());
    copy.optional("lifecycle", image.about.lifecycle.as_ref());
    copy.finish()
}

fn source(source: &Source, url_given: bool, older: Entries) -> Entries {
    let mut copy = Copy::new(older);
    copy.text("provider", source.provider.as_str());
    copy.text("repo", source.repo.as_str());
    copy.optional("url", url_given.then_some(&source.git_url));
    copy.text("branch", source.branch.as_str());
    copy.text("dockerfile", source.dockerfile.as_str());
    copy.or_default("context", ".", source.context.as_str());
    copy.optional("target", source.target.as_ref());
    let mut arguments = Entries::new();
    for (name, value) in &source.build_args {
        arguments.put(name.as_str(), Raw::text(value.as_str()));
    }
    copy.unless(
        "buildArgs",
        Some(&Raw::Map(Entries::new())),
        Some(Raw::Map(arguments)),
    );
    match source.provider {
        Provider::GitHub => {
            copy.text("workflow", source.workflow.as_str());
            copy.optional::<String>("pipeline", None);
        }
        Provider::GitLab => {
            copy.optional::<String>("workflow", None);
            copy.text("pipeline", source.pipeline.as_str());
        }
    }
    copy.optional("job", source.job.as_ref());
    let inputs = source.inputs.as_ref();
    copy.unless(
        "inputs",
        None,
        inputs.map(|inputs| Raw::texts(inputs.iter().map(|input| input.as_str()))),
    );
    copy.finish()
}

fn update(update: &Update) -> Raw {
    let mut entry = Entries::new();
    entry.add_text("repo", Some(&update.repo));
    if update.branch.as_str() != "main" {
        entry.add_text("branch", Some(&update.branch));
    }
    entry.add_text("path", Some(&update.path));
    match &update.kind {
        UpdateKind::Kustomize => entry.add_text("type", Some(&UpdateType::Kustomize)),
        UpdateKind::Yaml { key } => {
            entry.add_text("type", Some(&UpdateType::Yaml));
            entry.add_text("key", Some(key));
        }
    }
    if update.pull_request {
        entry.add("pullRequest", Raw::bool(true));
    }
    Raw::Map(entry)
}

fn verify(verify: &Verify) -> Raw {
    let mut entry = Entries::new();
    match verify {
        Verify::Key(path) => entry.add_text("key", Some(path)),
        Verify::Keyless { identity, issuer } => {
            entry.add_text("identity", Some(identity));
            entry.add_text("issuer", Some(&issuer.as_str()));
        }
    }
    Raw::Map(entry)
}

fn local(local: &Local) -> Raw {
    let mut entry = Entries::new();
    entry.add_some("dir", local.dir.as_ref());
    entry.add_some("dockerfile", local.dockerfile.as_ref());
    if !local.patch_files.is_empty() {
        entry.add("patchFiles", Raw::texts(&local.patch_files));
    }
    entry.add_some("versionFile", local.version_file.as_ref());
    Raw::Map(entry)
}
