//! Texts as numbers: classes and categories.

use std::collections::HashMap;

/// Distinct texts, numbered as they come.
#[derive(Debug, Default)]
pub(super) struct Categories {
    codes: HashMap<String, u32>,
    names: Vec<String>,
}

impl Categories {
    /// The number of `name`, a new one if it was not seen before.
    pub fn code(&mut self, name: &str) -> u32 {
        if let Some(code) = self.codes.get(name) {
            return *code;
        }
        let code = self.names.len() as u32;
        self.codes.insert(name.to_owned(), code);
        self.names.push(name.to_owned());
        code
    }

    /// How many were seen.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// The names in their lasting order, numbers by size and anything else by alphabet, and for each code its rank.
    pub fn ordered(self) -> (Vec<String>, Vec<u32>) {
        let numbers: Option<Vec<f64>> =
            self.names.iter().map(|name| name.parse().ok().filter(|x: &f64| x.is_finite())).collect();
        let mut order: Vec<usize> = (0..self.names.len()).collect();
        match numbers {
            Some(x) => order.sort_by(|&a, &b| x[a].total_cmp(&x[b]).then_with(|| self.names[a].cmp(&self.names[b]))),
            None => order.sort_by(|&a, &b| self.names[a].cmp(&self.names[b])),
        }
        let mut rank = vec![0; order.len()];
        order.iter().enumerate().for_each(|(place, &code)| rank[code] = place as u32);
        (order.iter().map(|&code| self.names[code].clone()).collect(), rank)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_by_size_and_words_by_alphabet() {
        let order = |names: &[&str]| {
            let mut categories = Categories::default();
            names.iter().for_each(|name| _ = categories.code(name));
            categories.ordered()
        };
        assert_eq!(order(&["10", "9", "-1"]), (vec!["-1".into(), "9".into(), "10".into()], vec![2, 1, 0]));
        assert_eq!(order(&["10", "9", "b"]).0, ["10", "9", "b"]);
    }
}
