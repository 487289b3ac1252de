//! The reference beside the arms: another kind of model on the same rows.

use crate::experiment::reference::Reference;
use crate::math::statistics::{Bootstrap, BootstrapKind, median};
use crate::report::analysis::Analysis;
use crate::report::findings::{Estimate, bootstrap_rng};
use crate::report::number::{digits, percent};
use crate::train::Kernel;

/// What tables call it.
pub const NAME: &str = "(svm)";

/// Median share of test rows told right, with its interval; `None` where no reference was asked for.
pub fn accuracy(analysis: &Analysis) -> Option<Estimate> {
    let sample: Vec<f64> = analysis.reference.iter().map(|row| row.test).collect();
    let bootstrap = Bootstrap {
        kind: BootstrapKind::Percentile,
        resamples: analysis.findings.rule.resamples,
        confidence: analysis.findings.confidence,
    };
    let of = |sample: &[f64]| median(sample).unwrap_or(f64::NAN);
    median(&sample).map(|value| Estimate { value, interval: bootstrap.interval(&sample, of, &mut bootstrap_rng()) })
}

/// The reference in words.
pub fn sentence(analysis: &Analysis) -> Option<String> {
    let Some(Reference::SupportVectorMachine(settings)) = &analysis.experiment.reference else { return None };
    let estimate = accuracy(analysis)?;
    let kernel = match settings.kernel {
        Kernel::Linear => "linear",
        Kernel::Radial { .. } => "radial",
    };
    let interval = estimate.interval.map_or(String::new(), |interval| {
        let level = percent(analysis.findings.confidence);
        format!(" ({level} CI {:.3} to {:.3})", interval.low, interval.high)
    });
    let vectors: Vec<f64> = analysis.reference.iter().map(|row| row.support_vectors as f64).collect();
    Some(format!(
        "For reference: a support vector machine ({kernel} kernel, C = {}) tells a median of {:.3}{interval} of the test rows \
         right, by {} support vectors. It was trained on the same training rows, is charged to no arm, and is no contestant.",
        digits(settings.cost.get(), 3),
        estimate.value,
        digits(median(&vectors).unwrap_or(f64::NAN), 3),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture::referred;
    use crate::report::text::summary_text;

    #[test]
    fn it_stands_beside_the_arms_and_is_marked_as_none() {
        let text = summary_text(&referred());
        assert!(text.lines().any(|line| line.trim_start().starts_with(NAME) && line.contains("0.950")), "{text}");
        let words = sentence(&referred()).unwrap();
        let begin = "For reference: a support vector machine (radial kernel, C = 1) tells a median of 0.950 (95% CI ";
        assert!(words.starts_with(begin) && words.contains("by 41 support vectors"), "{words}");
    }
}
