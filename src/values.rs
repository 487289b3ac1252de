//! Numbers that cannot be wrong: parsed once, never checked again.

use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;

macro_rules! checked_number {
    ($(#[$doc:meta])* $name:ident($inner:ty), $must:literal, $accepts:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize, Deserialize)]
        #[serde(try_from = "f64", into = "f64")]
        pub struct $name($inner);

        impl $name {
            /// The number, checked.
            ///
            /// # Errors
            /// A number outside the type's range, or one that is not finite.
            pub fn new(value: f64) -> Result<Self> {
                $name::try_from(value).map_err(|message| Error::experiment("P0121", message))
            }

            /// The number.
            pub fn get(self) -> f64 {
                self.0
            }

            /// The number in single precision.
            pub fn f32(self) -> f32 {
                self.0 as f32
            }
        }

        impl TryFrom<f64> for $name {
            type Error = String;
            fn try_from(value: f64) -> std::result::Result<Self, String> {
                if !value.is_finite() {
                    return Err("must be a finite number".into());
                }
                let accepts: fn(f64) -> bool = $accepts;
                if accepts(value) { Ok($name(value)) } else { Err(format!("{}, found {value}", $must)) }
            }
        }

        impl From<$name> for f64 {
            fn from(value: $name) -> f64 {
                value.0
            }
        }
    };
}

checked_number!(
    /// A share or a rate: 0 to 1, both included.
    Probability(f64), "must be between 0 and 1", |x| (0.0..=1.0).contains(&x));
checked_number!(
    /// Above 0.
    Positive(f64), "must be above 0", |x| x > 0.0);
checked_number!(
    /// 0 or above.
    NonNegative(f64), "must be 0 or above", |x| x >= 0.0);
checked_number!(
    /// 1 or above.
    AtLeastOne(f64), "must be 1 or above", |x| x >= 1.0);
checked_number!(
    /// Selection pressure of a ranking: 1 to 2, both included.
    Pressure(f64), "must be between 1 and 2", |x| (1.0..=2.0).contains(&x));
checked_number!(
    /// Any finite number.
    Finite(f64), "must be a finite number", |_| true);

/// A whole number of things, at least 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "u64")]
pub struct Count(u64);

impl Count {
    /// A count.
    ///
    /// # Errors
    /// Zero.
    pub fn new(value: u64) -> Result<Count> {
        i64::try_from(value)
            .map_err(|_| format!("must be at most {}, found {value}", 1_u64 << 40))
            .and_then(Count::try_from)
            .map_err(|message| Error::experiment("P0121", message))
    }

    /// The number.
    pub fn get(self) -> usize {
        self.0 as usize
    }
}

impl TryFrom<i64> for Count {
    type Error = String;
    fn try_from(value: i64) -> std::result::Result<Count, String> {
        // 2^40 of anything fits no machine; the cap keeps later products inside 128 bits.
        if value < 1 {
            Err(format!("must be at least 1, found {value}"))
        } else if value > 1 << 40 {
            Err(format!("must be at most {}, found {value}", 1_u64 << 40))
        } else {
            Ok(Count(value as u64))
        }
    }
}

impl From<Count> for u64 {
    fn from(value: Count) -> u64 {
        value.0
    }
}

/// A fitness: lower is better, and every number that is not finite is [`Fitness::WORST`].
///
/// The order is total; equal values are told apart by whoever compares, by the lower index.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "f64", into = "f64")]
pub struct Fitness(f64);

impl From<f64> for Fitness {
    fn from(loss: f64) -> Fitness {
        Fitness::new(loss)
    }
}

impl From<Fitness> for f64 {
    fn from(fitness: Fitness) -> f64 {
        fitness.0
    }
}

impl Fitness {
    /// Worse than every finite fitness.
    pub const WORST: Fitness = Fitness(f64::INFINITY);

    /// The fitness of a loss.
    pub fn new(loss: f64) -> Fitness {
        // `+ 0.0` makes −0 equal to 0 in the total order.
        if loss.is_finite() { Fitness(loss + 0.0) } else { Fitness::WORST }
    }

    /// The loss; infinite for [`Fitness::WORST`].
    pub fn get(self) -> f64 {
        self.0
    }

    /// A whole number in the same order.
    fn bits(self) -> u64 {
        let bits = self.0.to_bits();
        if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
    }

    /// Whether this is the fitness of a finite loss.
    pub fn is_finite(self) -> bool {
        self.0.is_finite()
    }
}

impl Eq for Fitness {}

impl PartialOrd for Fitness {
    fn partial_cmp(&self, other: &Fitness) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Fitness {
    fn cmp(&self, other: &Fitness) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

/// Indices from the best fitness to the worst; equal ones keep their order. Reads as a slice.
#[derive(Clone, Debug, Default)]
pub struct Ranking {
    order: Vec<u32>,
    keys: Vec<u64>,
}

impl Ranking {
    /// Ranks these; memory is reused.
    pub fn rank(&mut self, fitness: &[Fitness]) {
        // Half of the fitness and the index as one whole number: the fastest thing to sort, and nearly always enough.
        let key = |(index, fitness): (u32, &Fitness)| fitness.bits() >> 32 << 32 | u64::from(index);
        self.keys.clear();
        self.keys.extend((0..).zip(fitness).map(key));
        self.keys.sort_unstable();
        self.order.clear();
        self.order.extend(self.keys.iter().map(|key| *key as u32));
        let mut places = &mut self.order[..];
        for alike in self.keys.chunk_by(|a, b| a >> 32 == b >> 32) {
            let (here, rest) = places.split_at_mut(alike.len());
            if here.len() > 1 {
                here.sort_unstable_by_key(|&index| (fitness[index as usize], index));
            }
            places = rest;
        }
    }
}

impl std::ops::Deref for Ranking {
    type Target = [u32];
    fn deref(&self) -> &[u32] {
        &self.order
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_non_finite_loss_is_the_worst() {
        for bad in [f64::NAN, -f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(Fitness::new(bad), Fitness::WORST);
            assert!(Fitness::new(1e300) < Fitness::new(bad));
        }
        assert_eq!(Fitness::new(-0.0).cmp(&Fitness::new(0.0)), Ordering::Equal);
    }

    #[test]
    fn ties_go_to_the_lower_index() {
        let mut ranking = Ranking::default();
        ranking.rank(&[2.0, 1.0, f64::NAN, 1.0, f64::NAN].map(Fitness::new));
        assert_eq!(ranking[..], [1, 3, 0, 2, 4]);
        let signed = [0.5, -3.0, -0.0, 1e-310, f64::INFINITY, -1e300, 0.0, 2.0].map(Fitness::new);
        ranking.rank(&signed);
        assert!(ranking.windows(2).all(|pair| {
            let [better, worse] = [pair[0], pair[1]].map(|index| (signed[index as usize], index));
            better < worse
        }));
    }

    #[test]
    fn ranges_are_checked_with_the_value_in_the_message() {
        assert_eq!(Probability::try_from(10.0).unwrap_err(), "must be between 0 and 1, found 10");
        assert_eq!(Positive::try_from(f64::NAN).unwrap_err(), "must be a finite number");
        assert_eq!(Count::try_from(-40).unwrap_err(), "must be at least 1, found -40");
        assert!(NonNegative::new(0.0).is_ok() && Finite::new(-3.0).is_ok());
    }

    #[test]
    fn counts_are_read_from_ron_and_refused_with_the_value() {
        assert_eq!(ron::from_str::<Count>("20").unwrap(), Count::new(20).unwrap());
        let refused = |text| ron::from_str::<Count>(text).unwrap_err().to_string();
        assert!(refused("-40").contains("must be at least 1, found -40"));
        assert!(refused("2000000000000").contains("must be at most 1099511627776, found 2000000000000"));
        assert!(Count::new(u64::MAX).is_err());
    }
}
