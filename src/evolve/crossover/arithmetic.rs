//! Weighted means.

use super::Cross;
use crate::evolve::Variation;
use crate::evolve::variation::single;
use crate::values::Probability;
use serde::{Deserialize, Serialize};

/// The point (1 − weight) · first + weight · second on the line between the parents (Michalewicz 1992, whole arithmetical).
///
/// Draws the population together, so it wants a mutation that keeps it apart. Means of networks whose hidden units stand in
/// another order are rarely good networks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Arithmetic {
    /// Share of the children that are crossed; 0.7 unless said otherwise.
    #[serde(default = "super::default_rate")]
    pub rate: Probability,
    /// Weight of the second parent, 0 to 1; unless given, each child draws its own from U(0, 1).
    #[serde(default)]
    pub weight: Option<Probability>,
}

impl Cross for Arithmetic {
    fn rate(&self) -> Probability {
        self.rate
    }

    fn cross(&self, child: &mut [f32], other: &[f32], context: &mut Variation) {
        let weight = self.weight.map_or_else(|| context.rng.uniform64(), Probability::get);
        for (gene, other) in child.iter_mut().zip(other) {
            let first = f64::from(*gene);
            *gene = single((f64::from(*other) - first) * weight + first);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::evolve::fixture::{Fixture, read};

    #[test]
    fn a_fixed_weight_is_kept_and_a_drawn_one_lies_between() {
        let fixture = Fixture::new();
        let n = fixture.network.parameters();
        let child = |text: &str, individual| {
            let mut child = vec![1.0; n];
            let operator: crate::evolve::Crossover = read(text).unwrap();
            fixture.vary(individual, |context| operator.cross(&mut child, &vec![3.0; n], context));
            assert!(child.iter().all(|gene| *gene == child[0]), "one weight a child");
            child[0]
        };
        assert_eq!(child("Arithmetic(weight: 0.25)", 0), 1.5);
        let drawn: Vec<f32> = (0..200).map(|individual| child("Arithmetic()", individual)).collect();
        assert!(drawn.iter().all(|gene| (1.0..=3.0).contains(gene)));
        let mean = drawn.iter().sum::<f32>() / 200.0;
        assert!((mean - 2.0).abs() < 0.15, "{mean}");
    }
}
