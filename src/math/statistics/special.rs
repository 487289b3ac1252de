//! Distribution functions, from `libm` alone so that every platform gives the same bits.

use std::f64::consts::{FRAC_1_SQRT_2, PI};

/// Probability that a standard normal number is at most `x`; precise in the lower tail.
pub fn normal_cdf(x: f64) -> f64 {
    0.5 * libm::erfc(-x * FRAC_1_SQRT_2)
}

/// The `x` below which a standard normal number falls with this probability; infinite at 0 and 1, NaN outside.
pub fn normal_quantile(probability: f64) -> f64 {
    if probability > 0.5 {
        return -normal_quantile(1.0 - probability);
    }
    if probability == 0.0 {
        return f64::NEG_INFINITY;
    }
    if probability.is_nan() || probability < 0.0 {
        return f64::NAN;
    }
    // Abramowitz & Stegun 26.2.23 to 4.5e-4, then Halley's steps, each tripling the correct digits.
    let t = (-2.0 * libm::log(probability)).sqrt();
    let numerator = 2.515517 + t * (0.802853 + t * 0.010328);
    let denominator = 1.0 + t * (1.432788 + t * (0.189269 + t * 0.001308));
    let mut x = numerator / denominator - t;
    for _ in 0..3 {
        let density = libm::exp(-0.5 * x * x) / (2.0 * PI).sqrt();
        let newton = (normal_cdf(x) - probability) / density;
        x -= newton / (1.0 + 0.5 * x * newton);
    }
    x
}

/// Probability that Student's t with `freedom` > 0 degrees of freedom is at least as far from 0 as `t`.
pub fn student_t_two_sided(t: f64, freedom: f64) -> f64 {
    incomplete_beta(freedom / 2.0, 0.5, freedom / (freedom + t * t))
}

/// Probability that F with (`upper`, `lower`) > 0 degrees of freedom exceeds `f` ≥ 0.
pub fn f_tail(f: f64, upper: f64, lower: f64) -> f64 {
    incomplete_beta(lower / 2.0, upper / 2.0, lower / (lower + upper * f))
}

/// Probability that chi-squared with `freedom` > 0 degrees of freedom exceeds `x` ≥ 0.
pub fn chi_squared_tail(x: f64, freedom: f64) -> f64 {
    let (a, x) = (freedom / 2.0, x / 2.0);
    if x.is_nan() || a.is_nan() {
        return f64::NAN;
    }
    if x <= 0.0 {
        return 1.0;
    }
    if x == f64::INFINITY {
        return 0.0;
    }
    let front = libm::exp(a * libm::log(x) - x - libm::lgamma(a));
    if x < a + 1.0 {
        // Series of the lower incomplete gamma function (NIST DLMF 8.11.4).
        let (mut term, mut sum, mut n) = (1.0 / a, 1.0 / a, a);
        while term > sum * f64::EPSILON {
            n += 1.0;
            term *= x / n;
            sum += term;
        }
        (1.0 - front * sum).max(0.0)
    } else {
        // Continued fraction of the upper one (NIST DLMF 8.9.2).
        let terms = (1..).map(|i| {
            let i = f64::from(i);
            (i * (a - i), x + 2.0 * i + 1.0 - a)
        });
        front / continued_fraction(x + 1.0 - a, terms)
    }
}

/// Regularized incomplete beta function I_x(a, b) for a, b > 0 and x in [0, 1] (NIST DLMF 8.17.22).
fn incomplete_beta(a: f64, b: f64, x: f64) -> f64 {
    if x.is_nan() || a.is_nan() || b.is_nan() {
        return f64::NAN;
    }
    if x <= 0.0 || x >= 1.0 {
        return if x <= 0.0 { 0.0 } else { 1.0 };
    }
    // The fraction converges fast on this side only.
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - incomplete_beta(b, a, 1.0 - x);
    }
    let log_beta = libm::lgamma(a) + libm::lgamma(b) - libm::lgamma(a + b);
    let front = libm::exp(a * libm::log(x) + b * libm::log1p(-x) - log_beta) / a;
    let terms = (1..).map(|i: u32| {
        let m = f64::from(i / 2);
        let term = if i.is_multiple_of(2) {
            m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m))
        } else {
            -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0))
        };
        (term, 1.0)
    });
    front / continued_fraction(1.0, terms)
}

/// b₀ + a₁/(b₁ + a₂/(b₂ + …)) from its terms (aᵢ, bᵢ): Lentz's method as modified by Thompson & Barnett 1986.
fn continued_fraction(first: f64, terms: impl Iterator<Item = (f64, f64)>) -> f64 {
    const TINY: f64 = 1e-300;
    let away_from_zero = |x: f64| if x == 0.0 { TINY } else { x };
    let mut value = away_from_zero(first);
    let (mut c, mut d) = (value, 0.0);
    for (a, b) in terms.take(10_000) {
        d = 1.0 / away_from_zero(b + a * d);
        c = away_from_zero(b + a / c);
        value *= c * d;
        if (c * d - 1.0).abs() < 1e-15 {
            break;
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::super::assert_close;
    use super::*;

    // All expected numbers: scipy 1.17.1, scipy.stats.{norm, t, f, chi2}.

    #[test]
    fn normal_is_that_of_scipy() {
        let cdf = [(-8.0, 6.22096057427174e-16), (-1.5, 0.06680720126885807), (0.0, 0.5), (4.0, 0.9999683287581669)];
        cdf.iter().for_each(|&(x, expected)| assert_close(normal_cdf(x), expected, 1e-12));
        let quantiles = [
            (1e-300, -37.0470962993612),
            (1e-10, -6.361340902404056),
            (0.025, -1.9599639845400545),
            (0.3, -0.5244005127080409),
            (0.975, 1.959963984540054),
            (0.999999, 4.753424308817087),
        ];
        quantiles.iter().for_each(|&(p, expected)| assert_close(normal_quantile(p), expected, 1e-12));
        assert_eq!((normal_quantile(0.0), normal_quantile(1.0)), (f64::NEG_INFINITY, f64::INFINITY));
        assert!(normal_quantile(0.5).abs() < 1e-15 && normal_quantile(-0.1).is_nan() && normal_quantile(1.1).is_nan());
    }

    #[test]
    fn tails_are_those_of_scipy() {
        let t = [
            (2.0, 5.0, 0.10193947882985835),
            (0.1, 1.0, 0.936548965138893),
            (-12.0, 30.0, 5.580185415199261e-13),
            (1.96, 1000.0, 0.050273184955748736),
        ];
        t.iter().for_each(|&(t, df, expected)| assert_close(student_t_two_sided(t, df), expected, 1e-11));
        let f = [
            (3.5, 2.0, 14.0, 0.05852766346593508),
            (0.2, 5.0, 3.0, 0.9423311143775628),
            (50.0, 1.0, 1.0, 0.08943852195031553),
            (1.0, 10.0, 200.0, 0.4447636404417511),
        ];
        f.iter().for_each(|&(f, upper, lower, expected)| assert_close(f_tail(f, upper, lower), expected, 1e-11));
        let chi = [
            (3.84, 1.0, 0.05004352124870519),
            (10.0, 4.0, 0.04042768199451279),
            (0.5, 7.0, 0.9994464813904249),
            (200.0, 100.0, 1.1784500720979781e-08),
            (300.0, 3.0, 9.948758346327588e-65),
        ];
        chi.iter().for_each(|&(x, df, expected)| assert_close(chi_squared_tail(x, df), expected, 1e-11));
    }

    #[test]
    fn tails_end_at_nothing_and_everything() {
        assert_eq!((student_t_two_sided(0.0, 3.0), student_t_two_sided(f64::INFINITY, 3.0)), (1.0, 0.0));
        assert_eq!((f_tail(0.0, 2.0, 3.0), f_tail(f64::INFINITY, 2.0, 3.0)), (1.0, 0.0));
        assert_eq!((chi_squared_tail(0.0, 3.0), chi_squared_tail(f64::INFINITY, 3.0)), (1.0, 0.0));
        assert!(chi_squared_tail(f64::NAN, 1.0).is_nan() && f_tail(f64::NAN, 1.0, 1.0).is_nan());
    }
}
