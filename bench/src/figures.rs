//! Figures from repeated measurements, and how they are written.

use std::time::Duration;

/// Figures of several rounds.
#[derive(Default, Clone)]
pub(crate) struct Figures(pub(crate) Vec<f64>);

impl Figures {
    pub(crate) fn push(&mut self, figure: f64) {
        self.0.push(figure);
    }

    /// Between two figures, as far from each as `share` says: the median of two is their mean.
    pub(crate) fn quantile(&self, share: f64) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
        let at = share * last as f64;
        let (low, high) = (sorted[at.floor() as usize], sorted[at.ceil() as usize]);
        low + (high - low) * at.fract()
    }

    pub(crate) fn median(&self) -> f64 {
        self.quantile(0.5)
    }

    /// The median, and the least and the greatest in brackets.
    pub(crate) fn spread(&self, write: impl Fn(f64) -> String) -> String {
        let [low, middle, high] = [0.0, 0.5, 1.0].map(|share| write(self.quantile(share)));
        format!("{middle} ({low}–{high})")
    }
}

impl FromIterator<f64> for Figures {
    fn from_iter<T: IntoIterator<Item = f64>>(figures: T) -> Figures {
        Figures(figures.into_iter().collect())
    }
}

/// A whole number with its thousands apart.
pub(crate) fn whole(figure: f64) -> String {
    let digits = format!("{figure:.0}");
    let mut out = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            out.push('\u{a0}');
        }
        out.push(digit);
    }
    out
}

pub(crate) fn one(figure: f64) -> String {
    format!("{figure:.1}")
}

pub(crate) fn two(figure: f64) -> String {
    format!("{figure:.2}")
}

pub(crate) fn three(figure: f64) -> String {
    format!("{figure:.3}")
}

/// Microseconds for each of `count`.
pub(crate) fn micros_each(time: Duration, count: usize) -> f64 {
    time.as_secs_f64() * 1e6 / count as f64
}

pub(crate) fn per_second(count: usize, time: Duration) -> f64 {
    count as f64 / time.as_secs_f64()
}
