//! Metrics in the text format of Prometheus, version 0.0.4.

use super::durations;
use std::fmt::{Display, Write};

/// Pairs of a label and its value.
pub type Labels<'a> = &'a [(&'a str, &'a str)];

/// Families of metrics, one after the other.
#[derive(Default)]
pub struct Exposition {
    pub text: String,
}

impl Exposition {
    /// Begins a family; all its samples come before the next one.
    pub fn family(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to a String cannot fail.
        let _ = write!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
    }

    pub fn sample(&mut self, name: &str, labels: Labels<'_>, value: impl Display) {
        self.text.push_str(name);
        let mut separator = '{';
        for (label, value) in labels {
            self.text.push(separator);
            separator = ',';
            let _ = write!(self.text, "{label}=\"");
            for letter in value.chars() {
                match letter {
                    '\\' => self.text.push_str("\\\\"),
                    '"' => self.text.push_str("\\\""),
                    '\n' => self.text.push_str("\\n"),
                    letter => self.text.push(letter),
                }
            }
            self.text.push('"');
        }
        if !labels.is_empty() {
            self.text.push('}');
        }
        let _ = writeln!(self.text, " {value}");
    }

    /// A family of one sample without labels, where there is a value.
    pub fn single(&mut self, name: &str, kind: &str, help: &str, value: Option<impl Display>) {
        if let Some(value) = value {
            self.family(name, kind, help);
            self.sample(name, &[], value);
        }
    }

    /// A histogram: how many are in each bucket, the last one without an end, and their sum.
    pub fn histogram(
        &mut self,
        name: &str,
        labels: Labels<'_>,
        ends: &[f64],
        (buckets, sum): (&[u64], f64),
    ) {
        let mut total = 0;
        let ends = ends.iter().map(f64::to_string).chain(["+Inf".to_owned()]);
        let bucket = format!("{name}_bucket");
        for (end, count) in ends.zip(buckets) {
            total += count;
            let labels: Vec<_> = labels.iter().copied().chain([("le", end.as_str())]).collect();
            self.sample(&bucket, &labels, total);
        }
        self.sample(&format!("{name}_sum"), labels, sum);
        self.sample(&format!("{name}_count"), labels, total);
    }

    /// Durations, from the counters of their histogram; nothing where there are none yet.
    pub fn durations(&mut self, name: &str, labels: Labels<'_>, counters: &[u64]) {
        let ends: Vec<f64> = durations::ENDS.iter().map(|end| *end as f64 / 1e9).collect();
        let Some((nanoseconds, buckets)) = counters.split_last() else { return };
        if buckets.iter().any(|count| *count > 0) {
            self.histogram(name, labels, &ends, (buckets, *nanoseconds as f64 / 1e9));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_labels_cannot_break_out_of_their_quotes() {
        let mut page = Exposition::default();
        page.sample("a", &[("b", "\"} 1\n\\")], 2);
        assert_eq!(page.text, "a{b=\"\\\"} 1\\n\\\\\"} 2\n");
    }

    #[test]
    fn buckets_add_up() {
        let mut page = Exposition::default();
        page.histogram("h", &[], &[0.5], (&[2, 3], 4.5));
        let expected = "h_bucket{le=\"0.5\"} 2\nh_bucket{le=\"+Inf\"} 5\nh_sum 4.5\nh_count 5\n";
        assert_eq!(page.text, expected);
    }
}
