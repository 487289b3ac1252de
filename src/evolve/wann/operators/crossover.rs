//! Two parents.

use crate::evolve::wann::Genome;
use crate::rng::Rng;

/// The fitter parent's genome; of the genes that both have (equal innovation number or name), the weight or activation
/// comes from either with equal chance.
///
/// Which connections there are, and which are enabled, is the fitter's: so no path is cut and no circle closed
/// (after Stanley & Miikkulainen 2002, section 3.2, where disjoint genes are the fitter's too).
pub fn cross(fitter: &Genome, other: &Genome, rng: &mut Rng) -> Genome {
    let mut child = fitter.clone();
    for node in &mut child.nodes[fitter.shape().first_hidden() as usize..] {
        if let Ok(at) = other.nodes.binary_search_by_key(&node.id, |node| node.id)
            && rng.coin()
        {
            node.activation = other.nodes[at].activation;
        }
    }
    for connection in &mut child.connections {
        let matching = other.connections.binary_search_by_key(&connection.innovation, |gene| gene.innovation);
        if let Ok(at) = matching
            && rng.coin()
        {
            connection.weight = other.connections[at].weight;
        }
    }
    child
}

#[cfg(test)]
mod tests {
    use super::super::tests::{apply, grown};
    use super::super::{AddNode, ChangeActivation};
    use super::*;
    use crate::evolve::wann::genome::tests::rng;

    #[test]
    fn matching_genes_come_from_either_parent_and_the_rest_from_the_fitter() {
        let fitter = grown(5, 10);
        let mut other = fitter.clone();
        (0..20).for_each(|seed| assert!(apply(&ChangeActivation, &mut other, seed)));
        other.connections.iter_mut().for_each(|gene| gene.weight = 2.0);
        assert!(apply(&AddNode, &mut other, 99));
        let child = cross(&fitter, &other, &mut rng(0));
        assert_eq!(child.nodes().len(), fitter.nodes().len());
        let inherited = |at: usize| [fitter.nodes()[at].activation, other.nodes()[at].activation];
        assert!((0..child.nodes().len()).all(|at| inherited(at).contains(&child.nodes()[at].activation)));
        assert_ne!(child.nodes(), fitter.nodes());
        let shape = |genome: &Genome| {
            genome
                .connections()
                .iter()
                .map(|gene| (gene.innovation, gene.from, gene.to, gene.enabled))
                .collect::<Vec<_>>()
        };
        assert_eq!(shape(&child), shape(&fitter));
        let heavy = child.connections().iter().filter(|gene| gene.weight == 2.0).count();
        assert!(heavy > 0 && heavy < child.connections().len());
        assert_eq!(cross(&fitter, &fitter, &mut rng(1)), fitter);
    }
}
