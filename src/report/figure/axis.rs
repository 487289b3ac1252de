//! Scales and their ticks.

use crate::report::number::digits;

/// How the numbers at the ticks are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ticks {
    /// `0.001`, `10⁻⁷`.
    Plain,
    /// `200 k`, `2 M`.
    Amounts,
    /// `40%`.
    Percent,
    /// Whole numbers only.
    Counts,
    /// `−180°`, in steps of parts of a turn.
    Degrees,
}

#[derive(Clone, Debug, PartialEq)]
enum Scale {
    Linear,
    Logarithmic,
    Categories(Vec<String>),
}

/// An axis: what it shows, from where to where.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    scale: Scale,
    low: f64,
    high: f64,
    pub(super) label: String,
    ticks: Ticks,
    bare: bool,
}

impl Axis {
    /// From the least to the greatest finite value, with some air.
    pub fn linear(values: impl IntoIterator<Item = f64>, label: impl Into<String>) -> Axis {
        let (low, high) = range(values, |_| true).unwrap_or((0.0, 1.0));
        // So that their distance is a number too.
        let (low, high) = (low.max(-1e300), high.min(1e300));
        let air = if high > low { 0.04 * (high - low) } else { 0.5 * low.abs().max(1.0) };
        Axis::between(low - air, high + air, label)
    }

    /// Exactly this range.
    pub fn between(low: f64, high: f64, label: impl Into<String>) -> Axis {
        Axis { scale: Scale::Linear, low, high, label: label.into(), ticks: Ticks::Plain, bare: false }
    }

    /// Logarithmic if all finite values are 0 or above and one is above, else linear. Zeros lie on the lower edge.
    pub fn logarithmic(values: impl IntoIterator<Item = f64>, label: impl Into<String>) -> Axis {
        let values: Vec<f64> = values.into_iter().collect();
        let (Some((low, high)), true) =
            (range(values.iter().copied(), |x| x > 0.0), values.iter().all(|x| x.is_nan() || *x >= 0.0))
        else {
            return Axis::linear(values, label);
        };
        let air = libm::pow(high / low, 0.03).clamp(1.05, 10.0);
        let (low, high) = ((low / air).max(f64::MIN_POSITIVE), (high * air).min(f64::MAX));
        Axis { scale: Scale::Logarithmic, low, high, label: label.into(), ticks: Ticks::Plain, bare: false }
    }

    /// One place a name, at 0, 1, 2 …
    pub fn categories(names: Vec<String>, label: impl Into<String>) -> Axis {
        let high = names.len() as f64 - 0.5;
        Axis { scale: Scale::Categories(names), low: -0.5, high, label: label.into(), ticks: Ticks::Plain, bare: false }
    }

    /// With other numbers at the ticks.
    pub fn written(self, ticks: Ticks) -> Axis {
        Axis { ticks, ..self }
    }

    /// Starting at this value instead.
    pub fn from(self, low: f64) -> Axis {
        Axis { low, ..self }
    }

    /// Ending at this value instead.
    pub fn to(self, high: f64) -> Axis {
        Axis { high, ..self }
    }

    /// With another label.
    pub fn named(self, label: impl Into<String>) -> Axis {
        Axis { label: label.into(), ..self }
    }

    /// Without ticks.
    pub fn bare(self) -> Axis {
        Axis { bare: true, ..self }
    }

    /// Whether it has no ticks.
    pub fn is_bare(&self) -> bool {
        self.bare
    }

    /// Where the axis begins and ends.
    pub fn range(&self) -> (f64, f64) {
        (self.low, self.high)
    }

    /// Whether it is logarithmic.
    pub fn is_logarithmic(&self) -> bool {
        self.scale == Scale::Logarithmic
    }

    /// Whether it has names instead of numbers.
    pub fn has_categories(&self) -> bool {
        matches!(self.scale, Scale::Categories(_))
    }

    /// Place of a value between the ends, 0 to 1; what lies outside goes to the nearer end.
    pub fn share(&self, value: f64) -> f64 {
        let share = match self.scale {
            Scale::Logarithmic if value <= 0.0 => 0.0,
            Scale::Logarithmic => libm::log(value / self.low) / libm::log(self.high / self.low),
            _ => (value - self.low) / (self.high - self.low),
        };
        if share.is_nan() { 0.0 } else { share.clamp(0.0, 1.0) }
    }

    /// The value at a place between the ends, 0 to 1.
    pub fn value(&self, share: f64) -> f64 {
        match self.scale {
            Scale::Logarithmic => self.low * libm::exp(share * libm::log(self.high / self.low)),
            _ => self.low + share * (self.high - self.low),
        }
    }

    /// Ticks with their texts, for `length` pixels with about `spacing` between two of them.
    pub fn labelled(&self, length: f64, spacing: f64) -> Vec<(f64, String)> {
        if self.bare {
            return Vec::new();
        }
        let most = (length / spacing).floor().max(2.0);
        match &self.scale {
            Scale::Categories(names) => {
                names.iter().enumerate().map(|(place, name)| (place as f64, name.clone())).collect()
            }
            Scale::Linear => {
                let counts = self.ticks == Ticks::Counts;
                let most = if counts { most.min((self.high - self.low).max(1.0)) } else { most };
                let ticks = match self.ticks {
                    Ticks::Degrees => degree_ticks(self.low, self.high, most),
                    _ => linear_ticks(self.low, self.high, most),
                };
                // A single tick is no scale.
                let few = ticks.len() < 2 && !counts;
                let ticks = if few { linear_ticks(self.low, self.high, most + 2.0) } else { ticks };
                ticks.into_iter().map(|x| (x, self.write(x))).collect()
            }
            Scale::Logarithmic => {
                let decades = (libm::log10(self.high).floor() - libm::log10(self.low).ceil()).max(0.0) + 1.0;
                let mantissas: &[f64] = if libm::log10(self.high / self.low) < 1.6 && 3.0 * decades <= most + 2.0 {
                    &[1.0, 2.0, 5.0]
                } else {
                    &[1.0]
                };
                let every = (decades / most).ceil().max(1.0) as i32;
                let ticks: Vec<f64> = self.decades(mantissas, every);
                if ticks.len() < 2 {
                    // Less than a decade: plain steps are what a reader can use.
                    let ticks = linear_ticks(self.low, self.high, most.min(5.0));
                    return ticks.into_iter().filter(|x| *x > 0.0).map(|x| (x, self.write(x))).collect();
                }
                ticks.into_iter().map(|x| (x, self.write(x))).collect()
            }
        }
    }

    /// Small ticks without text.
    pub fn unlabelled(&self) -> Vec<f64> {
        match self.scale {
            Scale::Logarithmic if libm::log10(self.high / self.low) < 6.0 => {
                self.decades(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0], 1)
            }
            Scale::Logarithmic => self.decades(&[1.0], 1),
            _ => Vec::new(),
        }
    }

    fn decades(&self, mantissas: &[f64], every: i32) -> Vec<f64> {
        // No double-precision number has a larger exponent; an end that is none must not make ticks for ever.
        let exponent = |x: f64| libm::log10(x).clamp(-330.0, 330.0);
        let (first, last) = (exponent(self.low).floor() as i32, exponent(self.high).ceil() as i32);
        let exponents = (first..=last).filter(|exponent| exponent.rem_euclid(every) == 0);
        let ticks = exponents.flat_map(|exponent| mantissas.iter().map(move |m| m * libm::exp10(f64::from(exponent))));
        ticks.filter(|x| (self.low..=self.high).contains(x)).collect()
    }

    fn write(&self, x: f64) -> String {
        match self.ticks {
            Ticks::Plain | Ticks::Counts => plain(x),
            Ticks::Amounts => amount(x),
            Ticks::Degrees => format!("{}°", plain(x)),
            Ticks::Percent => format!("{}%", digits(x * 100.0, 3)),
        }
    }
}

fn range(values: impl IntoIterator<Item = f64>, counts: fn(f64) -> bool) -> Option<(f64, f64)> {
    let values = values.into_iter().filter(|x| x.is_finite() && counts(*x));
    values.fold(None, |range, x| Some(range.map_or((x, x), |(low, high): (f64, f64)| (low.min(x), high.max(x)))))
}

/// Multiples of 1, 2 or 5 times a power of ten, at most `most` of them.
fn linear_ticks(low: f64, high: f64, most: f64) -> Vec<f64> {
    let rough = (high - low) / most;
    if !(rough > 0.0 && rough.is_finite()) {
        return vec![low];
    }
    let power = libm::exp10(libm::log10(rough).floor());
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|m| m * power).find(|step| *step >= rough * 0.999);
    let step = step.unwrap_or(10.0 * power);
    let (first, last) = ((low / step - 1e-9).ceil() as i64, (high / step + 1e-9).floor() as i64);
    // Counting in whole steps keeps 0.3 from being 0.30000000000000004; a negative zero would get a sign.
    (first..=last).map(|count| count as f64 * step + 0.0).collect()
}

/// Multiples of an even part of a turn, at most one more than `most`; finer than 15° as any number.
fn degree_ticks(low: f64, high: f64, most: f64) -> Vec<f64> {
    let step = [15.0, 30.0, 45.0, 90.0, 180.0, 360.0].into_iter().find(|step| (high - low) / step <= most);
    match step.filter(|step| high - low >= 2.0 * step) {
        Some(step) => {
            ((low / step).ceil() as i64..=(high / step).floor() as i64).map(|count| count as f64 * step).collect()
        }
        None => linear_ticks(low, high, most),
    }
}

fn plain(x: f64) -> String {
    let size = x.abs();
    if x == 0.0 || (1e-3..1e5).contains(&(size * 1.000001)) {
        return digits(x, 6).replace('-', "−");
    }
    let text = format!("{x:.2e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let mantissa = mantissa.trim_end_matches('0').trim_end_matches('.').replace('-', "−");
    let power = format!("10{}", exponent.chars().map(superscript).collect::<String>());
    match mantissa.as_str() {
        "1" => power,
        "−1" => format!("−{power}"),
        mantissa => format!("{mantissa}×{power}"),
    }
}

fn superscript(c: char) -> char {
    match c {
        '-' => '⁻',
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        c => c.to_digit(10).and_then(|digit| char::from_u32(0x2070 + digit)).unwrap_or(c),
    }
}

fn amount(x: f64) -> String {
    let units = [(1e12, " T"), (1e9, " G"), (1e6, " M"), (1e3, " k")];
    let unit = units.into_iter().find(|(size, _)| x.abs() >= size * 0.9999);
    unit.map_or_else(|| plain(x), |(size, unit)| format!("{}{unit}", digits(x / size, 4)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(axis: &Axis, length: f64) -> Vec<String> {
        axis.labelled(length, 50.0).into_iter().map(|(_, text)| text).collect()
    }

    #[test]
    fn ticks_are_few_and_readable() {
        let cases = [
            (Axis::linear([0.0, 1.0], ""), 400.0, "0 0.2 0.4 0.6 0.8 1"),
            (Axis::between(-1.0, 1.0, ""), 300.0, "−1 −0.5 0 0.5 1"),
            (Axis::logarithmic([1e-9, 2.0], ""), 250.0, "10⁻⁸ 10⁻⁶ 10⁻⁴ 0.01 1"),
            (Axis::logarithmic([0.011, 0.9], ""), 250.0, "0.01 0.1 1"),
            (Axis::logarithmic([140.0, 2e6], "").written(Ticks::Amounts), 500.0, "1 k|10 k|100 k|1 M"),
            (Axis::logarithmic([0.3, 0.5], ""), 250.0, "0.3 0.35 0.4 0.45 0.5"),
            (Axis::between(0.0, 1.0, "").written(Ticks::Percent), 250.0, "0% 20% 40% 60% 80% 100%"),
            (Axis::between(-180.0, 180.0, "").written(Ticks::Degrees), 150.0, "−180° 0° 180°"),
            (
                Axis::between(-180.0, 180.0, "").written(Ticks::Degrees),
                400.0,
                "−180° −135° −90° −45° 0° 45° 90° 135° 180°",
            ),
        ];
        for (axis, length, expected) in cases {
            let found = texts(&axis, length).join(if expected.contains('|') { "|" } else { " " });
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn odd_data_still_make_an_axis() {
        assert!(!Axis::logarithmic([-1.0, 1.0], "").is_logarithmic());
        let zeros = Axis::logarithmic([0.0, 1.0, 10.0, f64::INFINITY], "");
        assert!(zeros.is_logarithmic() && zeros.share(0.0) == 0.0 && zeros.share(f64::INFINITY) == 1.0);
        for axis in
            [Axis::linear([], ""), Axis::logarithmic([], ""), Axis::linear([3.0], ""), Axis::logarithmic([7.0], "")]
        {
            assert!(!texts(&axis, 200.0).is_empty() && axis.share(f64::NAN) == 0.0);
        }
        for ends in [[1e-3, 1e308], [f64::MIN_POSITIVE, f64::MAX], [-f64::MAX, f64::MAX], [1e308, f64::MAX]] {
            for axis in
                [Axis::linear(ends, ""), Axis::logarithmic(ends, ""), Axis::logarithmic([1.0], "").to(f64::INFINITY)]
            {
                assert!(texts(&axis, 200.0).len() < 100 && axis.unlabelled().len() < 10_000, "{ends:?}");
                assert!(axis.share(ends[0]).is_finite() && axis.share(ends[1]).is_finite(), "{ends:?}");
            }
        }
    }
}
