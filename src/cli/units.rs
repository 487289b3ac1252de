//! Bytes and seconds as people write and read them.

/// Bytes of a text such as `4GiB`, `500MB`, `1.5 GB` or `1000000`.
pub fn parse_bytes(text: &str) -> Result<u128, String> {
    let wrong = || "write a size such as 4GiB, 500MB or 2000000000".to_owned();
    let text = text.trim();
    let (number, unit) = text.split_at(text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len()));
    let number: f64 = number.trim().replace('_', "").parse().map_err(|_| wrong())?;
    let factor = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1.0,
        "k" | "kb" => 1e3,
        "kib" => 1024.0,
        "m" | "mb" => 1e6,
        "mib" => 1048576.0,
        "g" | "gb" => 1e9,
        "gib" => 1073741824.0,
        "t" | "tb" => 1e12,
        "tib" => 1099511627776.0,
        _ => return Err(wrong()),
    };
    if number > 0.0 && number < 1e18 { Ok((number * factor) as u128) } else { Err(wrong()) }
}

/// Memory that programs may still take, as far as the system tells.
pub fn available_memory() -> Option<u128> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kibibytes: u128 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

/// `under 1 s`, `about 90 s`, `14 min`, `3.2 h`, `12 days`.
pub fn seconds(seconds: f64) -> String {
    match seconds {
        s if s < 1.0 => "under 1 s".into(),
        s if s < 100.0 => format!("about {s:.0} s"),
        s if s < 6000.0 => format!("about {:.0} min", s / 60.0),
        s if s < 172_800.0 => format!("about {:.1} h", s / 3600.0),
        s if s < 3e9 => format!("about {:.0} days", s / 86_400.0),
        s => format!("about {:.0} years", s / 31_557_600.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_people_write_them() {
        assert_eq!(parse_bytes("4GiB"), Ok(4 << 30));
        assert_eq!(parse_bytes("1.5 gb"), Ok(1_500_000_000));
        assert_eq!(parse_bytes("2_000"), Ok(2000));
        assert!(["", "GiB", "-1GB", "4 apples", "NaN", "inf"].iter().all(|text| parse_bytes(text).is_err()));
    }
}
