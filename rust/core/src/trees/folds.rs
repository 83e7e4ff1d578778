//! What is before the numbers that trees test: the number at the beginning of a chain, or a code.

use crate::plan::builder::{Builder, Lookup};
use crate::plan::chain::Fold;
use crate::plan::element::{Element, Register};
use foldhash::HashMap;
use std::sync::Arc;

/// Functions and looked up numbers that are kept for all elements together; what comes then is tested as it is made.
const MOST_KEPT: usize = 1 << 20;

/// The tested numbers of an ensemble.
#[derive(Default)]
pub struct Folds {
    pub numbers: HashMap<Register, Fold>,
    /// Numbers that ascend with a code.
    pub ordinals: HashMap<Register, Arc<Lookup>>,
}

impl Folds {
    /// `features` are the elements that are tested; they need not be checked yet.
    pub fn new(features: &[i32], input: &[Element], builder: &Builder) -> Self {
        let (mut folds, mut kept) = (Self::default(), 0);
        for feature in features {
            let element = usize::try_from(*feature).ok().and_then(|feature| input.get(feature));
            let Some(Element::Number(register)) = element else { continue };
            if kept > MOST_KEPT || folds.numbers.contains_key(register) {
                continue;
            }
            let fold = builder.fold(*register);
            kept += fold.chain.scalars().len();
            if let Some(lookup) = builder.ordinal(&fold) {
                kept += lookup.values.len();
                folds.ordinals.insert(*register, Arc::new(lookup));
            }
            folds.numbers.insert(*register, fold);
        }
        folds
    }

    /// Whether the number can be missing in a row that was not refused.
    pub fn may_be_missing(&self, register: Register) -> bool {
        self.numbers.get(&register).is_none_or(Fold::can_be_missing)
    }
}
