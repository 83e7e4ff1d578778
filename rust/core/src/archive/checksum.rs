//! CRC-32, which the zip format has for every entry.

/// CRC-32 as in zip (polynomial 0xEDB88320), one table per byte of a 64-bit word.
const TABLES: [[u32; 256]; 8] = {
    let mut tables = [[0u32; 256]; 8];
    let mut byte = 0;
    while byte < 256 {
        let mut value = byte as u32;
        let mut table = 0;
        while table < 8 {
            let mut bit = 0;
            while bit < 8 {
                value = if value & 1 == 1 { value >> 1 ^ 0xEDB8_8320 } else { value >> 1 };
                bit += 1;
            }
            tables[table][byte] = value;
            table += 1;
        }
        byte += 1;
    }
    tables
};

pub(crate) fn checksum(bytes: &[u8]) -> u32 {
    let (words, rest) = bytes.as_chunks::<8>();
    let mut value = !0u32;
    for word in words {
        let word = u64::from_le_bytes(*word) ^ u64::from(value);
        value = (0..8).fold(0, |sum, i| sum ^ TABLES[7 - i][usize::from((word >> (8 * i)) as u8)]);
    }
    for byte in rest {
        value = value >> 8 ^ TABLES[0][usize::from(value as u8 ^ byte)];
    }
    !value
}
