//! `graph [IMAGE]`: which image is built on which.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use image_factory::cli::run::{self, Root, Said, Stopped};
use image_factory::cli::{Common, Drawing, Exit, Format, Streams, Surroundings};
use image_factory::diagnostics::{Diagnostic, code};
use image_factory::graph::{self, Graph, Rebuild, View};
use image_factory::model::{self, Time};
use image_factory::workspace::Hold;
use serde_json::{Value, json};

/// Which image is built on which
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Args {
    /// Only what this image is built on and what is built on it; a name, or a reference
    /// such as node:22
    #[arg(value_name = "IMAGE")]
    image: Option<String>,
    /// What is printed: trees for people, a drawing, or one JSON object
    // The same id as the option of every command, whose place it takes here.
    #[arg(id = "format", long, value_name = "FORMAT", default_value = "human", value_parser = formats())]
    format: Format,
    #[command(flatten)]
    root: Root,
}

fn formats() -> impl TypedValueParser<Value = Format> {
    let help = |name, help| PossibleValue::new(name).help(help);
    PossibleValuesParser::new([
        help("human", "Trees, for people"),
        help(
            "mermaid",
            "A Mermaid flowchart, which GitHub and GitLab draw",
        ),
        help("dot", "For Graphviz"),
        help("svg", "A picture"),
        help("json", "One JSON object"),
    ])
    .map(|name| match name.as_str() {
        "mermaid" => Format::Drawing(Drawing::Mermaid),
        "dot" => Format::Drawing(Drawing::Dot),
        "svg" => Format::Drawing(Drawing::Svg),
        "json" => Format::Json,
        _ => Format::Human,
    })
}

/// What there is to show.
struct Found {
    graph: Graph,
    /// The image that was asked for, by its place.
    about: Option<usize>,
}

/// Shows the graph.
pub(crate) fn run(
    args: &Args,
    common: &Common,
    around: &Surroundings,
    streams: &mut Streams<'_>,
) -> Exit {
    let mut said = Said::default();
    let found = find(args, around, streams, &mut said);
    if let (Ok(found), Format::Drawing(Drawing::Mermaid)) = (&found, args.format) {
        said.diagnostics.extend(too_many(&found.graph));
    }
    let exit = match &found {
        Ok(_) => Exit::Done,
        Err(Stopped) => Exit::Wrong,
    };
    said.end(
        common,
        streams,
        exit,
        || {
            found
                .as_ref()
                .map_or_else(|_| String::new(), |found| text(found, common))
        },
        || {
            found
                .as_ref()
                .map_or_else(|_| nothing(), |found| object(found, common.now()))
        },
    )
}

fn find(
    args: &Args,
    around: &Surroundings,
    streams: &mut Streams<'_>,
    said: &mut Said,
) -> Result<Found, Stopped> {
    let layout =
        run::layout(args.root.root.as_deref(), None, around).map_err(|e| said.stop([e]))?;
    let _lock = run::lock(&layout, &layout.root, Hold::Shared, streams, said)?;
    let tree = run::load(&layout, said)?;
    let (model, diagnostics) = model::load(&tree.inputs);
    said.diagnostics.extend(diagnostics);
    let model = match model {
        Some(model) if !said.any_error() => model,
        _ => return Err(said.stop([])),
    };
    let graph = Graph::of(&model);
    let Some(wanted) = &args.image else {
        return Ok(Found { graph, about: None });
    };
    let at = graph.look_up(wanted).map_err(|error| said.stop([error]))?;
    Ok(Found {
        graph,
        about: Some(at),
    })
}

fn too_many(graph: &Graph) -> Option<Diagnostic> {
    let count = graph.edges().count();
    (count > graph::MOST_EDGES).then(|| {
        let most = graph::MOST_EDGES;
        let message = format!("the chart has {count} edges; Mermaid draws at most {most} unless the page raises `maxEdges`");
        Diagnostic::warning(code::LARGE_CHART, message)
            .help("draw it with `--format svg`, or one image's part of it with `graph IMAGE`")
    })
}

fn text(found: &Found, common: &Common) -> String {
    let part = found.about.map(|at| found.graph.around(at));
    let graph = part.as_ref().unwrap_or(&found.graph);
    match common.format {
        Format::Drawing(Drawing::Mermaid) => graph::mermaid(graph),
        Format::Drawing(Drawing::Dot) => graph::dot(graph),
        Format::Drawing(Drawing::Svg) => graph::svg(graph),
        Format::Human | Format::Json => graph::human(
            &found.graph,
            &View {
                about: found.about,
                verbose: common.verbose,
                when: &|wait| common.now().plus(wait).to_string(),
            },
        ),
    }
}

fn object(found: &Found, now: Time) -> Value {
    let part = found.about.map(|at| found.graph.around(at));
    let mut object = graph::json(part.as_ref().unwrap_or(&found.graph));
    if let Some((at, node)) = found
        .about
        .and_then(|at| Some((at, found.graph.nodes().get(at)?)))
    {
        object.insert("image".to_owned(), node.name.as_str().into());
        let rebuild = |rebuild: &Rebuild<'_>| json!({"image": rebuild.image, "at": rebuild.wait.map(|wait| now.plus(wait).to_string()), "after": rebuild.after});
        let cascade: Vec<Value> = found.graph.cascade(at).iter().map(rebuild).collect();
        object.insert("cascade".to_owned(), cascade.into());
    }
    object.into()
}

fn nothing() -> Value {
    json!({"nodes": [], "edges": []})
}
