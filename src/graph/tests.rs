use proptest::prelude::*;

use super::*;
use crate::model::{InputFile, InputFiles, load};

/// A graph of managed images (names with a `b` first: base images) with these edges.
pub(super) fn graph(names: &[&str], edges: &[(&str, &str)]) -> Graph {
    let mut names: Vec<&str> = names.to_vec();
    names.sort_unstable();
    let kind = |name: &str| {
        if name.starts_with('b') {
            Kind::Base
        } else {
            Kind::Managed
        }
    };
    let nodes = names
        .iter()
        .map(|name| Node {
            delay: Some(Duration::from_days(7)),
            ..Node::new(name, kind(name), format!("docker.io/x/{name}"))
        })
        .collect();
    let at = |name: &str| names.iter().position(|known| *known == name).unwrap();
    let edges: Vec<(usize, usize)> = edges.iter().map(|(a, b)| (at(a), at(b))).collect();
    Graph::joined(nodes, &edges)
}

fn file(path: &str, text: &str) -> InputFile {
    InputFile {
        path: path.into(),
        text: text.to_owned(),
    }
}

/// `base-app` on `debian-12`, `web` on `base-app` and on `golang-1.24`, `by-hand` on
/// `web`; an external image that is a base by name, one by link, and one by itself.
fn chain() -> Model {
    let managed = |name: &str, more: &str| {
        format!(
            "- {{name: {name}, registry: ghcr.io, repository: owner/{name}, source: {{repo: owner/{name}}}{more}}}\n"
        )
    };
    let images = [
        managed("base-app", ", rebuildDelay: 2d"),
        managed("web", ", rebuildDelay: 1d"),
        managed("by-hand", ", autoRebuild: false"),
        managed("last", ""),
        "- {name: nginx-1, repository: nginx, allowTags: ^1$}\n".to_owned(),
        "- {name: cache, repository: redis, allowTags: ^7$}\n".to_owned(),
        "- {name: postgres, repository: postgres, allowTags: ^16$}\n".to_owned(),
    ]
    .concat();
    let image = |name: &str, bases: &str| {
        file(
            &format!("state/images/{name}.yaml"),
            &format!(
                "name: {name}\ndiscoveryStatus: success\nenrollment: {{source: {{repo: owner/{name}, branch: main, dockerfile: Dockerfile}}}}\nbaseImages: [{bases}]\n"
            ),
        )
    };
    let base = |name: &str, full: &str| {
        file(
            &format!("state/base-images/{name}.yaml"),
            &format!("name: {name}\nfullImage: {full}\n"),
        )
    };
    let files = InputFiles {
        enrollment: vec![file("images.yaml", &images)],
        images: vec![
            image("base-app", "debian-12"),
            image("by-hand", "owner-web-2"),
            image("last", "owner-by-hand-3, redis-7"),
            image("web", "nginx-1, golang-1.24, owner-base-app-1.2"),
        ],
        bases: vec![
            base("debian-12", "debian:12"),
            base("golang-1.24", "golang:1.24"),
            base("nginx-1", "nginx:1"),
            base("owner-base-app-1.2", "ghcr.io/owner/base-app:1.2"),
            base("owner-by-hand-3", "ghcr.io/owner/by-hand:3"),
            base("owner-web-2", "ghcr.io/owner/web:2"),
            base("redis-7", "redis:7"),
        ],
        ..InputFiles::default()
    };
    let (model, diagnostics) = load(&files);
    model.unwrap_or_else(|| panic!("{diagnostics:#?}"))
}

fn names(graph: &Graph, places: &[usize]) -> Vec<String> {
    graph.at(places).map(|node| node.name.clone()).collect()
}

#[test]
fn own_and_enrolled_images_are_joined_with_the_bases_they_are() {
    let graph = Graph::of(&chain());
    let nodes: Vec<(&str, &str, usize)> = graph
        .nodes()
        .iter()
        .map(|node| (node.name.as_str(), node.kind.as_str(), node.depth))
        .collect();
    assert_eq!(
        nodes,
        [
            ("base-app", "managed", 1),
            ("by-hand", "managed", 5),
            ("cache", "external", 0),
            ("debian-12", "base", 0),
            ("golang-1.24", "base", 0),
            ("last", "managed", 7),
            ("nginx-1", "external", 0),
            ("owner-base-app-1.2", "base", 2),
            ("owner-by-hand-3", "base", 6),
            ("owner-web-2", "base", 4),
            ("postgres", "external", 0),
            ("redis-7", "base", 1),
            ("web", "managed", 3),
        ]
    );
    let edges: Vec<String> = graph
        .edges()
        .map(|(from, to)| format!("{} {}", from.name, to.name))
        .collect();
    assert_eq!(
        edges,
        [
            "base-app owner-base-app-1.2",
            "by-hand owner-by-hand-3",
            "cache redis-7",
            "debian-12 base-app",
            "golang-1.24 web",
            "nginx-1 web",
            "owner-base-app-1.2 web",
            "owner-by-hand-3 last",
            "owner-web-2 by-hand",
            "redis-7 last",
            "web owner-web-2",
        ]
    );
    let order: Vec<&str> = graph.order().iter().map(|node| &*node.name).collect();
    assert_eq!(order, ["base-app", "web", "by-hand", "last"]);
    assert_eq!(graph.depth(), 7);
}

#[test]
fn what_concerns_an_image_is_what_it_is_built_on_and_what_is_built_on_it() {
    let graph = Graph::of(&chain());
    let web = graph.find("web").unwrap();
    assert_eq!(
        names(&graph, &graph.all_bases(web)),
        [
            "base-app",
            "debian-12",
            "golang-1.24",
            "nginx-1",
            "owner-base-app-1.2"
        ]
    );
    assert_eq!(
        names(&graph, &graph.all_dependents(web)),
        ["by-hand", "last", "owner-by-hand-3", "owner-web-2"]
    );
    let part = graph.around(web);
    assert_eq!(part.nodes().len(), 10);
    assert!(part.find("redis-7").is_none());
    let of_base = graph.around(graph.find("redis-7").unwrap());
    let kept: Vec<&str> = of_base.nodes().iter().map(|node| &*node.name).collect();
    assert_eq!(kept, ["cache", "last", "redis-7"]);
    assert_eq!(graph.find("we"), None);
}

#[test]
fn images_are_found_by_name_and_by_reference() {
    let graph = Graph::of(&chain());
    for (wanted, name) in [
        ("web", "web"),
        ("debian:12", "debian-12"),
        ("docker.io/library/debian:12", "debian-12"),
        ("ghcr.io/owner/base-app:1.2", "owner-base-app-1.2"),
        ("ghcr.io/owner/base-app", "base-app"),
    ] {
        let at = graph.look_up(wanted).unwrap();
        assert_eq!(graph.nodes()[at].name, name, "{wanted}");
    }
    let slip = graph.look_up("golang-1.23").unwrap_err();
    assert_eq!(slip.help.unwrap(), "did you mean `golang-1.24`?");
    assert!(graph.look_up("debian:13").is_err());
    assert!(graph.look_up("\u{1b}[31m").is_err());
}

#[test]
fn a_cascade_has_parents_first_and_says_how_long_each_waits() {
    let graph = Graph::of(&chain());
    let cascade = |name: &str| -> Vec<String> {
        let rebuilds = graph.cascade(graph.find(name).unwrap());
        let one = |rebuild: Rebuild<'_>| {
            let wait = rebuild.wait.map_or("-".to_owned(), |wait| wait.to_string());
            format!("{} {wait} {}", rebuild.image, rebuild.after.join("+"))
        };
        rebuilds.into_iter().map(one).collect()
    };
    // Its own delay, then no more; one by hand holds back what is built on it.
    assert_eq!(
        cascade("debian-12"),
        [
            "base-app 2d ",
            "web 2d base-app",
            "by-hand - web",
            "last - by-hand"
        ]
    );
    assert_eq!(
        cascade("golang-1.24"),
        ["web 1d ", "by-hand - web", "last - by-hand"]
    );
    assert_eq!(
        cascade("base-app"),
        ["web 0m ", "by-hand - web", "last - by-hand"]
    );
    assert_eq!(cascade("cache"), ["last 7d "]);
    assert_eq!(cascade("owner-base-app-1.2"), cascade("base-app"));
    assert_eq!(cascade("last"), [] as [&str; 0]);
}

#[test]
fn trees_are_drawn_once_and_long_lists_run_on() {
    let view = View {
        about: None,
        verbose: false,
        when: &|wait| format!("in {wait}"),
    };
    let text = human(&Graph::of(&chain()), &view);
    assert_eq!(
        text,
        "\
cache (external)
└─ redis-7 (base)
   └─ last
debian-12 (base)
└─ base-app
   └─ owner-base-app-1.2 (base)
      └─ web
         └─ owner-web-2 (base)
            └─ by-hand
               └─ owner-by-hand-3 (base)
                  └─ last
golang-1.24 (base)
└─ web ↑
nginx-1 (external)
└─ web ↑

neither built on a known image nor built upon
  postgres (external)

4 managed, 3 external, 6 base, 11 edges, depth 7
↑ what hangs on it is shown above
"
    );
    let many: Vec<String> = (10..60).map(|number| format!("image-{number}")).collect();
    let mut names: Vec<&str> = many.iter().map(String::as_str).collect();
    let edges: Vec<(&str, &str)> = names.iter().map(|name| ("b", *name)).collect();
    names.push("b");
    let wide = graph(&names, &edges);
    let text = human(&wide, &view);
    assert!(text.lines().count() < 12, "{text}");
    assert!(
        text.lines().all(|line| line.chars().count() <= 100),
        "{text}"
    );
    let verbose = View {
        verbose: true,
        ..view
    };
    assert_eq!(human(&wide, &verbose).lines().count(), 53);
}

#[test]
fn all_about_one_image() {
    let graph = Graph::of(&chain());
    let view = View {
        about: graph.find("web"),
        verbose: false,
        when: &|wait| format!("in {wait}"),
    };
    assert_eq!(
        human(&graph, &view),
        "\
web  ghcr.io/owner/web

built on
├─ golang-1.24 (base)
├─ nginx-1 (external)
└─ owner-base-app-1.2 (base)
   └─ base-app
      └─ debian-12 (base)

built on it
└─ owner-web-2 (base)
   └─ by-hand
      └─ owner-by-hand-3 (base)
         └─ last

if it changed now, these would be rebuilt, in this order, at the earliest
  when started by hand  by-hand
  when started by hand  last  after by-hand
"
    );
}

#[test]
fn a_chain_of_any_length_has_a_page_of_bounded_width() {
    let names: Vec<String> = (0..3000).map(|number| format!("n{number:04}")).collect();
    let nodes = names
        .iter()
        .map(|name| Node::new(name, Kind::Managed, String::new()))
        .collect();
    let edges: Vec<(usize, usize)> = (1..3000).map(|to| (to - 1, to)).collect();
    let chain = Graph::joined(nodes, &edges);
    let view = View {
        about: None,
        verbose: false,
        when: &|_| String::new(),
    };
    let text = human(&chain, &view);
    assert!(text.lines().all(|line| line.chars().count() < 80));
    for name in &names {
        assert!(text.contains(name.as_str()), "{name}");
    }
    assert_eq!(chain.depth(), 2999);
}

#[test]
fn mermaid_and_dot_name_every_image_and_edge() {
    let graph = Graph::of(&chain());
    let chart = mermaid(&graph);
    assert!(chart.starts_with("flowchart LR\n"), "{chart}");
    assert!(
        chart.contains("  i_golang_1X2EX24[\"golang-1.24\"]:::base\n"),
        "{chart}"
    );
    assert!(chart.contains("  i_web(\"web\"):::managed\n"), "{chart}");
    assert!(
        chart.contains("  i_cache([\"cache\"]):::external\n"),
        "{chart}"
    );
    assert!(chart.contains("  i_golang_1X2EX24 --> i_web\n"), "{chart}");
    assert_eq!(chart.matches(" --> ").count(), 11);
    let text = dot(&graph);
    assert!(text.contains("  \"golang-1.24\" -> \"web\"\n"), "{text}");
    assert_eq!(text.matches(" -> ").count(), 11);
    assert_eq!(text.matches("tooltip").count(), 13);
}

#[test]
fn json_has_nodes_edges_and_the_order() {
    let object = json(&graph(
        &["web", "b", "app"],
        &[("b", "app"), ("app", "web")],
    ));
    assert_eq!(
        serde_json::Value::from(object),
        serde_json::json!({
            "nodes": [
                {"name": "app", "kind": "managed", "reference": "docker.io/x/app", "depth": 1},
                {"name": "b", "kind": "base", "reference": "docker.io/x/b", "depth": 0},
                {"name": "web", "kind": "managed", "reference": "docker.io/x/web", "depth": 2},
            ],
            "edges": [{"from": "app", "to": "web"}, {"from": "b", "to": "app"}],
            "depth": 2,
            "order": ["app", "web"],
        })
    );
}

#[test]
fn a_drawing_is_xml_with_every_name_in_it_whatever_that_is() {
    let evil = "x<script>&\"'\u{1}]]>-->";
    let drawing = svg(&graph(&["b", evil, "web"], &[("b", evil), (evil, "web")]));
    let document = roxmltree::Document::parse(&drawing).unwrap();
    let root = document.root_element();
    assert_eq!(root.tag_name().name(), "svg");
    assert_eq!(root.attribute("role"), Some("img"));
    let ids: Vec<&str> = document
        .descendants()
        .filter_map(|n| n.attribute("id"))
        .collect();
    assert_eq!(
        root.attribute("aria-labelledby"),
        Some(ids.join(" ").as_str())
    );
    let shown: Vec<&str> = document
        .descendants()
        .filter(|node| node.has_tag_name(("http://www.w3.org/2000/svg", "text")))
        .filter_map(|node| node.text())
        .collect();
    assert_eq!(
        shown,
        [
            "b",
            "web",
            "x<script>&\"'\u{fffd}]]>-->",
            "managed",
            "external",
            "base"
        ]
    );
    assert!(
        !document
            .descendants()
            .any(|node| node.tag_name().name() == "script")
    );
    roxmltree::Document::parse(&svg(&Graph::default())).unwrap();
}

/// Graphs without circles: edges lead from smaller to larger numbers.
pub(super) fn any_graph() -> impl Strategy<Value = Graph> {
    prop::collection::vec((0usize..24, 0usize..24), 0..40).prop_map(|pairs| {
        let names: Vec<String> = (0..24).map(|number| format!("n{number:02}")).collect();
        let nodes = names
            .iter()
            .map(|name| Node::new(name, Kind::Managed, String::new()))
            .collect();
        let edges: BTreeSet<(usize, usize)> = pairs
            .into_iter()
            .filter(|(a, b)| a != b)
            .map(|(a, b)| (a.min(b), a.max(b)))
            .collect();
        Graph::joined(nodes, &edges.into_iter().collect::<Vec<_>>())
    })
}

proptest! {
    #[test]
    fn depth_and_order_put_bases_first(graph in any_graph()) {
        for (from, to) in graph.edges() {
            prop_assert!(from.depth < to.depth);
        }
        for (at, node) in graph.nodes().iter().enumerate() {
            let deepest = graph.at(graph.bases(at)).map(|base| base.depth + 1).max();
            prop_assert_eq!(node.depth, deepest.unwrap_or(0));
            for place in graph.all_dependents(at) {
                prop_assert!(graph.all_bases(place).contains(&at));
            }
            let cascade = graph.cascade(at);
            let named: Vec<&str> = cascade.iter().map(|rebuild| rebuild.image).collect();
            prop_assert_eq!(named.len(), graph.all_dependents(at).len());
            for (place, rebuild) in cascade.iter().enumerate() {
                prop_assert!(rebuild.after.iter().all(|name| named[..place].contains(name)));
            }
        }
        prop_assert_eq!(graph.order().len(), graph.nodes().len());
    }

    #[test]
    fn everything_is_drawn_and_alike_each_time(graph in any_graph()) {
        let view = View { about: None, verbose: false, when: &|_| String::new() };
        let page = human(&graph, &view);
        let drawing = svg(&graph);
        prop_assert!(roxmltree::Document::parse(&drawing).is_ok());
        for node in graph.nodes() {
            prop_assert!(page.contains(&node.name));
            let shown = format!(">{}</text>", node.name);
            prop_assert!(drawing.contains(&shown), "{}", node.name);
        }
        prop_assert_eq!(svg(&graph), drawing);
    }
}
