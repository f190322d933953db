//! The one table of all codes.
//!
//! To add a code, add an entry to the table below, in the order of the ids, in
//! the range of its layer, and run the tests with `UPDATE_GOLDEN=1`, which
//! rewrites `docs/codes.md`. An id, once released, never changes its meaning.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

/// The rule behind a diagnostic: a stable id, a title, and what there is to
/// know about it. The constants of [`mod@code`] are all there are.
#[derive(Clone, Copy)]
pub struct Code(&'static Entry);

struct Entry {
    id: &'static str,
    title: &'static str,
    explanation: &'static str,
}

impl Code {
    /// `IF001` and so on.
    #[must_use]
    pub const fn id(self) -> &'static str {
        self.0.id
    }

    /// A few words that name the rule.
    #[must_use]
    pub const fn title(self) -> &'static str {
        self.0.title
    }

    /// What it means, why it is refused and how to mend it; Markdown.
    #[must_use]
    pub const fn explanation(self) -> &'static str {
        self.0.explanation
    }

    /// The code with this id, in any case: `IF001`, `if001`.
    #[must_use]
    pub fn find(id: &str) -> Option<Self> {
        ALL.iter()
            .copied()
            .find(|code| code.id().eq_ignore_ascii_case(id))
    }
}

impl PartialEq for Code {
    fn eq(&self, other: &Self) -> bool {
        self.id() == other.id()
    }
}
impl Eq for Code {}
impl PartialOrd for Code {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Code {
    fn cmp(&self, other: &Self) -> Ordering {
        self.id().cmp(other.id())
    }
}
impl Hash for Code {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.id().hash(state);
    }
}
impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}
impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

macro_rules! codes {
    ($($name:ident = $id:literal, $title:literal: $explanation:literal;)*) => {
        /// One constant for each code.
        pub mod code {
            use super::{Code, Entry};
            $(
                #[doc = concat!("`", $id, "`: ", $title, ".")]
                pub const $name: Code = Code(&Entry { id: $id, title: $title, explanation: $explanation });
            )*
        }
        /// All codes in the order of their ids.
        pub const ALL: &[Code] = &[$(code::$name),*];
    };
}

// Ranges: 001 files and YAML, 020 images.yaml, 060 state, 080 graph,
// 100 manifests, 150 the commands, 220 what is recorded in state, 270 registries.
// 100 manifests, 150 the commands, 250 git.
codes! {
    YAML_SYNTAX = "IF001", "not YAML":
        "The file cannot be read as YAML from this place on. Often an indentation, a missing space after `:`, \
         or a value that needs quotes because it begins with one of `@ % & * ! | > { [`. Nothing after this place \
         in the same file has been looked at.";
    DUPLICATE_KEY = "IF002", "key given twice":
        "A map names the same key twice. Readers disagree on which one counts, so neither is taken. Keep one.";
    SECOND_DOCUMENT = "IF003", "more than one YAML document":
        "The file goes on after a line `---` or `...`. A file of ours holds one document; what follows would be \
         ignored in silence by some readers. Remove the line, or move the rest to a file of its own.";
    YAML_LIMIT = "IF004", "too much YAML":
        "The file is larger, nested deeper, or expands its aliases further than any enrollment needs. It is refused \
         so that a file cannot exhaust the memory of what reads it. Split it: `images.d/` takes any number of files.";
    YAML_UNSUPPORTED = "IF005", "YAML that has no place here":
        "Tags (`!something`) and keys that are lists or maps are not used by any of our formats. Write the plain value.";
    UNREADABLE = "IF006", "file that cannot be read":
        "The system does not let the file be read, or it is a folder, a pipe or a device where a regular file \
         belongs. Nothing is rendered from half of the inputs, so this stops the run.";
    NOT_TEXT = "IF007", "file that is not text":
        "Enrollment and state are UTF-8 text. The file holds bytes that are none: it was saved in another encoding, \
         or is no YAML at all. Save it as UTF-8, or remove it from the folder.";
    SYMLINK_OUTSIDE = "IF008", "symbolic link out of the root":
        "Symbolic links are followed within the root only. A repository could otherwise have any file of the machine \
         read, or written, by whoever runs `synth` on it.";
    ENROLLMENT_MISSING = "IF009", "no images.yaml":
        "images.yaml says which images there are; without it there is nothing to render. It is looked for in the \
         folder that `--root` names, else in the current folder and those above it. `IMAGES_YAML` may name another file.";

    WRONG_TYPE = "IF010", "wrong type":
        "A value has another type than its key takes: a list where a text belongs, `yes` where `true` or `false` \
         belongs. YAML takes `true`, `false`, numbers and `null` for what they look like unless quoted.";
    UNKNOWN_KEY = "IF011", "unknown key":
        "No key of this name exists at this place. It is refused, not ignored, because a misspelt setting would \
         otherwise be lost in silence. docs/images-yaml.md lists all keys.";
    MISSING_KEY = "IF012", "missing key":
        "A key that has no default is not there, or has no value.";

    FILE_IGNORED = "IF013", "file that is not read":
        "Only files that end in `.yaml` are read. This one ends in `.yml`, so what it says has no effect. Rename it.";

    INVALID_NAME = "IF020", "name that cannot be used":
        "The name of an image becomes the name of its state file and of Kubernetes objects, so it is a DNS label: \
         1 to 63 of `a-z`, `0-9` and `-`, beginning and ending with a letter or digit.";
    DUPLICATE_NAME = "IF021", "name used twice":
        "Two entries have the same name, in one file or in several. State and manifests are kept by name, so one \
         would overwrite the other. Rename one of them.";
    INVALID_REGISTRY = "IF022", "registry that cannot be used":
        "A registry is a host with an optional port, such as `ghcr.io` or `registry.example.com:5000`: no scheme, \
         no path, no blanks.";
    INVALID_REPOSITORY = "IF023", "repository that cannot be used":
        "A repository is the path of an image below its registry, such as `owner/app`: parts of lower-case letters \
         and digits, with `.`, `_`, `__` or `-` between them, joined by `/`; no tag, no digest, no host. Kargo's own \
         rule is narrower than the registry's in one point: no two dashes in a row.";
    INVALID_REPO_URL = "IF024", "image address that cannot be used":
        "`repoURL` is `registry/repository` as Kargo subscribes to it: no scheme, no tag, no digest.";
    INVALID_DURATION = "IF025", "duration that cannot be used":
        "A duration is a whole number and a unit: `30m`, `24h`, `7d`. Signs, fractions, blanks, several units and \
         more than 10 years are refused.";
    INVALID_PATTERN = "IF026", "pattern that cannot be used":
        "A tag pattern is matched by Kargo with Go's regular expressions and by us with Rust's. Only what both \
         understand in the same way is taken: no look-around, no back-references, no counts over 1000, no stacked \
         repeats such as `a**`, no nested brackets or set operations. A tag is matched anywhere in it unless the \
         pattern is anchored by `^` and `$`.";
    INVALID_CONSTRAINT = "IF027", "constraint that cannot be used":
        "With the strategy `SemVer` a constraint is a range of versions, such as `^1.2`, `>=1.4.0 <2.0.0` or `~3.1`; \
         with `Digest` it is the tag to follow. Kargo ignores it with the other strategies, so it is refused there.";
    INVALID_CHOICE = "IF028", "value that is not one of the choices":
        "The key takes one of a fixed list of words, spelt exactly.";
    INVALID_PATH = "IF029", "path that cannot be used":
        "Paths are relative to the repository they are about, with `/` between their parts. Absolute paths, `..`, \
         backslashes, control characters, and a leading `-` are refused: they would lead out of the repository or \
         be taken for an option.";
    INVALID_SOURCE_REPO = "IF030", "source repository that cannot be used":
        "`source.repo` is `owner/repository` as in the address of the repository, on GitLab with any number of \
         groups. The host belongs to `source.url` or to the provider's settings.";
    INVALID_BRANCH = "IF031", "branch that cannot be used":
        "The branch must be a name that git allows and that Kargo's subscriptions take: letters, digits and `.`, `_`, \
         `/`, `-`, beginning with a letter or digit, without `..`, `//` or a part that ends in `.lock` or a dot.";
    INVALID_WORKFLOW = "IF032", "workflow or pipeline file that cannot be used":
        "A GitHub workflow is the name of a file in `.github/workflows`, ending in `.yml` or `.yaml`, without a \
         folder. A GitLab pipeline is a path in the repository ending the same way.";
    INVALID_URL = "IF033", "URL that cannot be used":
        "A URL here is `https://host/path` without user, password, query or fragment: credentials belong into the \
         Secrets that `settings.secrets` names. Plain `http://` is taken for loopback addresses only.";
    INVALID_PLATFORM = "IF034", "platform that cannot be used":
        "A platform is `os/architecture` or `os/architecture/variant` in lower case: `linux/amd64`, `linux/arm64`.";
    INVALID_SCHEDULE = "IF035", "schedule that cannot be used":
        "A schedule has the five fields of cron: minute, hour, day of month, month, day of week. Each is `*`, a \
         number, a range `a-b`, a list of those joined by `,`, each with an optional `/step`. Months and days of the \
         week may be given by their three letters, and `@hourly`, `@daily`, `@weekly`, `@monthly`, `@yearly` stand for themselves.";
    INVALID_TIME = "IF036", "time that cannot be used":
        "A time is RFC 3339 with an offset: `2026-12-20T00:00:00Z` or `2026-12-20T00:00:00+01:00`. A freeze must \
         end after it begins.";
    INVALID_NUMBER = "IF037", "number out of bounds":
        "The key takes a whole number within bounds.";
    MISSING_SELECTION = "IF038", "no tags to watch":
        "An external image needs `allowTags` (a pattern) or `constraint` (a range of versions, or a tag with the \
         strategy `Digest`). Without it every tag ever pushed would count as an update.";
    MISSING_GIT_REPO = "IF039", "settings.git.repo is missing":
        "Kargo's Stages and our Jobs clone the repository that holds images.yaml and state/. Its address cannot be \
         guessed, so `settings.git.repo` must be given.";
    IGNORED_KEY = "IF040", "key without effect":
        "The key is known, but has no effect beside the other keys of the same entry. Remove it, or complete what \
         it belongs to.";
    OLD_SPELLING = "IF041", "older spelling":
        "`enrollment:` around `registry`, `repository` and `source` is an older spelling. It is still read; write the \
         keys at the top of the entry.";
    CONFLICTING_KEYS = "IF042", "keys that contradict each other":
        "Two keys of one entry cannot both hold.";
    SHARED_REPOSITORY = "IF043", "two managed images in one repository":
        "Two managed images push to the same registry and repository. A `FROM` of it is taken for the first of them, \
         and the newest tag of one may be an image of the other. Give each image its own repository.";
    INVALID_SETTING = "IF044", "setting that cannot be used":
        "A name in `settings` is not of the form its use demands: the project and Secrets have names of Kubernetes \
         objects, a `tokenEnv` has the name of an environment variable.";
    INVALID_IMAGE = "IF045", "image reference that cannot be used":
        "An image reference is `registry/repository:tag`, `…@sha256:…` or both. Where a Job runs it, it must be \
         pinned by a tag other than `latest` or by a digest.";
    SHORT_INTERVAL = "IF046", "interval shorter than Kargo's":
        "Kargo looks at a Warehouse no more often than its own `minReconciliationInterval` says, five minutes unless its \
         installation says otherwise, and raises a shorter interval to that in silence. Registries count requests; webhooks \
         are how a change is seen at once.";

    STATE_MISPLACED = "IF060", "state file in the wrong place":
        "The file is not what its folder and name say: `state/images/NAME.yaml` and `state/base-images/NAME.yaml` \
         hold the image, or base image, called NAME. State found under another name would belong to no image, or to \
         the wrong one. Rename or move the file, or delete it: `image-factory discover` writes it anew.";
    STATE_NOT_ENROLLED = "IF061", "state of an image that is not enrolled":
        "A file in `state/images` has no entry in images.yaml. It has no effect. Enroll the image again, or run \
         `image-factory discover`, which moves the state of removed images to `state/_archive`.";
    NEVER_DISCOVERED = "IF062", "image that was never discovered":
        "The base images of a managed image are found in its Dockerfile by `image-factory discover NAME`. Until that \
         has run, nothing is known to watch for it, and its manifests have no base to follow.";
    DISCOVERY_STALE = "IF063", "discovery is older than the entry":
        "The entry in images.yaml names another source, branch, Dockerfile, build stage or build arguments than those \
         from which the base images were found. The manifests follow the entry, but may wait for the wrong base \
         images until `image-factory discover NAME` has run.";
    BASE_STATE_MISSING = "IF064", "base image without state":
        "An image depends on a base image that has no file in `state/base-images`, so nobody knows which registry and \
         tag to watch. Run `image-factory discover NAME`, or restore the file.";
    NAME_CLASH = "IF065", "one name for two things":
        "A base image and an enrolled image have the same name but are different images. Their Kubernetes objects \
         would overwrite each other. Rename the entry in images.yaml.";
    INVALID_REFERENCE = "IF066", "state names an image that cannot be":
        "The registry, repository, tag or digest in a state file is not one that a registry can hold. The file was \
         edited by hand or damaged. Delete it and run `image-factory discover`, or restore it from git.";
    DISCOVERY_FAILED = "IF067", "last discovery failed":
        "The Dockerfile could not be analysed the last time, so the base images are those found before that. \
         Run `image-factory discover NAME` and follow what it says.";
    STATE_IS_DEFINITION = "IF068", "Kubernetes object among the state files":
        "The file is an ImageDefinition, or another Kubernetes object, not a state file. Definitions are applied to \
         the cluster, or enrolled in images.yaml; the state folders hold only what `image-factory` writes.";
    SHARED_BASE = "IF069", "one image in two base files":
        "Two files in `state/base-images` describe the same reference. Both would watch the same tag. Delete the one \
         with the longer name and run `image-factory discover`.";
    BASE_UNUSED = "IF070", "base image that nothing needs":
        "No enrolled image is built on this base image any more, but its file is still in `state/base-images`, so it \
         is still watched. `image-factory discover` moves it to `state/_archive`, and its manifests go.";

    DEPENDENCY_CYCLE = "IF080", "images that depend on each other in a circle":
        "Each of the named images is built on the next, and the last on the first. No order exists in which to \
         rebuild them, and a rebuild would never end. Break the circle in one of the Dockerfiles.";

    OBJECT_INCOMPLETE = "IF100", "object without a name or kind":
        "A Kubernetes object needs `apiVersion`, `kind` and `metadata.name`; one that is rendered here lacks them.";
    OBJECT_INVALID = "IF101", "object that a cluster would refuse":
        "Something in the object breaks a rule that the API server applies to every object: the form of its name, \
         namespace or labels, a namespace on what belongs to the cluster, or a number that JSON does not know.";
    DUPLICATE_OBJECT = "IF102", "object rendered twice":
        "Two objects have the same kind, namespace and name. A cluster would keep the one that is applied last. \
         Rename or remove one of them.";
    DUPLICATE_FILE = "IF103", "file rendered twice":
        "Two files of the output have the same path, or differ in capitals only, which some file systems take for \
         the same. Rename a chart or an object.";
    DEPENDENCY_INVALID = "IF104", "dependency that gives no order":
        "Objects or charts depend on each other in a circle, or on what is not rendered. The message names all \
         members of the circle. Take one dependency away.";
    INCLUDE_INVALID = "IF105", "included YAML that cannot be read":
        "A text that a chart includes is not YAML of Kubernetes objects. The message gives its line.";
    PATCH_FAILED = "IF106", "patch that does not apply":
        "A JSON patch names a path that the object does not have, tests for a value that is not there, or removes \
         what every object needs. The object may have changed since the patch was written.";
    CHART_INVALID = "IF107", "chart, file name or mark that cannot be used":
        "A chart's name is a DNS label and unique in its app; the path of a file is relative and stays inside of the \
         output folder; the mark in the first line of each file is a YAML comment.";

    TEXT_FAILED = "IF108", "text that cannot be filled in":
        "A text of `templates/` lacks a value. The build checks them, so this is a fault of the program; please report it.";

    SCHEMA_VIOLATION = "IF120", "object that breaks its schema":
        "The API server, a webhook of Kargo or the step itself would refuse this value: the schema of the kind, one \
         of its CEL rules, or the schema of a subscription or promotion step says otherwise.";
    MISSING_REFERENCE = "IF121", "reference to what is not rendered":
        "A Stage names a Warehouse, Stage, AnalysisTemplate or promotion task that is not among the manifests, or a \
         Stage that never has its Freight. Kargo accepts that, and then waits for ever or fails at run time.";
    FREIGHT_SOURCES = "IF122", "Freight that never arrives":
        "The sources of a requested Freight contradict each other, or admit none. Kargo accepts that without a word.";
    NEVER_SOAKS = "IF123", "soak that never ends":
        "Freight soaks only in a Stage with promotion steps: not in its Warehouse, and not in a control-flow Stage, \
         which passes everything on at once.";
    STAGE_CYCLE = "IF124", "Stages that wait for each other":
        "Each of the Stages takes Freight from the next, and the last from the first, so none ever gets any.";
    SUBSCRIPTION_TWICE = "IF125", "repository subscribed to twice":
        "A Warehouse may hold one subscription a repository. Kargo's own check for that never fires; every Freight \
         is refused afterwards.";
    DEAD_FIELD = "IF126", "field that fails discovery":
        "Kargo still accepts `allowTags` and `ignoreTags`, but since 1.11 discovery fails with them.";
    UNREADABLE_PATTERN = "IF127", "pattern that Kargo cannot read":
        "Kargo reads patterns with Go's RE2 when it looks for artifacts, and fails then. Only what RE2 and Rust's regex \
         crate read alike is taken.";
    STEP_INVALID = "IF128", "promotion step that cannot run":
        "Two steps have one alias, or an alias of the form that Kargo gives to steps without one.";
    EXPRESSION_INVALID = "IF129", "expression without a value":
        "Kargo evaluates `${{ }}` when a Promotion or verification runs. This one is not closed, or asks for an image \
         that none of the Stage's Warehouses subscribes to; Kargo compares the texts as they are written.";
    ARGUMENT_INVALID = "IF130", "verification with wrong arguments":
        "An argument that no template declares is dropped without a word; one that a template declares and nobody \
         gives makes every verification fail.";
    METRIC_INVALID = "IF131", "metric that cannot run":
        "Argo Rollouts has no admission webhook: what it does not like about a metric it says when a run begins.";
    POLICY_INVALID = "IF132", "promotion policy that does not match":
        "A policy of the ProjectConfig decides about no Stage, or a Stage that asks for automatic promotion has none. \
         The first policy that matches a Stage decides.";
    WATCHES_ITSELF = "IF133", "Warehouse that sees our own commits":
        "The Warehouse watches the repository that state and manifests are committed to, without leaving these folders \
         out. Each analysis would make a commit, each commit Freight, and each Freight an analysis.";

    NOT_GENERATED = "IF150", "file in the way that is not ours":
        "A file of this name stands in the out folder and does not begin with the line that marks what `synth` wrote. \
         Somebody wrote it by hand, so it is not overwritten. Move it away, rename it, or delete it.";
    OUT_UNUSABLE = "IF151", "out folder that cannot be used":
        "The folder that manifests are written to, or something in it, is not what it has to be: it cannot be read or \
         written, the disk is full, or a symbolic link or folder stands where a file belongs. Files are written \
         beside their target first and put in place together, so what stood there before still stands.";
    BUSY = "IF152", "another run is at work":
        "Two runs on one tree would mix their files, so the second waits for the first, and gives up after some \
         seconds. If nothing else runs, look for a process that holds a lock on the folder (`flock`).";
    REVISION = "IF153", "revision that cannot be compared with":
        "`--against` takes what git takes for a commit: a branch, a tag, `HEAD~2`, an id. It needs the git program, \
         and an out folder inside the repository.";

    DOCKERFILE_INVALID = "IF200", "Dockerfile that no build would take":
        "BuildKit, which is what `docker build` runs, would refuse the file before it pulls anything. \
         The message says why, the place is where it would stop.";
    DOCKERFILE_REFERENCE = "IF201", "Dockerfile with an impossible image reference":
        "What FROM, COPY --from or a mount names is neither a stage of the file nor a reference to an image. A build \
         refuses it even in a stage that nothing needs.";
    DOCKERFILE_TARGET = "IF202", "build stage that the Dockerfile lacks":
        "The stage to build, `source.target` in images.yaml or `--target`, is the name of no stage. Case does not count.";
    DOCKERFILE_TOO_LARGE = "IF203", "Dockerfile too large to be one":
        "The file is larger than anything a builder takes. It is not read.";

    STATE_MENDED = "IF220", "state of an older program, mended":
        "The file was written by an older program that escaped patterns twice, wrote the text `None` for null, left \
         keys out, or had other words for a status. It was read as it was meant, and is written as it should be; \
         that happens once. Nothing is to be done but to commit the file.";
    RECORD_UNKNOWN = "IF221", "name of which nothing is recorded":
        "Digests are recorded of base images, which `discover` finds in Dockerfiles, and of enrolled external images; \
         builds are recorded of enrolled managed images. The name is none of them. If a Kargo Stage still asks for it, \
         the manifests in the cluster are older than the state: apply `dist/`.";
    RECORD_MANAGED = "IF222", "digest of an image of our own":
        "What we build ourselves is recorded by `image-factory analyze`, which also reads the Dockerfile. To have the \
         digest of an own image recorded that others are built on, name the base image, not the image.";
    RECORD_EXTERNAL = "IF223", "build of an external image":
        "An external image has no source and no Dockerfile, so there is nothing to analyse. Record its digest with \
         `image-factory record`, or give its entry a `source.repo` if we build it now.";
    RECORD_MISFIT = "IF224", "digest that is not of this base image":
        "A base image is one reference. Its tag never becomes another tag, and a reference that is pinned by digest \
         alone never changes; a digest that was found elsewhere is not recorded for it.";
    CLOCK_BEHIND = "IF225", "clock behind a recorded time":
        "What happens later gets the later time. State holds a time that has not come yet by the clock of this \
         machine, so one of the two is wrong. The recorded time is used for the new entry too, so that the order \
         stays right; delays that count from it end later than they should. Attempts to rebuild are ordered by their numbers: \
         a new one gets the time by the clock, and nothing waits for a recorded time of one that has not come yet.";
    BUILD_OLDER = "IF226", "older build, analysed late":
        "Analyses run as Jobs, which can be delayed. The build says that it was created before the one that is \
         recorded, and its tag is no higher version, so it changes nothing. To go back to an older build on purpose, \
         publish it under a higher version.";
    NOT_RENDERED = "IF227", "manifests not rendered with a commit":
        "What is recorded is committed together with the manifests that follow from it. These could not be rendered, \
         because something else is wrong in images.yaml or in state. The state was committed alone, so that nothing \
         that was learnt is lost. Run `image-factory synth`, mend what it tells, and commit `dist/`.";

    DOCKERFILE_NOT_FOUND = "IF235", "Dockerfile that cannot be read":
        "The repository, the branch or the file that the entry's `source` names could not be had. The image is recorded \
         as `failed` with the reason, keeps the base images that it had, and the other images go on. Mend `source` in \
         images.yaml, or the repository, and run `image-factory discover NAME`.";
    BASE_UNRESOLVED = "IF236", "base image that depends on a variable without value":
        "A FROM, COPY or mount names its image by a variable that has no value: no default in an ARG before the first \
         FROM, and no build argument in images.yaml. That base image is not known and not watched; all others are.";
    BASE_PINNED = "IF237", "base image pinned by digest alone":
        "What is named by digest without a tag can never change, so there is nothing to watch and nothing to rebuild \
         for. With `name:tag@sha256:…` the tag is watched, and a pin that it has left behind is told.";
    BASE_NOT_WATCHED = "IF238", "base image that Kargo cannot subscribe to":
        "A build can pull the image, but Kargo refuses to watch it: its registry is an IPv6 address or has capitals, or \
         its name has two dashes in a row. It is listed among the base images without `repoURL` and `allowTags`, and \
         nothing tells when it changes. Another name for the registry, or a mirror, can be watched.";
    BASE_PIN_OUTDATED = "IF239", "base image pinned to an older digest":
        "The Dockerfile names a tag and a digest, and the tag has moved on to another one. A build takes the digest, so \
         a rebuild changes nothing until the Dockerfile names the new one.";
    ARCHIVE_OF_ANOTHER = "IF240", "archived state of another image":
        "An image of this name was enrolled before and archived, but it lived in another registry or repository; or the \
         `registry` or `repository` of its entry was changed. Its history is not that of the image that is enrolled now, \
         which begins anew; the old file is in the archive.";
    IMAGE_NOT_ENROLLED = "IF241", "image that is not enrolled":
        "The command names an image that has no entry in images.yaml. Nothing was done.";
    CHECKOUT_UNUSABLE = "IF242", "checkout that cannot be used":
        "`--source OWNER/REPO=DIR` names a folder that is not there, or a repository that no enrolled image is built \
         from. Nothing was done.";

    SOURCE_NO_ACCESS = "IF250", "source repository without access":
        "The server knows no such repository, or does not show it to us: hosts give the same answer to both, so as to \
         keep private names private. See the address, and which token goes to this host: `GITHUB_TOKEN` and \
         `GITLAB_TOKEN` (or what `settings.providers` names) go to the host of their provider and to no other; \
         credential helpers of git's serve the rest. docs/git.md has the table.";
    SOURCE_NO_BRANCH = "IF251", "no such branch or commit":
        "The source repository has no such branch, or no longer has the commit that was asked for. Only branches are \
         looked up, no tags.";
    SOURCE_NO_FILE = "IF252", "no such file in the source":
        "The path leads to no regular file in the source repository at this commit. It counts from the top of the \
         repository. Symbolic links are followed within the repository only, submodules are not read, and a file \
         beyond 64 MiB is no Dockerfile.";
    SOURCE_SERVER = "IF253", "source server that fails":
        "The server of the source repository cannot be reached, takes too long, cannot be trusted, or answers what no \
         git server answers. What may be over a moment later has been tried several times with growing pauses.";
    SOURCE_ENVIRONMENT = "IF254", "git that cannot be used here":
        "Reading other repositories needs the git program in `PATH`, version 2.31 or newer, and a folder for its \
         cache: `IMAGE_FACTORY_CACHE`, else `image-factory` in `XDG_CACHE_HOME` or `~/.cache`.";

    GIT_FAILED = "IF259", "git that fails in the checkout":
        "Git could not do in the factory's checkout what a commit needs: read an object, write one, sign it, move the \
         branch. Its own words stand in the message. Nothing was changed. Signing fails where `commit.gpgsign` is set \
         and the key cannot be used without a person: give the one who commits a key without a passphrase, or an agent.";
    UNCOMMITTED = "IF260", "uncommitted changes in the way":
        "With `--commit`, everything is computed from the commit that the branch is at, never from the files on the \
         disk, so that it can be computed again when somebody else was faster. Files that are changed on the disk only \
         would be passed over or overwritten. Commit them, or put them back: `git restore PATH`.";
    OTHER_BRANCH = "IF261", "checkout on another branch":
        "`--push` publishes to the branch that `settings.git.branch` names (`main` if it names none), and the checkout \
         has to be on it, so that it can follow. Switch to it, or commit without `--push` on the branch that you are on.";
    PULL_FIRST = "IF262", "checkout and remote have parted":
        "The checkout has commits that the remote branch does not have, and the remote has some that the checkout does \
         not have. Nothing is merged or rebased here: whose commits they are decides. Pull, then run the command again.";
    PUSH_REFUSED = "IF263", "push that was refused":
        "The server, or a hook, does not take the commit, and would not take it the next time either: no permission, a \
         rule about commits, a repository that is not there. Nothing was changed. The server's words stand in the message.";
    BRANCH_PROTECTED = "IF264", "branch that takes no pushes":
        "The host protects the branch. Either let the account of the factory pass by the rule, or run the command with \
         `--pull-request`: it pushes to a branch of its own and opens a pull or merge request, by the token that \
         `settings.providers` names.";
    PUSH_GIVEN_UP = "IF265", "push given up":
        "The branch kept moving, or the server kept failing, for longer than it makes sense to wait. Nothing was \
         changed; what was to be recorded is computed anew by the next run.";
    FETCH_FAILED = "IF266", "branch that cannot be fetched":
        "The remote branch cannot be read. Git's words stand in the message; `git fetch` in the checkout says the same. \
         Credentials come from git's own configuration or from the token of the host, never from the address.";
    PULL_REQUEST_FAILED = "IF267", "pull request that was not opened":
        "The host's API did not open the pull or merge request. `settings.providers` says which API a repository \
         belongs to and which variable holds the token; the token has to be allowed to open requests, and goes to that \
         API only: redirects are not followed.";
    NO_CHECKOUT = "IF268", "nothing to commit to":
        "`--commit` works in a clone of the factory's repository that has a commit with images.yaml, and with images.yaml, \
         state/ and dist/ in one folder. Without `--commit` the files on the disk are changed, and no git is needed.";
    CHECKOUT_STAYED = "IF269", "checkout that did not follow":
        "The commit is on the remote branch, but working tree and branch of the checkout are as they were, because \
         something uncommitted is in the way or because somebody moved the branch. Nothing is lost: `git pull` brings it.";
    IMAGE_NOT_FOUND = "IF270", "image that its registry does not have":
        "The registry answers that there is no such tag, digest or repository. The tag may have been taken away or \
         never been pushed, or the path has a mistake; some registries answer like this to who may not read. What \
         is known of the image stays as it is, and the others are done.";
    REGISTRY_DENIED = "IF271", "registry that refuses access":
        "The registry wants credentials that are not there, or does not let those that are there read the image. \
         They are taken from Docker's or Podman's files: `docker login REGISTRY` writes them, and a Job gets them \
         from the Secret that `settings.secrets.registry` names. `docs/registries.md` lists where they are looked for.";
    REGISTRY_RATE_LIMIT = "IF272", "registry that had too many requests":
        "The registry answered 429, and wants a longer pause than a run waits for. Nothing more was sent to it in this \
         run. Run again later; logged in, more requests are allowed nearly everywhere.";
    REGISTRY_UNREACHABLE = "IF273", "registry that does not answer":
        "The registry's host is not known, cannot be reached, does not answer in time, or answers with a fault of its \
         own (500 and above), several times in a row. What is known of its images stays as it is. Look at the name, \
         the network and the proxy's settings, or try again later.";
    REGISTRY_TLS = "IF274", "registry that cannot show who it is":
        "The registry's certificate is not one that the system's authorities vouch for, or there are no authorities \
         to ask, or the host speaks no TLS. Name your own authority in `settings.registries`, in the system or in \
         `SSL_CERT_FILE`. A registry without TLS needs `insecure: true` there. A certificate that cannot be checked \
         is never accepted.";
    REGISTRY_ANSWER = "IF275", "answer that no registry gives":
        "What came back is not what the distribution specification says: no manifest, no JSON, no digest, far too \
         long, or a redirect without end. Often it is a proxy or a sign-in page that answers in the registry's place.";
    WRONG_DIGEST = "IF276", "registry that serves other bytes than it names":
        "A manifest or configuration was fetched by its digest, and its bytes have another one. Nothing of it is \
         recorded. The registry, or what stands between, is broken or not to be trusted.";
    REGISTRY_CREDENTIALS = "IF277", "credentials that cannot be read":
        "A file of credentials is no JSON, has an entry that holds none, or names a helper that fails. Without knowing \
         what it says, nobody is asked anonymously in its place. `docker login` writes the file anew.";
    REGISTRY_UNSAFE = "IF278", "registry that leads to an unsafe place":
        "The registry sent us, for a token or for the image, to an address without encryption, to this machine, or to \
         what is no address. Nothing was sent there.";
    UNKNOWN_IMAGE = "IF280", "unknown image":
        "No enrolled image and no base image has this name, and none is what this reference names. `image-factory \
         graph` shows all there are.";
    LARGE_CHART = "IF281", "chart that Mermaid may refuse":
        "Mermaid draws at most 500 edges unless the page that it stands on is configured otherwise; GitHub shows an \
         error instead. The picture of `graph --format svg` has no such bound.";
    EDIT_BY_HAND = "IF282", "file that is not edited by program":
        "`enroll` and `retire` add and take out lines of images.yaml and leave all others as they are. Where images \
         stand in brackets, or something else makes it doubtful what belongs to an entry, nothing is written; the \
         help has the text to paste.";
    ENROLLED_ALREADY = "IF283", "image that is enrolled already":
        "An entry has this name, or stands for this image. Two managed images cannot be pushed to one repository; of an \
         external one, another tag may be enrolled under another name.";
    FLAG_MISSING = "IF284", "flag that is needed":
        "`enroll` asks on a terminal for what it has to know. Elsewhere, in scripts and pipelines, all of it is to be \
         said by flags.";
    FACTORY_EXISTS = "IF285", "place of a new factory that is taken":
        "`init` makes new files only. A factory that is there, or files with the names of those that it would write, stay \
         as they are.";
    PLACEHOLDER_REPO = "IF286", "address that is nobody's":
        "The Jobs in the cluster clone the repository that `settings.git.repo` names. `init` found no address, so it wrote \
         one to be replaced.";
    ENROLLED_MISSING = "IF287", "image of which something is not there":
        "`enroll` looks whether the Dockerfile is where the entry says, and whether the registry answers, so that a slip of \
         the pen is found out at once. `--no-verify` adds the entry unseen.";
    NOT_REBUILDABLE = "IF290", "image that is not rebuilt here":
        "`rebuild` and `plan` take the names of managed images: entries of images.yaml with `source.repo`. An external image \
         is built by somebody else. An image that is not enrolled any more is not rebuilt; an attempt that is still open is \
         followed to its end.";
    REBUILD_HELD = "IF291", "rebuild that may not start now":
        "Somebody asked for it by name, but a freeze, a limit or too many failures in a row stand against it, or the image is built \
         by the factory itself, which comes with a later release. `rebuild --emergency --reason TEXT` passes a freeze and the \
         limit of the day; `plan` says when there is room.";
    GAVE_UP = "IF292", "image whose rebuilds fail again and again":
        "Five attempts in a row failed, so no other is made until a base image changes again, or somebody asks: \
         `image-factory rebuild NAME`. `status NAME` shows the last attempt and its link.";
    ATTEMPT_FAILED = "IF293", "attempt that failed":
        "The run failed, was cancelled, was never found, or gave no answer for six hours. It is tried again by itself, after one hour, \
         then two, four, eight, sixteen and twenty-four; after five failures it is not.";
    NOT_RECORDED = "IF294", "builds that were started and are not recorded":
        "The builds named were asked for, and then what came of it could not be pushed. Nothing is lost: the attempts were \
         recorded before, so the next `rebuild` finds their runs again.";
    NOT_PROPOSED = "IF295", "attempt that cannot be proposed":
        "An attempt is recorded on the branch that all share before anybody is asked to build; that is what keeps two runs from \
         starting it twice. In a pull request it would be seen by nobody. Use `--commit --push`.";
    ATTEMPT_LEFT = "IF296", "attempt that is left to another run":
        "It is recorded, and whoever recorded it may be about to ask for the build. If they were stopped, a later run \
         takes it over five minutes after it was recorded, and looks for its run before it asks.";
    LOOKS_BACK = "IF297", "plan for a time that is past":
        "State has changes that are later than `--now`. What is planned is made of all that state says, so it looks ahead from \
         there, and not back: it does not tell what was planned at that time. `git` has the state of that time.";

    NOT_ANALYZABLE = "IF310", "image that has no Dockerfile of ours":
        "`analyze` reads the Dockerfile of a managed image: an entry with `source.repo`. Of an external image, somebody \
         else has the Dockerfile; its new digests are recorded by `record`.";
    ARGUMENT_DIFFERS = "IF311", "argument that images.yaml contradicts":
        "Manifests that were rendered before images.yaml changed start Jobs with old values. What images.yaml says now is \
         what counts; the argument is passed over. Once the new manifests are applied, the warning goes away.";
    NOT_CLONED = "IF312", "factory that cannot be cloned":
        "The folder of `--image-factory-dir` is not there or empty, so the factory's repository has to be cloned into it: \
         `--git-repo` names the repository, `--git-branch` the branch. Credentials come from git's configuration, or \
         from the token of its host.";

    TRIGGER_REFUSED = "IF320", "build that the host does not start":
        "GitHub or GitLab answered the request to start a build with no, for a reason that stands in the message in its own \
         words. Nothing was started; the attempt is recorded as refused, and tried again later.";
    INPUTS_UNDECLARED = "IF321", "inputs that the workflow does not declare":
        "GitHub refuses inputs that a workflow does not declare, and starts nothing. The request was sent once more \
         without these. Declare them below `on.workflow_dispatch.inputs`, so that the workflow learns why it runs and \
         which digest to build on, or name those that are wanted in `source.inputs`.";
    TRIGGER_TOKEN = "IF322", "token that is missing or not accepted":
        "To start a build needs a token: for GitHub the variable `settings.providers.github.tokenEnv` names, or an App; \
         for GitLab the one of `settings.providers.gitlab.tokenEnv`, or a trigger token in that of `triggerTokenEnv`. \
         A token that the host does not know has expired or was revoked. `docs/triggers.md` says how to make one.";
    TRIGGER_FORBIDDEN = "IF323", "token that may not start builds":
        "The host knows the token, but it may not do this. On GitHub it needs `actions: write` for the repository of \
         the source, and where the organization has single sign-on it has to be authorized for it. On GitLab it needs \
         the scope `api` and the role Developer, and to be allowed to set variables of pipelines.";
    TRIGGER_NOT_FOUND = "IF324", "workflow or project that is not there":
        "The host knows no such repository, workflow or branch; it answers the same to a token that does not see them. \
         GitHub knows a workflow once its file is on the default branch, and runs the file of `source.branch`. A \
         trigger token belongs to one project of GitLab, and is not found in others.";
    NOT_STARTABLE = "IF325", "workflow that cannot be started":
        "The workflow is there, but cannot be started by a request: it lacks `on: workflow_dispatch` on that branch, it \
         is disabled, it demands an input that is not sent, or the repository is archived. In GitLab: the rules of the \
         pipeline let no job run, or its file is missing or wrong.";
    TRIGGER_RATE_LIMIT = "IF326", "host that had too many requests":
        "GitHub or GitLab wants a longer pause than a run waits for. Nothing was started; the attempt stays open, and a \
         run five minutes later goes on with it.";
    TRIGGER_UNREACHABLE = "IF327", "host of builds that does not answer":
        "The API could not be reached, did not answer in time, could not show who it is, or answered with a fault of its \
         own (500 and above). Whether the build was started is looked up before anything is sent again.";
    TRIGGER_ANSWER = "IF328", "answer that the API does not give":
        "What came back is not what GitHub or GitLab document: no JSON, far too long, or a redirect. Often a proxy or a \
         sign-in page answers in its place, or the repository was renamed. Redirects are not followed, because the \
         token would go along; `settings.providers` names the address of the API.";
    RUN_LOST = "IF329", "run that is not found":
        "A build was asked for, and the host lists no run that could be it, or the run was deleted. The attempt counts as \
         failed and is tried again later. A workflow with `run-name: \"image-factory ${{ inputs.image }} #${{ inputs.attempt }}\"`, \
         in quotes, is always found.";
    RUN_UNSEEN = "IF330", "pipeline that cannot be followed":
        "A trigger token of GitLab starts pipelines, and reads nothing. Without an access token beside it, what became of \
         a pipeline is only known once the new image was analysed, or when the attempt has waited for too long.";
    APP_TOKEN = "IF331", "GitHub App that gives no token":
        "`GITHUB_APP_ID`, `GITHUB_APP_INSTALLATION_ID` and `GITHUB_APP_PRIVATE_KEY` belong together: with them, a token of \
         the installation is asked for that lasts an hour. One of them is missing, the key is no RSA key as PEM, or \
         GitHub does not give the token; its words stand in the message.";
    RUN_WAITS = "IF332", "run that waits for a person":
        "The run was started, and goes on only when somebody approves it or starts its manual job. Builds that are to run by \
         themselves need no environment with reviewers, and no job with `when: manual` before the push.";
    WORKFLOW_KEPT = "IF340", "workflow that is there already":
        "`init --with-workflow` writes new files only: what stands in a repository is its owners'. To see what would have \
         been written, do it in an empty folder, or move the file away and run it again.";
    WORKFLOW_ELSEWHERE = "IF341", "workflow that belongs into another repository":
        "An image is built where its source is. `--source OWNER/REPO=DIR` names a checkout of that repository, and the \
         workflow is written there, to be committed by you.";
    WORKFLOW_UNPINNED = "IF342", "workflow that pins no base image":
        "A workflow has the list of its image's base images from state/. Nothing is recorded of them until `discover` has \
         read the Dockerfile, so the list is empty, and builds take what the tags stand for instead of the digest whose \
         delay has passed. Run `image-factory discover`, then see what `init --with-workflow` says of the list.";
    WORKFLOW_BASES = "IF343", "workflow with another list of base images":
        "The list `BASES` of a workflow that was written by `init --with-workflow` is not the one that state/ has. A base \
         that is not in it is not pinned. The file is its owners', so it is not written anew: put the list from the help \
         into it.";
}

/// The reference of all codes as Markdown: `docs/codes.md`.
#[must_use]
pub fn markdown() -> String {
    let mut text = String::from(
        "<!-- Generated from src/diagnostics/codes.rs; `UPDATE_GOLDEN=1 cargo test` rewrites it. -->\n\n# Codes\n\n\
         What `synth` and `image-factory` say has a code. `image-factory explain CODE` prints its entry of this page.\n",
    );
    for code in ALL {
        text.push_str(&format!(
            "\n## {}: {}\n\n{}\n",
            code.id(),
            code.title(),
            code.explanation()
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_ordered_and_well_formed() {
        for pair in ALL.windows(2) {
            assert!(
                pair[0].id() < pair[1].id(),
                "{} before {}",
                pair[0],
                pair[1]
            );
        }
        for code in ALL {
            let digits = code.id().strip_prefix("IF").expect("prefix");
            assert!(
                digits.len() == 3 && digits.bytes().all(|b| b.is_ascii_digit()),
                "{code}"
            );
            assert!(!code.title().ends_with('.'), "{code}: {}", code.title());
            assert!(
                code.explanation().ends_with('.'),
                "{code}: an explanation is sentences"
            );
            assert!(!code.explanation().contains("  "), "{code}: two blanks");
            assert_eq!(Code::find(&code.id().to_lowercase()), Some(*code));
        }
        assert_eq!(Code::find("IF999"), None);
    }

    #[test]
    #[allow(
        clippy::disallowed_methods,
        reason = "the golden file is read and rewritten here"
    )]
    fn the_reference_is_in_step_with_the_table() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/codes.md");
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(path, markdown()).expect("docs/codes.md is written");
        }
        let golden = std::fs::read_to_string(path).expect("docs/codes.md is there");
        assert!(
            golden == markdown(),
            "docs/codes.md is old: run the tests with UPDATE_GOLDEN=1"
        );
    }
}
