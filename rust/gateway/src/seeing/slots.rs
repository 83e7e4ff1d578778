//! A bounded list that grows without a lock: labels of metrics that become known as they come up.

use std::sync::OnceLock;

/// At most `N` things; what comes after them is told apart no more.
pub struct Slots<T, const N: usize>([OnceLock<T>; N]);

impl<T, const N: usize> Default for Slots<T, N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T, const N: usize> Slots<T, N> {
    pub const fn new() -> Self {
        Self([const { OnceLock::new() }; N])
    }

    /// The position of the thing that is meant, which is made if there is none; `N` if there is no room for it.
    pub fn place(&self, is_it: impl Fn(&T) -> bool, make: impl Fn() -> T) -> usize {
        // Another thread may have filled the slot with something else in between.
        let is_here = |slot: &OnceLock<T>| is_it(slot.get_or_init(&make));
        self.0.iter().position(is_here).unwrap_or(N)
    }

    pub fn get(&self, at: usize) -> Option<&T> {
        self.0.get(at)?.get()
    }

    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter().map_while(OnceLock::get)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_keep_their_place_and_the_list_its_bound() {
        let slots: Slots<u16, 2> = Slots::new();
        let place = |status: u16| slots.place(|known| *known == status, || status);
        assert_eq!([200, 404, 200, 500, 404].map(place), [0, 1, 0, 2, 1]);
        assert_eq!(slots.iter().collect::<Vec<_>>(), [&200, &404]);
    }
}
