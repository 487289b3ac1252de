//! Mixtures of Gaussians.

use super::super::{Dataset, LoadContext, Source};
use super::{class_count, count, many_classes, room, stream};
use crate::error::Result;
use crate::values::{Count, Positive};
use serde::{Deserialize, Serialize};

/// Each class is a mixture of round Gaussians, all of one weight and one standard deviation, whose centres are uniform on
/// \[−1, 1) in every input; classes `0`, `1` …
///
/// Row i lies in class i mod `classes`, and the rows of a class go through its Gaussians in turn, so no class is ever
/// empty. How far classes overlap is a matter of `spread`. As Hastie, Tibshirani & Friedman 2009, §2.3.3, draw two
/// classes from ten Gaussians each.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Mixture {
    /// Rows, at least as many as classes; default 400.
    pub samples: Count,
    /// Inputs; default 2.
    pub features: Count,
    /// Classes, 2 to 1000; default 3.
    pub classes: Count,
    /// Gaussians of each class; default 2.
    pub components: Count,
    /// Standard deviation of each Gaussian in every input, above 0; default 0.2.
    pub spread: Positive,
    /// Seed of centres and rows; default 0.
    pub seed: u64,
}

impl Default for Mixture {
    fn default() -> Mixture {
        let (two, spread) = (count(2), Positive::new(0.2).expect("above 0"));
        Mixture { samples: count(400), features: two, classes: count(3), components: two, spread, seed: 0 }
    }
}

impl Source for Mixture {
    fn load(&self, context: &LoadContext) -> Result<Dataset> {
        let [samples, features, components] = [self.samples, self.features, self.components].map(Count::get);
        let mut inputs = room(samples, features)?;
        let classes = class_count(self.classes, samples)?;
        let mut rng = stream(self.seed);
        // A centre without a row is none.
        let gaussians = components.min(samples.div_ceil(classes)) * classes;
        let mut centres = room(gaussians, features)?;
        centres.extend((0..gaussians * features).map(|_| rng.uniform64().mul_add(2.0, -1.0)));
        for row in 0..samples {
            let centre = &centres[row % gaussians * features..][..features];
            inputs.extend(centre.iter().map(|middle| self.spread.get().mul_add(rng.normal(), *middle)));
        }
        // The number of Gaussians is a multiple of the number of classes.
        let labels = (0..samples).map(|row| (row % classes) as u32).collect();
        many_classes("mixture", context, inputs, labels, classes)
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::TargetKind;
    use super::super::tests::{load, values};
    use super::*;

    #[test]
    fn rows_lie_around_the_centres_of_their_class() {
        let spread = Positive::new(0.01).unwrap();
        let mixture = Mixture { samples: count(6000), features: count(3), spread, ..Mixture::default() };
        let dataset = load(&mixture, TargetKind::Classes).unwrap();
        assert_eq!(values(&dataset)[..4], [0.0, 1.0, 2.0, 0.0]);
        // Six Gaussians in turn: within each, rows have the spread that was asked for.
        for gaussian in 0..6 {
            let rows: Vec<_> = dataset.inputs.rows().into_iter().skip(gaussian).step_by(6).collect();
            for axis in 0..3 {
                let mean = rows.iter().map(|x| x[axis]).sum::<f64>() / 1000.0;
                let variance = rows.iter().map(|x| (x[axis] - mean) * (x[axis] - mean)).sum::<f64>() / 1000.0;
                assert!((-1.01..1.01).contains(&mean) && (variance.sqrt() - 0.01).abs() < 0.001, "{mean} {variance}");
            }
        }
    }

    #[test]
    fn numbers_and_lonely_classes_are_refused() {
        for (mixture, kind, code) in [
            (Mixture::default(), TargetKind::Values, "P0209"),
            (Mixture { classes: count(1), ..Mixture::default() }, TargetKind::Classes, "P0121"),
            (Mixture { samples: count(2), ..Mixture::default() }, TargetKind::Classes, "P0121"),
            (
                Mixture { classes: count(1001), samples: count(2000), ..Mixture::default() },
                TargetKind::Classes,
                "P0121",
            ),
        ] {
            let error = load(&mixture, kind).unwrap_err();
            assert!(error.code() == code && !error.problems()[0].helps.is_empty(), "{error}");
        }
        let many = Mixture { components: count(1 << 40), ..Mixture::default() };
        assert!(load(&many, TargetKind::Classes).is_ok(), "Gaussians without rows are not drawn");
    }
}
