//! CityHash64 in its first version (Pike and Alakuijala, 2011), as CatBoost hashes categories.

const K0: u64 = 0xc3a5_c85c_97cb_3127;
const K1: u64 = 0xb492_b66f_be98_f273;
const K2: u64 = 0x9ae1_6a3b_2f90_404f;
const K3: u64 = 0xc949_d7c7_509e_6557;

/// The hash of these bytes.
pub fn city_hash(bytes: &[u8]) -> u64 {
    match bytes.len() {
        0..=16 => short(bytes),
        17..=32 => medium(bytes),
        33..=64 => longer(bytes),
        _ => long(bytes),
    }
}

/// What chains the hashes of several categories into one, from 0 on (CatBoost, `CalcHash`).
pub fn chained(hash: u64, next: u64) -> u64 {
    const FACTOR: u64 = 0x4906_ba49_4954_cb65;
    FACTOR.wrapping_mul(hash.wrapping_add(FACTOR.wrapping_mul(next)))
}

/// Eight bytes, little-endian; 0 beyond the end, where nobody reads.
fn word(bytes: &[u8], at: usize) -> u64 {
    let found = bytes.get(at..at + 8).and_then(|part| part.try_into().ok());
    found.map_or(0, u64::from_le_bytes)
}

fn half(bytes: &[u8], at: usize) -> u64 {
    let found = bytes.get(at..at + 4).and_then(|part| part.try_into().ok());
    u64::from(found.map_or(0, u32::from_le_bytes))
}

fn byte(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at).map_or(0, |byte| u64::from(*byte))
}

fn shifted(x: u64) -> u64 {
    x ^ (x >> 47)
}

/// 128 bits to 64, as Murmur does it.
fn folded(low: u64, high: u64) -> u64 {
    const FACTOR: u64 = 0x9ddf_ea08_eb38_2d69;
    let first = shifted((low ^ high).wrapping_mul(FACTOR));
    shifted((high ^ first).wrapping_mul(FACTOR)).wrapping_mul(FACTOR)
}

fn short(bytes: &[u8]) -> u64 {
    let length = bytes.len();
    match length {
        9.. => {
            let last = word(bytes, length - 8);
            let turned = last.wrapping_add(length as u64).rotate_right(length as u32);
            folded(word(bytes, 0), turned) ^ last
        }
        4..=8 => folded((length as u64).wrapping_add(half(bytes, 0) << 3), half(bytes, length - 4)),
        1..=3 => {
            let first = byte(bytes, 0) + (byte(bytes, length >> 1) << 8);
            let second = length as u64 + (byte(bytes, length - 1) << 2);
            shifted(first.wrapping_mul(K2) ^ second.wrapping_mul(K3)).wrapping_mul(K2)
        }
        0 => K2,
    }
}

fn medium(bytes: &[u8]) -> u64 {
    let length = bytes.len();
    let a = word(bytes, 0).wrapping_mul(K1);
    let b = word(bytes, 8);
    let c = word(bytes, length - 8).wrapping_mul(K2);
    let d = word(bytes, length - 16).wrapping_mul(K0);
    let low = a.wrapping_sub(b).rotate_right(43).wrapping_add(c.rotate_right(30)).wrapping_add(d);
    let turned = (b ^ K3).rotate_right(20);
    folded(low, a.wrapping_add(turned).wrapping_sub(c).wrapping_add(length as u64))
}

/// One half of 33 to 64 bytes: four words and what they begin with.
fn halved(start: u64, words: [u64; 3]) -> (u64, u64) {
    let [second, third, fourth] = words;
    let mut a = start;
    let b = a.wrapping_add(fourth).rotate_right(52);
    let mut c = a.rotate_right(37);
    a = a.wrapping_add(second);
    c = c.wrapping_add(a.rotate_right(7));
    a = a.wrapping_add(third);
    (a.wrapping_add(fourth), b.wrapping_add(a.rotate_right(31)).wrapping_add(c))
}

fn longer(bytes: &[u8]) -> u64 {
    let length = bytes.len();
    let back = |count: usize| word(bytes, length - count);
    let start = (length as u64).wrapping_add(back(16)).wrapping_mul(K0);
    let start = start.wrapping_add(word(bytes, 0));
    let (v, vs) = halved(start, [word(bytes, 8), word(bytes, 16), word(bytes, 24)]);
    let start = word(bytes, 16).wrapping_add(back(32));
    let (w, ws) = halved(start, [back(24), back(16), back(8)]);
    let mixed =
        v.wrapping_add(ws).wrapping_mul(K2).wrapping_add(w.wrapping_add(vs).wrapping_mul(K0));
    shifted(shifted(mixed).wrapping_mul(K0).wrapping_add(vs)).wrapping_mul(K2)
}

/// 16 bytes of the 32 at this place and of two seeds.
fn seeded(bytes: &[u8], at: usize, a: u64, b: u64) -> (u64, u64) {
    let last = word(bytes, at + 24);
    let first = a.wrapping_add(word(bytes, at));
    let b = b.wrapping_add(first).wrapping_add(last).rotate_right(21);
    let a = first.wrapping_add(word(bytes, at + 8)).wrapping_add(word(bytes, at + 16));
    (a.wrapping_add(last), b.wrapping_add(a.rotate_right(44)).wrapping_add(first))
}

fn long(bytes: &[u8]) -> u64 {
    let length = bytes.len();
    let mut x = word(bytes, 0);
    let mut y = word(bytes, length - 16) ^ K1;
    let mut z = word(bytes, length - 56) ^ K0;
    let mut v = seeded(bytes, length - 64, length as u64, y);
    let mut w = seeded(bytes, length - 32, (length as u64).wrapping_mul(K1), K0);
    z = z.wrapping_add(shifted(v.1).wrapping_mul(K1));
    x = z.wrapping_add(x).rotate_right(39).wrapping_mul(K1);
    y = y.rotate_right(33).wrapping_mul(K1);
    for at in (0..(length - 1) & !63).step_by(64) {
        let sum = x.wrapping_add(y).wrapping_add(v.0).wrapping_add(word(bytes, at + 16));
        x = sum.rotate_right(37).wrapping_mul(K1) ^ w.1;
        let sum = y.wrapping_add(v.1).wrapping_add(word(bytes, at + 48));
        y = sum.rotate_right(42).wrapping_mul(K1) ^ v.0;
        z = (z ^ w.0).rotate_right(33);
        v = seeded(bytes, at, v.1.wrapping_mul(K1), x.wrapping_add(w.0));
        w = seeded(bytes, at + 32, z.wrapping_add(w.1), y);
        std::mem::swap(&mut z, &mut x);
    }
    let low = folded(v.0, w.0).wrapping_add(shifted(y).wrapping_mul(K1)).wrapping_add(z);
    folded(low, folded(v.1, w.1).wrapping_add(x))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The low 32 bits, as models of CatBoost 1.2.10 hold them.
    #[test]
    fn hashes_are_those_of_catboost() {
        let known: &[(&str, u32)] = &[
            ("", 797982799),
            ("1", 1121341681),
            ("ab", 4090249022),
            ("-17", 2313877035),
            ("61Yg", 1388955966),
            ("2aj6Za43", 2121288440),
            ("6ec6aYbhX", 1064983244),
            ("752f4bZj9e8c0Z7h", 3889040838),
            ("727e48bi1cY148j X", 2177680609),
            (" 041X77bZ6cjYh29i4cXa a79c53h495", 2640142739),
            ("2h053fji2  YZc8jea 3h6edj2h5a9b6a", 1977262590),
            ("863g0gXbgg1bgaeZge3bd89d5cX9X273aZcb566  j6d7chYaZaYe0Y7YYij1gfh", 1054746179),
            ("ZZ 5d 2aee6c0iZ25011f 8cdhYY2Xgf159 460gd80c 4Xagf 6ii78a8g5ej 69", 2980811906),
            ("Y67jh7 h612i7iZ1X43dZc7f3dcfg897d027ch7c i37baj62 236Ygc733dj8dYc19aid857b9b4cYea4c194X47bcf68gY 219", 1724211914),
            ("hihbY6j094d6di5j87gcX d1idYi1g781a7ej96h5eZ594jjh ZhZ51d3YiiYb27fi5YZh5eiYiXY3e531bbef7eebj3Xh6Y4X3 28eYfdYcZX5cZ07Y8601i7b175cZ", 2260120075),
            ("bXe5X6XZ17YYj3Yhe50b31h6de9daa3j0hX777 1b14711fd efhd5 7g3c44c60901gb9ba2hg4bhhba1i igbc883238g8dg8bc7e16g7ijX50abff7da74X04h3fe3", 4280907958),
        ];
        for (text, hash) in known {
            assert_eq!(city_hash(text.as_bytes()) as u32, *hash, "{text}");
        }
    }

    #[test]
    fn every_length_has_a_hash() {
        let bytes = [7; 300];
        let hashes: std::collections::BTreeSet<u64> =
            (0..bytes.len()).map(|length| city_hash(&bytes[..length])).collect();
        assert_eq!(hashes.len(), bytes.len());
    }
}
