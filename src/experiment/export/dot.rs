//! A picture for Graphviz: every unit and link, negative weights red, thick where they are large beside the others of their
//! layer; above [`MOST_LINKS`] links one box for each layer.
//!
#![doc = concat!("```sh\n", include_str!("dot.sh"), "```")]

use super::{Description, Export};
use crate::error::Result;
use crate::experiment::search::{GraphModel, quoted};
use std::fmt::Write;

/// Links that a picture can show.
pub const MOST_LINKS: usize = 2000;

/// Graphviz's language.
pub struct Dot;

impl Export for Dot {
    fn word(&self) -> &'static str {
        "dot"
    }

    fn about(&self) -> &'static str {
        "a picture for Graphviz: units and links, or layers where there are too many"
    }

    fn extension(&self) -> &'static str {
        "dot"
    }

    fn recipe(&self) -> &'static str {
        include_str!("dot.sh")
    }

    fn write(&self, description: &Description) -> Result<Vec<u8>> {
        let links: usize = description.layers.iter().map(|layer| layer.inputs * layer.outputs).sum();
        let mut text = String::from("digraph network {\n  rankdir=LR;\n  node [shape=ellipse];\n");
        if links > MOST_LINKS {
            boxes(description, &mut text)
        } else {
            units(description, &mut text)
        }
        text.push_str("}\n");
        Ok(text.into_bytes())
    }

    fn write_graph(&self, graph: &GraphModel, _: &Description) -> Option<Result<Vec<u8>>> {
        Some(Ok(graph.drawn.dot().into_bytes()))
    }
}

/// Writing to a text cannot fail, so results of `writeln!` are dropped here.
fn boxes(description: &Description, text: &mut String) {
    _ = writeln!(text, "  l0 [label=\"{} inputs\", shape=box];", description.inputs.len());
    for (index, layer) in description.layers.iter().enumerate() {
        let (before, at) = (index, index + 1);
        _ = writeln!(text, "  l{at} [label=\"{} x {}\", shape=box];", layer.outputs, layer.function.name());
        _ = writeln!(text, "  l{before} -> l{at} [label=\"{} weights\"];", layer.inputs * layer.outputs);
    }
}

fn units(description: &Description, text: &mut String) {
    let last = description.layers.len();
    for (input, name) in description.inputs.iter().enumerate() {
        _ = writeln!(text, "  l0_{input} [label=\"{}\", shape=box];", quoted(name));
    }
    for (index, layer) in description.layers.iter().enumerate() {
        let at = index + 1;
        let largest = layer.weights.iter().flatten().fold(f32::MIN_POSITIVE, |most, weight| most.max(weight.abs()));
        for (unit, weights) in layer.weights.iter().enumerate() {
            let function = layer.function.name();
            // One unit for two classes speaks for the second.
            let target = if description.classification && layer.outputs == 1 { 1 } else { unit };
            let name = description.targets.get(target).filter(|_| at == last);
            let label = name.map_or_else(|| function.clone(), |name| format!("{name}\n{function}"));
            let shape = if at == last { "box" } else { "ellipse" };
            _ = writeln!(text, "  l{at}_{unit} [label=\"{}\", shape={shape}];", quoted(&label));
            for (input, weight) in weights.iter().enumerate() {
                let color = if *weight < 0.0 { "red" } else { "black" };
                let width = 0.2 + 2.8 * weight.abs() / largest;
                _ = writeln!(
                    text,
                    "  l{index}_{input} -> l{at}_{unit} [color={color}, penwidth={width:.2}, tooltip=\"{weight}\"];"
                );
            }
        }
    }
    for (layer, width) in
        std::iter::once(description.inputs.len()).chain(description.layers.iter().map(|l| l.outputs)).enumerate()
    {
        let members: Vec<String> = (0..width).map(|unit| format!("l{layer}_{unit};")).collect();
        _ = writeln!(text, "  {{ rank=same; {} }}", members.join(" "));
    }
}

#[cfg(test)]
mod tests {
    use super::super::Format;
    use super::super::fixture::{models, wide};
    use super::MOST_LINKS;

    #[test]
    fn every_link_is_drawn_or_every_layer() {
        for model in models() {
            let text = String::from_utf8(model.export(&Format::Dot).unwrap()).unwrap();
            assert_eq!(text.matches(" -> ").count(), model.network.multiply_adds());
            let negative = model.network.layers().iter().flat_map(|layer| &model.params[layer.weights.clone()]);
            assert_eq!(text.matches("color=red").count(), negative.filter(|weight| **weight < 0.0).count());
            assert!(text.contains("say \\\"x\\\""), "{text}");
        }
        let wide = wide();
        assert!(wide.network.multiply_adds() > MOST_LINKS);
        let text = String::from_utf8(wide.export(&Format::Dot).unwrap()).unwrap();
        assert_eq!(text.matches(" -> ").count(), wide.network.layers().len());
    }
}
