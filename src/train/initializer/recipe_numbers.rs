//! The numbers of recipes: plain data for files, and vectors that a search can move.

use super::recipe::Recipe;
use crate::error::{Error, Result};
use crate::math::Activation;
use crate::values::{Finite, NonNegative, Positive, Probability};
use serde::{Deserialize, Serialize};

/// Families of recipes whose numbers are data. Each one contains those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RecipeFamily {
    /// The five numbers of [`SimpleNumbers`].
    Simple,
    /// The fifteen numbers of [`V1Numbers`].
    V1,
}

/// A number of a family: what it may be, and how a search moves it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Field {
    /// Its name in files.
    pub name: &'static str,
    /// Least value.
    pub least: f64,
    /// Greatest value.
    pub most: f64,
    /// On which scale equal steps mean about the same.
    pub scale: Scale,
    /// A step on that scale that may well show.
    pub step: f64,
    /// The value without which a reader understands the recipe better, if there is one.
    pub neutral: Option<f64>,
}

/// A scale on which a search moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// Of lengths, spreads and penalties.
    Logarithmic,
    /// Of shares and exponents.
    Linear,
}

impl Field {
    /// The value so many steps away from `from`, within what may be; `from` itself at 0.
    pub fn moved(&self, from: f64, steps: f64) -> f64 {
        let value = match self.scale {
            Scale::Logarithmic => from * libm::exp(steps * self.step),
            Scale::Linear => from + steps * self.step,
        };
        // `max` and `min` take the bound for what is no number.
        value.max(self.least).min(self.most)
    }

    /// How many steps lead from `from` to `to`, both within what may be.
    pub fn steps(&self, from: f64, to: f64) -> f64 {
        match self.scale {
            Scale::Logarithmic => libm::log(to / from) / self.step,
            Scale::Linear => (to - from) / self.step,
        }
    }
}

/// A family's numbers for one kind of unit: the structure, its table of fields, and both ways between it and a slice.
macro_rules! numbers {
    (
        $(#[$about:meta])*
        pub struct $name:ident {
            $($(#[$doc:meta])* $field:ident: $type:ident, $least:literal to $most:literal, $scale:ident by $step:literal, $neutral:expr;)+
        }
    ) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            $($(#[$doc])* pub $field: $type,)+
        }

        impl $name {
            /// What each number may be, in the order of the fields.
            pub const FIELDS: &[Field] = &[$(Field {
                name: stringify!($field),
                least: $least,
                most: $most,
                scale: Scale::$scale,
                step: $step,
                neutral: $neutral,
            },)+];

            /// The numbers in the order of the fields.
            pub fn to_vec(&self) -> Vec<f64> {
                vec![$(self.$field.get()),+]
            }

            /// The numbers from as many, in the order of the fields.
            ///
            /// # Errors
            /// A number that its field may never be (`P0121`).
            pub fn of(numbers: &[f64]) -> Result<$name> {
                let mut numbers = numbers.iter().copied();
                Ok($name { $($field: $type::new(numbers.next().unwrap_or(f64::NAN))?,)+ })
            }

            fn check(&self, units: &str) -> Result<()> {
                check(&self.to_vec(), $name::FIELDS, units)
            }
        }
    };
}

numbers! {
    /// The five numbers of `Simple` for one kind of unit.
    pub struct SimpleNumbers {
        /// Standard deviation of the sums in the first hidden layer, at most 1000.
        first_spread: Positive, 1e-6 to 1e3, Logarithmic by 0.25, None;
        /// The same in deeper ones.
        deeper_spread: Positive, 1e-6 to 1e3, Logarithmic by 0.25, None;
        /// How far hyperplanes lie from their anchors towards the mean of all rows: 0 to 1.
        centring: Probability, 0.0 to 1.0, Linear by 0.2, None;
        /// Scale of the targets of the output's regression, where they are classes; at most 1000.
        output_scale: Positive, 1e-6 to 1e3, Logarithmic by 0.3, None;
        /// Penalty of that regression, in variances of the last activations; 1e-12 to 1e6.
        output_penalty: Positive, 1e-12 to 1e6, Logarithmic by 1.5, None;
    }
}

numbers! {
    /// The numbers of `V1` for one kind of unit, in a layer of m units with n inputs each.
    ///
    /// Directions get a length, `first_length · (m/10)^units_power · (n/8)^inputs_power · m^(crowding_power/n)`, and
    /// `deeper_length · (m/10)^units_power` in deeper layers; then each is stretched by
    /// (spread / standard deviation of its sums)^stretching.
    pub struct V1Numbers {
        /// Length of the directions in a first hidden layer of 10 units with 8 inputs, before they are stretched; of no
        /// account where stretching is 1.
        first_length: Positive, 1e-6 to 1e3, Logarithmic by 0.25, None;
        /// The same in a deeper layer of 10 units.
        deeper_length: Positive, 1e-6 to 1e3, Logarithmic by 0.25, None;
        /// How the length grows with the units of the layer: a power, -3 to 3.
        units_power: Finite, -3.0 to 3.0, Linear by 0.2, Some(0.0);
        /// How it grows with the inputs of the first hidden layer, likewise.
        inputs_power: Finite, -3.0 to 3.0, Linear by 0.2, Some(0.0);
        /// How much longer many units on few inputs are: the power of m, times n, likewise.
        crowding_power: Finite, -3.0 to 3.0, Linear by 0.2, Some(0.0);
        /// Standard deviation that the sums of the first hidden layer are stretched towards.
        first_spread: Positive, 1e-6 to 1e3, Logarithmic by 0.25, None;
        /// The same in deeper ones.
        deeper_spread: Positive, 1e-6 to 1e3, Logarithmic by 0.25, None;
        /// How far: 0 keeps the length, 1 gives every unit the wanted spread.
        stretching: Probability, 0.0 to 1.0, Linear by 0.2, Some(1.0);
        /// How near the hyperplanes of the first hidden layer pass by a training row: 0 at the origin, 1 through it.
        first_anchoring: Probability, 0.0 to 1.0, Linear by 0.2, Some(1.0);
        /// The same in deeper ones.
        deeper_anchoring: Probability, 0.0 to 1.0, Linear by 0.2, Some(0.0);
        /// How widely the hyperplanes of the first hidden layer scatter: their largest random distance.
        first_scatter: NonNegative, 0.0 to 1e3, Linear by 0.2, Some(0.0);
        /// The same in deeper ones.
        deeper_scatter: NonNegative, 0.0 to 1e3, Linear by 0.2, Some(0.0);
        /// How far sums are then moved towards a mean of 0: 0 to 1.
        centring: Probability, 0.0 to 1.0, Linear by 0.2, None;
        /// Scale of the targets of the output's regression, where they are classes; at most 1000.
        output_scale: Positive, 1e-6 to 1e3, Logarithmic by 0.3, None;
        /// Penalty of that regression, in variances of the last activations; 1e-12 to 1e6.
        output_penalty: Positive, 1e-12 to 1e6, Logarithmic by 1.5, None;
    }
}

fn check(numbers: &[f64], fields: &[Field], units: &str) -> Result<()> {
    let text = |x: f64| if x == 0.0 || (1e-2..1e3).contains(&x.abs()) { x.to_string() } else { format!("{x:e}") };
    for (number, Field { name, least, most, .. }) in numbers.iter().zip(fields) {
        if !(*least..=*most).contains(number) {
            let message =
                format!("`{name}` of `{units}` must be between {} and {}, found {number}", text(*least), text(*most));
            return Err(Error::experiment("P0121", message)
                .help(format!("write `{name}: {}`", text(number.clamp(*least, *most)))));
        }
    }
    Ok(())
}

/// A recipe of a family: its numbers for both kinds of unit. What is left out is as it was published.
macro_rules! recipe {
    ($(#[$about:meta])* $name:ident of $numbers:ident) => {
        $(#[$about])*
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub struct $name {
            /// The file that the numbers were read from.
            pub from: Option<String>,
            /// For layers of tanh units, and outputs behind them.
            pub tanh: $numbers,
            /// For layers of ReLU units, and outputs behind them.
            pub relu: $numbers,
        }

        impl $name {
            /// The numbers for a kind of unit.
            pub fn of(&self, units: Activation) -> &$numbers {
                if units == Activation::Tanh { &self.tanh } else { &self.relu }
            }

            /// The published recipe with other numbers for one kind of unit.
            pub fn with(units: Activation, numbers: $numbers) -> $name {
                let mut recipe = $name::default();
                *(if units == Activation::Tanh { &mut recipe.tanh } else { &mut recipe.relu }) = numbers;
                recipe
            }

            /// Refuses numbers that single precision could not work with.
            ///
            /// # Errors
            /// `P0121`, with the nearest number that may be.
            pub fn check(&self) -> Result<()> {
                self.tanh.check("tanh")?;
                self.relu.check("relu")
            }
        }
    };
}

recipe! {
    /// The numbers of a recipe of the family `Simple`. What is left out is as in `Simple` itself.
    ///
    /// A recipe file holds it under its family's name: `Simple(tanh: (…), relu: (…))`.
    SimpleRecipe of SimpleNumbers
}

recipe! {
    /// The numbers of a recipe of the family `V1`. What is left out is as in `V1` itself.
    ///
    /// A recipe file holds it under its family's name: `V1(tanh: (…), relu: (…))`.
    V1Recipe of V1Numbers
}

impl Default for SimpleRecipe {
    fn default() -> SimpleRecipe {
        let of = |numbers: [f64; 5]| SimpleNumbers::of(&numbers).expect("published numbers");
        SimpleRecipe {
            from: None,
            tanh: of([2.01, 1.73, 0.33, 3.32, 1e-3]),
            relu: of([1.0, 1.0, 0.5, 1.65, libm::pow(10.0, -3.5)]),
        }
    }
}

impl Default for V1Recipe {
    fn default() -> V1Recipe {
        let of = |numbers: [f64; 15]| V1Numbers::of(&numbers).expect("published numbers");
        let (long, short) = (libm::exp(1.0), libm::exp(0.6));
        let [tanh_penalty, relu_penalty] = [-3.2, -3.5].map(|power| libm::pow(10.0, power));
        V1Recipe {
            from: None,
            tanh: of([long, short, 0.44, -0.27, 0.19, 0.42, 1.72, 0.27, 1.0, 0.0, 0.0, 0.0, 0.33, 3.39, tanh_penalty]),
            relu: of([1.0, 1.0, 0.0, 0.0, 0.0, 0.78, 1.63, 1.0, 0.41, 1.0, 1.57, 0.04, 0.53, 1.60, relu_penalty]),
        }
    }
}

impl SimpleNumbers {
    /// The same recipe in the family `V1`. It draws other random numbers.
    fn in_v1(&self, units: Activation) -> Result<V1Numbers> {
        let deeper_anchoring = if units == Activation::Tanh { 0.0 } else { 1.0 };
        let [first, deeper, centring, scale, penalty] = self.to_vec()[..] else {
            return Err(Error::internal("a recipe of five numbers has others"));
        };
        let numbers = [1.0, 1.0, 0.0, 0.0, 0.0, first, deeper, 1.0, 1.0, deeper_anchoring, 0.0, 0.0];
        V1Numbers::of(&[&numbers[..], &[centring, scale, penalty]].concat())
    }
}

impl RecipeFamily {
    /// Its name in files.
    pub fn name(self) -> &'static str {
        match self {
            RecipeFamily::Simple => "Simple",
            RecipeFamily::V1 => "V1",
        }
    }

    /// The published recipe of the family.
    pub fn published(self) -> Recipe {
        match self {
            RecipeFamily::Simple => Recipe::Simple,
            RecipeFamily::V1 => Recipe::V1,
        }
    }

    /// What each of its numbers may be.
    pub fn fields(self) -> &'static [Field] {
        match self {
            RecipeFamily::Simple => SimpleNumbers::FIELDS,
            RecipeFamily::V1 => V1Numbers::FIELDS,
        }
    }

    /// The numbers of `recipe` for a kind of unit, as this family has them; `None` for a recipe that it does not contain.
    pub fn numbers(self, recipe: &Recipe, units: Activation) -> Option<Vec<f64>> {
        let (simple, v1) = match recipe {
            Recipe::Simple => (Some(SimpleRecipe::default()), None),
            Recipe::Own(own) => (Some((**own).clone()), None),
            Recipe::V1 => (None, Some(V1Recipe::default())),
            Recipe::OwnV1(own) => (None, Some((**own).clone())),
            Recipe::Free | Recipe::File(_) => (None, None),
        };
        match (self, simple, v1) {
            (RecipeFamily::Simple, Some(simple), _) => Some(simple.of(units).to_vec()),
            (RecipeFamily::V1, Some(simple), _) => simple.of(units).in_v1(units).ok().map(|numbers| numbers.to_vec()),
            (RecipeFamily::V1, _, Some(v1)) => Some(v1.of(units).to_vec()),
            _ => None,
        }
    }

    /// The recipe with these numbers for a kind of unit, and the published ones for the other.
    ///
    /// # Errors
    /// A number that its field may not be (`P0121`).
    pub fn recipe(self, numbers: &[f64], units: Activation) -> Result<Recipe> {
        let recipe = match self {
            RecipeFamily::Simple => Recipe::Own(Box::new(SimpleRecipe::with(units, SimpleNumbers::of(numbers)?))),
            RecipeFamily::V1 => Recipe::OwnV1(Box::new(V1Recipe::with(units, V1Numbers::of(numbers)?))),
        };
        recipe.check_numbers()?;
        Ok(recipe)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_go_into_a_recipe_and_come_back() {
        for family in [RecipeFamily::Simple, RecipeFamily::V1] {
            for units in [Activation::Tanh, Activation::Relu] {
                let published = family.numbers(&family.published(), units).unwrap();
                assert_eq!(published.len(), family.fields().len());
                let recipe = family.recipe(&published, units).unwrap();
                assert_eq!(family.numbers(&recipe, units).unwrap(), published);
                for (place, field) in family.fields().iter().enumerate() {
                    let from = published[place];
                    assert_eq!(field.moved(from, 0.0).to_bits(), from.to_bits(), "{}", field.name);
                    for steps in [-1.5, 0.25, 2.0] {
                        let to = field.moved(from, steps);
                        assert!((field.least..=field.most).contains(&to), "{} {to}", field.name);
                        let mut numbers = published.clone();
                        numbers[place] = to;
                        let recipe = family.recipe(&numbers, units).unwrap();
                        assert_eq!(family.numbers(&recipe, units).unwrap(), numbers);
                        if to > field.least && to < field.most {
                            assert!((field.steps(from, to) - steps).abs() < 1e-9, "{}", field.name);
                        }
                    }
                    for far in [-1e300, 1e300, f64::NAN, f64::INFINITY] {
                        let to = field.moved(from, far);
                        assert!((field.least..=field.most).contains(&to), "{} {far} {to}", field.name);
                    }
                    assert!(field.neutral.is_none_or(|x| (field.least..=field.most).contains(&x)));
                }
            }
        }
    }

    #[test]
    fn a_family_tells_which_recipes_it_contains() {
        let tanh = Activation::Tanh;
        assert_eq!(RecipeFamily::Simple.numbers(&Recipe::V1, tanh), None);
        assert_eq!(RecipeFamily::V1.numbers(&Recipe::Free, tanh), None);
        let simple = RecipeFamily::V1.numbers(&Recipe::Simple, tanh).unwrap();
        assert_eq!(simple[5..10], [2.01, 1.73, 1.0, 1.0, 0.0]);
        assert_eq!(simple[12..], [0.33, 3.32, 1e-3]);
        assert_eq!(RecipeFamily::V1.numbers(&Recipe::Simple, Activation::Relu).unwrap()[9], 1.0);
    }

    #[test]
    fn numbers_beyond_their_range_are_refused_with_the_nearest() {
        let mut numbers = RecipeFamily::V1.numbers(&Recipe::V1, Activation::Relu).unwrap();
        numbers[2] = -4.0;
        let refused = RecipeFamily::V1.recipe(&numbers, Activation::Relu).unwrap_err().to_string();
        assert_eq!(
            refused,
            "error[P0121]: `units_power` of `relu` must be between -3 and 3, found -4\n   = help: write `units_power: -3`"
        );
        assert!(RecipeFamily::V1.recipe(&numbers[..7], Activation::Relu).is_err());
    }
}
