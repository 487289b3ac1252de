//! Numbers as a reader wants them: three digits, no more.

/// Three significant digits: `0.0312`, `1.75`, `212`, `4.9e-7`; `–` for what is no number.
pub fn short(x: f64) -> String {
    digits(x, 3)
}

/// The given number of significant digits, without trailing zeros after the point; tiny and huge numbers with an
/// exponent.
pub fn digits(x: f64, significant: usize) -> String {
    if x.is_nan() {
        return "–".into();
    }
    if x.is_infinite() {
        return if x > 0.0 { "∞".into() } else { "−∞".into() };
    }
    if x == 0.0 {
        return "0".into();
    }
    // Rounding to the wanted digits first: 0.000 999 96 is written as 0.001.
    let scientific = format!("{:.*e}", significant - 1, x);
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..6).contains(&exponent) {
        let decimals = (significant as i32 - 1 - exponent).max(0) as usize;
        trimmed(&format!("{x:.decimals$}"))
    } else {
        format!("{}e{exponent}", trimmed(mantissa))
    }
}

/// Two decimals, for ratios: `0.93`, `1.75`; more of them where they would all be 0, fewer above 10.
pub fn ratio(x: f64) -> String {
    match x.abs() {
        size if size >= 1e4 || (size > 0.0 && size < 0.0095) => digits(x, 2),
        size if size > 0.0 && size < 0.095 => format!("{x:.3}"),
        size if size >= 100.0 => format!("{x:.0}"),
        size if size >= 10.0 => format!("{x:.1}"),
        _ => format!("{x:.2}"),
    }
}

/// A cost: `640`, `212 k`, `1.04 M`, `3.5 G`.
pub fn amount(x: f64) -> String {
    let units = [(1e12, " T"), (1e9, " G"), (1e6, " M"), (1e3, " k")];
    if !x.is_finite() {
        return digits(x, 3);
    }
    for (size, unit) in units {
        // 999 600 is 1 M, not 1000 k.
        if x.abs() >= size * 0.9995 {
            return digits(x / size, 3) + unit;
        }
    }
    digits(x, 3)
}

/// A whole percentage; `<1%` and `>99%` where rounding would hide that something is there.
pub fn percent(share: f64) -> String {
    let percent = share * 100.0;
    match percent {
        p if p.is_nan() => "–".into(),
        p if p > 0.0 && p < 0.5 => "<1%".into(),
        p if (99.5..100.0).contains(&p) => ">99%".into(),
        p => format!("{p:.0}%"),
    }
}

/// `p < 0.001` or `p = 0.012`.
pub fn p_value(p: f64) -> String {
    match p {
        p if p < 0.001 => "p < 0.001".into(),
        p if p >= 0.995 => "p = 1".into(),
        p if p < 0.01 => format!("p = {p:.3}"),
        // 0.0496 must not read as 0.05.
        p if (0.045..0.055).contains(&p) => format!("p = {p:.4}"),
        p if p < 0.1 => format!("p = {p:.3}"),
        p => format!("p = {p:.2}"),
    }
}

fn trimmed(text: &str) -> String {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_three_digits() {
        let cases = [
            (0.031234, "0.0312"),
            (0.00099996, "0.001"),
            (212.4, "212"),
            (123456.0, "123456"),
            (4.893e-7, "4.89e-7"),
            (-1.5, "-1.5"),
            (0.0, "0"),
            (f64::INFINITY, "∞"),
            (2.5e9, "2.5e9"),
        ];
        for (x, text) in cases {
            assert_eq!(short(x), text);
        }
    }

    #[test]
    fn amounts_ratios_and_p_values_read_well() {
        assert_eq!(
            [640.0, 212_345.0, 999_600.0, 1.96e6, 3.5e9].map(amount),
            ["640", "212 k", "1 M", "1.96 M", "3.5 G"]
        );
        assert_eq!([1.7512, 0.934, 0.0123, 53.21, 412.3].map(ratio), ["1.75", "0.93", "0.012", "53.2", "412"]);
        assert_eq!(
            [1e-9, 0.0121, 0.0496, 0.31, 1.0].map(p_value),
            ["p < 0.001", "p = 0.012", "p = 0.0496", "p = 0.31", "p = 1"]
        );
        assert_eq!([0.0, 0.001, 0.526, 0.999, 1.0].map(percent), ["0%", "<1%", "53%", ">99%", "100%"]);
    }
}
