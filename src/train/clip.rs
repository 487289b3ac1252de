//! Gradient clipping: no step longer than wanted.

use super::norm;
use crate::values::Positive;
use serde::{Deserialize, Serialize};

/// What is done to a gradient that is too long. A gradient that is not finite stays as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub enum Clip {
    /// Nothing.
    #[default]
    None,
    /// The whole gradient is shortened to length `max` if it is longer (Pascanu, Mikolov & Bengio 2013).
    Norm {
        /// Greatest Euclidean length.
        max: Positive,
    },
    /// Each number is moved to between −`max` and `max`.
    Value {
        /// Greatest magnitude.
        max: Positive,
    },
}

impl Clip {
    /// Clips `gradient`, `[parameters]`.
    pub fn apply(&self, gradient: &mut [f32]) {
        match *self {
            Clip::None => {}
            Clip::Norm { max } => {
                let norm = norm(gradient);
                if norm > max.get() && norm.is_finite() {
                    let scale = (max.get() / norm) as f32;
                    gradient.iter_mut().for_each(|g| *g *= scale);
                }
            }
            Clip::Value { max } => {
                if gradient.iter().all(|g| g.is_finite()) {
                    let max = max.f32();
                    gradient.iter_mut().for_each(|g| *g = g.clamp(-max, max));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, gradient: &[f32], expected: &[f32]) {
        let clip: Clip = ron::from_str(text).unwrap();
        let mut clipped = gradient.to_vec();
        clip.apply(&mut clipped);
        let near = |a: &f32, b: &f32| a.to_bits() == b.to_bits() || (a - b).abs() <= 1e-6 * b.abs();
        assert!(clipped.iter().zip(expected).all(|(a, b)| near(a, b)), "{text}: {clipped:?}");
    }

    #[test]
    fn long_gradients_are_shortened_and_short_ones_left() {
        assert_eq!(Clip::default(), Clip::None);
        check("None", &[3e30, -4e30], &[3e30, -4e30]);
        check("Norm(max: 1.0)", &[3.0, -4.0], &[0.6, -0.8]);
        check("Norm(max: 5.0)", &[3.0, -4.0], &[3.0, -4.0]);
        check("Norm(max: 2)", &[3e30, -4e30, 0.0], &[1.2, -1.6, 0.0]);
        check("Norm(max: 6)", &[2.0; 36], &[1.0; 36]);
        check("Value(max: 0.5)", &[3.0, -4.0, 0.25, -0.0], &[0.5, -0.5, 0.25, -0.0]);
        check("Norm(max: 1)", &[], &[]);
    }

    #[test]
    fn what_is_not_finite_stays_to_be_seen() {
        for text in ["Norm(max: 1)", "Value(max: 1)"] {
            check(text, &[f32::NAN, 7.0], &[f32::NAN, 7.0]);
            check(text, &[f32::INFINITY, 7.0], &[f32::INFINITY, 7.0]);
        }
    }

    #[test]
    fn settings_survive_writing_and_wrong_ones_are_refused() {
        for clip in [Clip::None, Clip::Norm { max: Positive::new(0.5).unwrap() }] {
            assert_eq!(ron::from_str::<Clip>(&ron::to_string(&clip).unwrap()).unwrap(), clip);
        }
        for wrong in ["Norm(max: 0)", "Norm", "Value(max: 1, min: 0)"] {
            assert!(ron::from_str::<Clip>(wrong).is_err(), "{wrong}");
        }
    }
}
