//! The graph for machines.

use serde_json::{Map, Value, json};

use super::{Graph, Node};

/// `{"nodes": [{"name", "kind", …}], "edges": [{"from", "to"}], "depth", "order"}`: the
/// edges lead from what is built on to what is built, `order` has the managed images,
/// each after all that it is built on.
#[must_use]
pub fn json(graph: &Graph) -> Map<String, Value> {
    let node = |node: &Node| {
        json!({
            "name": node.name,
            "kind": node.kind.as_str(),
            "reference": node.reference,
            "depth": node.depth,
        })
    };
    let nodes: Vec<Value> = graph.nodes().iter().map(node).collect();
    let edges: Vec<Value> = graph
        .edges()
        .map(|(from, to)| json!({"from": from.name, "to": to.name}))
        .collect();
    let order: Vec<&str> = graph.order().iter().map(|node| &*node.name).collect();
    let mut object = Map::new();
    object.insert("nodes".to_owned(), nodes.into());
    object.insert("edges".to_owned(), edges.into());
    object.insert("depth".to_owned(), graph.depth().into());
    object.insert("order".to_owned(), order.into());
    object
}
