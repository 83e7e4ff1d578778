//! Topics of a text: shares that explain best how often each word comes, searched for in steps, row by row.

use super::sparse::{only, Part};
use super::Lower;
use crate::error::{ArtifactError, Code};
use crate::plan::access::{reads, writes, Access, Visitor};
use crate::plan::block::{Block, Step};
use crate::plan::element::{Element, Register, SparseRegister, Vector};
use crate::plan::{Lowering, TensorName};
use serde::Deserialize;
use std::sync::Arc;

/// An artifact cannot keep a row busy for long.
const MOST_STEPS: u32 = 100_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Topics {
    weights: TensorName,
    prior: f64,
    change: f64,
    steps: u32,
    count: usize,
}

impl Lower for Topics {
    fn lower(
        self,
        lowering: &mut Lowering<'_>,
        inputs: Vec<Vector>,
    ) -> Result<Vector, ArtifactError> {
        let input = lowering.one(inputs)?;
        lowering.check_width(self.count)?;
        if self.steps > MOST_STEPS {
            return Err(lowering.error(&format!("takes at most {MOST_STEPS} steps")));
        }
        let weights = lowering.numbers(&self.weights, input.len() * self.count)?;
        let is_whole = |part: &Part| lowering.builder.sparse_width(part.source) == input.len();
        let words = match only(lowering, &input).filter(is_whole) {
            Some(Part { source, .. }) => Words::Sparse(source),
            None => Words::Dense(
                input.iter().map(|element| lowering.number(element)).collect::<Result<_, _>>()?,
            ),
        };
        let targets = lowering.outputs(&input, self.count);
        let output = targets.iter().map(|target| Element::Number(*target)).collect();
        lowering.builder.push(TopicsStep {
            words,
            search: Search {
                weights,
                count: self.count,
                prior: self.prior,
                change: self.change,
                steps: self.steps,
            },
            fields: lowering.builder.origins(&input),
            targets,
        });
        Ok(output)
    }
}

/// Where the counts of the words are.
enum Words {
    Sparse(SparseRegister),
    Dense(Vec<Register>),
}

struct Search {
    /// How much each word speaks for each topic: `weights[word * count + topic]`.
    weights: Vec<f64>,
    count: usize,
    prior: f64,
    /// The search ends where topics change by less in the mean.
    change: f64,
    steps: u32,
}

impl Search {
    /// The shares of the topics (sklearn/decomposition/_lda.py, `_update_doc_distribution`).
    ///
    /// Hoffman, Blei, Bach: Online Learning for Latent Dirichlet Allocation (2010), the E step of algorithm 2.
    fn topics(&self, words: &[(u32, f64)], topics: &mut [f64], factors: &mut [f64]) {
        topics.fill(1.0);
        self.expect(topics, factors);
        let mut last = topics.to_vec();
        for _ in 0..self.steps {
            topics.fill(0.0);
            for (word, times) in words {
                let start = *word as usize * self.count;
                let weights = &self.weights[start..start + self.count];
                let likely: f64 = weights.iter().zip(&*factors).map(|(x, y)| x * y).sum();
                let part = times / (likely + f64::EPSILON);
                topics.iter_mut().zip(weights).for_each(|(topic, weight)| *topic += part * weight);
            }
            for (topic, factor) in topics.iter_mut().zip(&*factors) {
                *topic = *topic * factor + self.prior;
            }
            self.expect(topics, factors);
            let change: f64 = topics.iter().zip(&last).map(|(x, y)| (x - y).abs()).sum();
            if change / (self.count as f64) < self.change {
                break;
            }
            last.copy_from_slice(topics);
        }
        let total: f64 = topics.iter().sum();
        topics.iter_mut().for_each(|topic| *topic /= total);
    }

    /// The exponential of what the logarithms of Dirichlet's shares are on average.
    fn expect(&self, topics: &[f64], factors: &mut [f64]) {
        let total = digamma(topics.iter().sum());
        let pairs = factors.iter_mut().zip(topics);
        pairs.for_each(|(factor, topic)| *factor = (digamma(*topic) - total).exp());
    }
}

/// The derivative of the logarithm of the gamma function (sklearn/decomposition/_online_lda_fast.pyx, `psi`).
fn digamma(mut x: f64) -> f64 {
    const EULER: f64 = 0.577_215_664_901_532_9;
    if x <= 1e-6 {
        return -EULER - 1.0 / x;
    }
    let mut result = 0.0;
    while x < 6.0 {
        result -= 1.0 / x;
        x += 1.0;
    }
    let inverse = 1.0 / x;
    result += x.ln() - 0.5 * inverse;
    let square = inverse * inverse;
    result - square * (1.0 / 12.0 - square * (1.0 / 120.0 - square * (1.0 / 252.0)))
}

struct TopicsStep {
    words: Words,
    search: Search,
    fields: Arc<[usize]>,
    targets: Vec<Register>,
}

impl TopicsStep {
    /// The words that a row has, and how often.
    fn words(&self, block: &Block<'_>, row: usize, words: &mut Vec<(u32, f64)>) {
        words.clear();
        match &self.words {
            Words::Sparse(source) => words.extend_from_slice(block.sparse(*source).row(row)),
            Words::Dense(sources) => {
                words.extend((0..).zip(sources.iter().map(|source| block.number(*source)[row])))
            }
        }
        words.retain(|(_, times)| *times != 0.0);
    }
}

impl Step for TopicsStep {
    fn run(&self, block: &mut Block<'_>) {
        let mut words = Vec::new();
        let (mut topics, mut factors) =
            (vec![0.0; self.targets.len()], vec![0.0; self.targets.len()]);
        for row in 0..block.rows {
            self.words(block, row, &mut words);
            if let Some((_, times)) = words.iter().find(|(_, times)| *times < 0.0) {
                block.refuse(row, Code::OutOfRange, &self.fields, *times);
            }
            self.search.topics(&words, &mut topics, &mut factors);
            for (target, topic) in self.targets.iter().zip(&topics) {
                block.number_mut(*target)[row] = *topic;
            }
        }
    }

    fn registers(&mut self, visit: &mut Visitor<'_>) {
        match &mut self.words {
            Words::Sparse(source) => visit(Access::ReadsSparse(source)),
            Words::Dense(sources) => reads(visit, sources),
        }
        writes(visit, &mut self.targets);
    }

    fn refuses(&self) -> bool {
        true
    }

    fn describe(&self) -> String {
        format!("{} topics, in at most {} steps", self.search.count, self.search.steps)
    }

    fn memory(&self) -> usize {
        size_of_val(self.search.weights.as_slice())
    }
}

#[cfg(test)]
mod checks {
    use super::*;

    #[test]
    fn test_digamma_is_the_derivative_of_the_logarithm_of_factorials() {
        // Of the series three terms are kept; the fourth is 1 / (240 x⁸), for an x of 6 or more.
        assert!((digamma(1.0) + 0.577_215_664_901_532_9).abs() < 3e-9);
        for x in [0.1, 0.5, 3.0, 40.0] {
            assert!((digamma(x + 1.0) - digamma(x) - 1.0 / x).abs() < 3e-9);
        }
    }

    #[test]
    fn test_a_text_without_words_has_topics_of_the_prior() {
        let weights = vec![0.9, 0.1, 0.2, 0.8];
        let search = Search { weights, count: 2, prior: 0.5, change: 1e-3, steps: 100 };
        let (mut topics, mut factors) = ([0.0; 2], [0.0; 2]);
        search.topics(&[], &mut topics, &mut factors);
        assert_eq!(topics, [0.5, 0.5]);
        search.topics(&[(0, 9.0)], &mut topics, &mut factors);
        assert!(topics[0] > 0.9 && (topics[0] + topics[1] - 1.0).abs() < 1e-12);
    }
}
