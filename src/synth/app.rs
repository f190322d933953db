//! An app: charts in, files out.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::chart::Chart;
use super::checks;
use super::files::{DocumentSpec, FileSpec, MARK, Output};
use super::object::{ApiObject, ObjectRef};
use super::order;
use super::problem::Problem;
use super::validator::{Objects, Validator};
use crate::diagnostics::code;
use crate::yaml;

/// Charts, checks, and how they become files.
pub struct App {
    charts: Vec<Chart>,
    validators: Vec<Box<dyn Validator>>,
    /// `(after, before)`, names of charts.
    edges: Vec<(String, String)>,
    output: Output,
    mark: String,
    kustomization: bool,
}

impl Default for App {
    fn default() -> Self {
        Self::new()
    }
}

impl App {
    /// An app without charts.
    #[must_use]
    pub fn new() -> Self {
        Self {
            charts: Vec::new(),
            validators: Vec::new(),
            edges: Vec::new(),
            output: Output::default(),
            mark: MARK.to_owned(),
            kustomization: false,
        }
    }

    /// How objects are spread over files.
    #[must_use]
    pub fn output(mut self, output: Output) -> Self {
        self.output = output;
        self
    }

    /// The first line of every file, a comment; [`MARK`] by default.
    #[must_use]
    pub fn mark(mut self, line: impl Into<String>) -> Self {
        self.mark = line.into();
        self
    }

    /// Writes a `kustomization.yaml` over all files as well, with the charts that
    /// others depend on first.
    #[must_use]
    pub fn kustomization(mut self) -> Self {
        self.kustomization = true;
        self
    }

    /// Adds a chart.
    pub fn add(&mut self, chart: Chart) {
        self.charts.push(chart);
    }

    /// Adds a check.
    pub fn validator(&mut self, validator: impl Validator + 'static) {
        self.validators.push(Box::new(validator));
    }

    /// Puts the chart `after` behind the chart `before`: in one file, and in the
    /// kustomization.
    pub fn depends(&mut self, after: impl Into<String>, before: impl Into<String>) {
        self.edges.push((after.into(), before.into()));
    }

    /// The charts in the order they were added.
    pub fn charts(&self) -> impl Iterator<Item = &Chart> {
        self.charts.iter()
    }

    /// Orders, checks and writes all objects. The files are sorted by path; a chart
    /// without objects has none.
    ///
    /// # Errors
    /// All problems that were found, in the order of the objects: those of the
    /// charts, of the objects in general, of the validators, and of writing.
    pub fn synth(&self) -> Result<Vec<FileSpec>, Vec<Problem>> {
        let mut problems: Vec<Problem> = Vec::new();
        for chart in &self.charts {
            problems.extend(chart.problems.iter().cloned());
            self.check_chart_name(chart, &mut problems);
        }
        if !self.mark.starts_with('#') || self.mark.contains(['\n', '\r']) {
            let message = format!("the mark `{}` is no comment of one line", self.mark);
            problems.push(Problem::new(code::CHART_INVALID, message));
        }
        let sorted = self.sort(&mut problems);
        let all: Vec<&ApiObject> = sorted
            .iter()
            .flat_map(|(_, objects)| objects.iter().copied())
            .collect();
        for object in &all {
            checks::check(object, &mut problems);
        }
        find_duplicates(&all, &mut problems);
        self.validate(all, &mut problems);
        let files = self.files(&sorted, &mut problems);
        if problems.is_empty() {
            Ok(files)
        } else {
            Err(problems)
        }
    }

    fn check_chart_name(&self, chart: &Chart, problems: &mut Vec<Problem>) {
        let name = chart.name();
        if !super::name::is_label(name) {
            let message = format!("`{name}` cannot be the name of a chart, which is a DNS label");
            problems.push(Problem::new(code::CHART_INVALID, message));
        }
        let same = self.charts.iter().filter(|other| other.name == chart.name);
        let is_first = same
            .clone()
            .next()
            .is_some_and(|first| std::ptr::eq(first, chart));
        if is_first && same.count() > 1 {
            let message = format!("two charts are called `{name}`");
            problems.push(Problem::new(code::CHART_INVALID, message));
        }
    }

    /// Charts with their objects, in order.
    fn sort(&self, problems: &mut Vec<Problem>) -> Vec<(&Chart, Vec<&ApiObject>)> {
        let by_key: BTreeMap<u64, usize> = self
            .charts
            .iter()
            .enumerate()
            .map(|(at, chart)| (chart.key(), at))
            .collect();
        // Edges within each chart, and between charts.
        let mut inner: BTreeMap<usize, BTreeSet<(usize, usize)>> = BTreeMap::new();
        let mut outer = self.chart_edges(problems);
        for (after, before) in self.charts.iter().flat_map(|chart| &chart.edges) {
            let (Some(a), Some(b)) = (self.find(&by_key, *after), self.find(&by_key, *before))
            else {
                let message = "a dependency names an object of a chart that is not in the app";
                problems.push(Problem::new(code::DEPENDENCY_INVALID, message));
                continue;
            };
            if a == b {
                inner
                    .entry(a)
                    .or_default()
                    .insert((after.index, before.index));
            } else {
                outer.insert((a, b));
            }
        }
        let mut charts: Vec<usize> = (0..self.charts.len()).collect();
        match order::by_dependency(charts.clone(), &outer) {
            Ok(sorted) => charts = sorted,
            Err(circle) => {
                let name = |at: &usize| {
                    self.charts
                        .get(*at)
                        .map_or(String::new(), |chart| chart.name().to_owned())
                };
                problems.push(cycle("charts", circle.iter().map(name)));
            }
        }
        let none = BTreeSet::new();
        charts
            .into_iter()
            .filter_map(|at| Some((self.charts.get(at)?, inner.get(&at).unwrap_or(&none))))
            .map(|(chart, edges)| (chart, sort_objects(chart, edges, problems)))
            .collect()
    }

    fn chart_edges(&self, problems: &mut Vec<Problem>) -> BTreeSet<(usize, usize)> {
        let mut edges = BTreeSet::new();
        for (after, before) in &self.edges {
            let find = |name: &String| self.charts.iter().position(|chart| chart.name() == name);
            match (find(after), find(before)) {
                (Some(after), Some(before)) => {
                    edges.insert((after, before));
                }
                (found, _) => {
                    let name = if found.is_some() { before } else { after };
                    let message =
                        format!("a dependency names the chart `{name}`, which is not in the app");
                    problems.push(Problem::new(code::DEPENDENCY_INVALID, message));
                }
            }
        }
        edges
    }

    fn find(&self, by_key: &BTreeMap<u64, usize>, object: ObjectRef) -> Option<usize> {
        let at = *by_key.get(&object.chart)?;
        self.charts.get(at)?.objects.get(object.index).map(|_| at)
    }

    fn validate(&self, objects: Vec<&ApiObject>, problems: &mut Vec<Problem>) {
        let objects = Objects::new(objects);
        let before = problems.len();
        for validator in &self.validators {
            validator.check(&objects, problems);
        }
        for problem in problems.iter_mut().skip(before) {
            if problem.origin.is_none()
                && let Some(object) = problem.object.as_ref().and_then(|id| objects.get(id))
            {
                problem.origin = object.origin().cloned();
            }
        }
    }

    fn files(
        &self,
        sorted: &[(&Chart, Vec<&ApiObject>)],
        problems: &mut Vec<Problem>,
    ) -> Vec<FileSpec> {
        let mut writers: Vec<Writer> = Vec::new();
        match &self.output {
            Output::PerChart => {
                for (chart, objects) in sorted.iter().filter(|(_, objects)| !objects.is_empty()) {
                    let mut writer = Writer::new(format!("{}.k8s.yaml", chart.name()), &self.mark);
                    writer.objects(objects, problems);
                    writers.push(writer);
                }
            }
            Output::PerObject => {
                for (chart, objects) in sorted {
                    for object in objects {
                        let path = format!(
                            "{}/{}.{}.k8s.yaml",
                            chart.name(),
                            object.kind(),
                            object.name()
                        );
                        let mut writer = Writer::new(path, &self.mark);
                        writer.objects(std::slice::from_ref(object), problems);
                        writers.push(writer);
                    }
                }
            }
            Output::Single(path) => {
                let mut writer = Writer::new(path.clone(), &self.mark);
                for (_, objects) in sorted {
                    writer.objects(objects, problems);
                }
                if !writer.documents.is_empty() {
                    writers.push(writer);
                }
            }
        }
        let mut files: Vec<FileSpec> = writers.into_iter().map(Writer::finish).collect();
        if self.kustomization {
            files.push(self.kustomization_file(&files));
        }
        check_paths(&files, problems);
        files.sort_by(|one, other| one.path.cmp(&other.path));
        files
    }

    fn kustomization_file(&self, files: &[FileSpec]) -> FileSpec {
        let paths: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
        let mut text = format!(
            "{}\napiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:",
            self.mark
        );
        // A list of texts, which can always be written.
        let list = yaml::to_string(&paths).unwrap_or_default();
        text.push(if paths.is_empty() { ' ' } else { '\n' });
        text.push_str(&list);
        FileSpec {
            path: "kustomization.yaml".to_owned(),
            text,
            documents: Vec::new(),
        }
    }
}

fn sort_objects<'a>(
    chart: &'a Chart,
    edges: &BTreeSet<(usize, usize)>,
    problems: &mut Vec<Problem>,
) -> Vec<&'a ApiObject> {
    let order = order::by_kind(chart.objects.iter().enumerate());
    let order = match order::by_dependency(order.clone(), edges) {
        Ok(sorted) => sorted,
        Err(circle) => {
            let name = |at: &usize| {
                chart
                    .objects
                    .get(*at)
                    .map_or(String::new(), |object| object.id().to_string())
            };
            problems.push(cycle("objects", circle.iter().map(name)));
            order
        }
    };
    order
        .into_iter()
        .filter_map(|at| chart.objects.get(at))
        .collect()
}

fn cycle(what: &str, names: impl Iterator<Item = String>) -> Problem {
    let names: Vec<String> = names.collect();
    let message = format!(
        "{what} depend on each other in a circle: {}",
        names.join(" → ")
    );
    Problem::new(code::DEPENDENCY_INVALID, message)
        .help("an arrow reads: depends on; take one away")
}

/// Finds objects that a cluster would take for one.
fn find_duplicates(objects: &[&ApiObject], problems: &mut Vec<Problem>) {
    let mut named: Vec<&&ApiObject> = objects
        .iter()
        .filter(|object| !object.name().is_empty())
        .collect();
    // Stable, and quick on what is nearly sorted already.
    named.sort_by(|one, other| one.identity().cmp(&other.identity()));
    for pair in named.windows(2) {
        let [first, object] = pair else { continue };
        if first.identity() != object.identity() {
            continue;
        }
        let message = if first.chart() == object.chart() {
            format!("is in chart `{}` twice", object.chart())
        } else {
            format!(
                "is in chart `{}` and in chart `{}`",
                first.chart(),
                object.chart()
            )
        };
        problems.push(
            Problem::new(code::DUPLICATE_OBJECT, message)
                .object(object.id())
                .origin(object.origin().or(first.origin()).cloned()),
        );
    }
}

/// Paths are unique, also where capitals do not count, and stay inside the folder.
fn check_paths(files: &[FileSpec], problems: &mut Vec<Problem>) {
    let mut seen: BTreeSet<String> = BTreeSet::new();
    for file in files {
        let path = &file.path;
        if !seen.insert(path.to_ascii_lowercase()) {
            let message = format!("two files are called `{path}`");
            problems.push(Problem::new(code::DUPLICATE_FILE, message));
        }
        let is_inside = path.split('/').all(|part| {
            !part.is_empty() && !part.starts_with('.') && !part.contains(['\\', ':', '\0', '\n'])
        });
        if !is_inside {
            let message = format!("`{path}` is no path inside of the output folder");
            problems.push(Problem::new(code::CHART_INVALID, message));
        }
    }
}

/// Bytes of a typical object, to make room for.
const TYPICAL: usize = 512;

/// A file that is being written.
struct Writer {
    path: String,
    text: String,
    documents: Vec<(Range<usize>, super::ObjectId)>,
}

impl Writer {
    fn new(path: String, mark: &str) -> Self {
        Self {
            path,
            text: format!("{mark}\n"),
            documents: Vec::new(),
        }
    }

    fn objects(&mut self, objects: &[&ApiObject], problems: &mut Vec<Problem>) {
        self.documents.reserve(objects.len());
        self.text.reserve(objects.len() * TYPICAL);
        for object in objects {
            if !self.documents.is_empty() {
                self.text.push_str("---\n");
            }
            let start = self.text.len();
            if let Err(error) = object.emit(&mut self.text) {
                problems.push(
                    Problem::new(code::OBJECT_INVALID, format!("cannot be written: {error}"))
                        .object(object.id())
                        .origin(object.origin().cloned()),
                );
            }
            self.documents.push((start..self.text.len(), object.id()));
        }
    }

    fn finish(self) -> FileSpec {
        FileSpec {
            path: self.path,
            text: self.text,
            documents: self
                .documents
                .into_iter()
                .map(|(range, id)| DocumentSpec { id, range })
                .collect(),
        }
    }
}
