//! Chance from a seed, and numbers with right check digits, made without the code that they test.

pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Chance {
        Chance(seed)
    }

    /// SplitMix64.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    pub(crate) fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len())]
    }

    pub(crate) fn of(&mut self, letters: &str, n: usize) -> String {
        let letters = letters.as_bytes();
        (0..n).map(|_| char::from(letters[self.below(letters.len())])).collect()
    }

    pub(crate) fn digits(&mut self, n: usize) -> String {
        self.of("0123456789", n)
    }

    pub(crate) fn hex(&mut self, n: usize) -> String {
        self.of("0123456789abcdef", n)
    }

    pub(crate) fn alnum(&mut self, n: usize) -> String {
        self.of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", n)
    }

    pub(crate) fn url64(&mut self, n: usize) -> String {
        self.of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", n)
    }

    pub(crate) fn upper(&mut self, n: usize) -> String {
        self.of("ABCDEFGHIJKLMNOPQRSTUVWXYZ", n)
    }

    pub(crate) fn uuid(&mut self) -> String {
        let h = self.hex(32);
        format!("{}-{}-4{}-a{}-{}", &h[..8], &h[8..12], &h[13..16], &h[17..20], &h[20..])
    }
}

fn values(digits: &str) -> impl DoubleEndedIterator<Item = u32> + '_ {
    digits.bytes().map(|b| u32::from(b - b'0'))
}

/// `digits` with a Luhn digit behind.
pub(crate) fn luhn(digits: &str) -> String {
    let sum: u32 = values(digits)
        .rev()
        .enumerate()
        .map(|(i, d)| if i % 2 == 0 { [0, 2, 4, 6, 8, 1, 3, 5, 7, 9][d as usize] } else { d })
        .sum();
    format!("{digits}{}", (10 - sum % 10) % 10)
}

/// A card of one of the big issuers, with or without groups.
pub(crate) fn card(chance: &mut Chance) -> String {
    let (prefix, length) = chance.pick(&[
        &("4", 16),
        &("51", 16),
        &("55", 16),
        &("2221", 16),
        &("34", 15),
        &("37", 15),
        &("6011", 16),
        &("65", 16),
        &("3528", 16),
        &("36", 14),
        &("62", 16),
    ]);
    let body = chance.digits(length - prefix.len() - 1);
    let card = luhn(&format!("{prefix}{body}"));
    match (card.len(), chance.below(3)) {
        (16, 1) => format!("{} {} {} {}", &card[..4], &card[4..8], &card[8..12], &card[12..]),
        (16, 2) => format!("{}-{}-{}-{}", &card[..4], &card[4..8], &card[8..12], &card[12..]),
        (15, 1) => format!("{} {} {}", &card[..4], &card[4..10], &card[10..]),
        _ => card,
    }
}

/// An IBAN of a country whose accounts are made of digits, with or without groups.
pub(crate) fn iban(chance: &mut Chance) -> String {
    let (country, length) =
        chance.pick(&[&("DE", 22), &("AT", 20), &("ES", 24), &("PL", 28), &("BE", 16), &("NO", 15)]);
    let account = chance.digits(length - 4);
    let letters: String = country.bytes().map(|b| (b - b'A' + 10).to_string()).collect();
    let rest = values(&format!("{account}{letters}00")).fold(0, |rest, d| (rest * 10 + d) % 97);
    let iban = format!("{country}{:02}{account}", 98 - rest);
    if chance.below(2) == 0 {
        return iban;
    }
    iban.as_bytes().chunks(4).map(|four| std::str::from_utf8(four).unwrap()).collect::<Vec<_>>().join(" ")
}

/// Draws bodies until `last` gives a check digit.
fn checked(chance: &mut Chance, n: usize, first: &str, last: fn(&str) -> Option<String>) -> String {
    loop {
        let body = format!("{}{}", chance.of(first, 1), chance.digits(n - 1));
        if let Some(last) = last(&body) {
            return format!("{body}{last}");
        }
    }
}

pub(crate) fn nhs(chance: &mut Chance) -> String {
    checked(chance, 9, "123456789", |body| {
        let sum: u32 = values(body).zip((2..=10).rev()).map(|(d, weight)| d * weight).sum();
        match 11 - sum % 11 {
            11 => Some("0".to_owned()),
            10 => None,
            n => Some(n.to_string()),
        }
    })
}

pub(crate) fn npi(chance: &mut Chance) -> String {
    let body = format!("{}{}", chance.of("12", 1), chance.digits(8));
    luhn(&format!("80840{body}"))[5..].to_owned()
}

pub(crate) fn sin(chance: &mut Chance) -> String {
    let body = format!("{}{}", chance.of("1234567", 1), chance.digits(7));
    luhn(&body)
}

pub(crate) fn cpf(chance: &mut Chance) -> String {
    let mut d = chance.digits(9);
    for n in [10u32, 11] {
        let sum: u32 = values(&d).zip((2..=n).rev()).map(|(d, weight)| d * weight).sum();
        let rest = sum % 11;
        d += &(if rest < 2 { 0 } else { 11 - rest }).to_string();
    }
    format!("{}.{}.{}-{}", &d[..3], &d[3..6], &d[6..9], &d[9..])
}

pub(crate) fn nir(chance: &mut Chance) -> String {
    let month = chance.below(12) + 1;
    let body = format!(
        "{}{}{month:02}{}{}",
        chance.of("12", 1),
        chance.digits(2),
        10 + chance.below(80),
        chance.digits(6)
    );
    let n: u64 = body.parse().unwrap();
    format!("{body}{:02}", 97 - n % 97)
}

pub(crate) fn steuer(chance: &mut Chance) -> String {
    checked(chance, 10, "123456789", |body| {
        let mut product = 10;
        for d in values(body) {
            let mut sum = (d + product) % 10;
            if sum == 0 {
                sum = 10;
            }
            product = sum * 2 % 11;
        }
        Some(((11 - product) % 10).to_string())
    })
}

pub(crate) fn dni(chance: &mut Chance) -> String {
    let body = chance.digits(8);
    let n: usize = body.parse().unwrap();
    format!("{body}{}", char::from(b"TRWAGMYFPDXBNJZSQVHLCKE"[n % 23]))
}

pub(crate) fn dea(chance: &mut Chance) -> String {
    let d = chance.digits(6);
    let v: Vec<u32> = values(&d).collect();
    let sum = v[0] + v[2] + v[4] + 2 * (v[1] + v[3] + v[5]);
    format!("{}{}{d}{}", chance.of("ABFM", 1), chance.upper(1), sum % 10)
}

pub(crate) fn routing(chance: &mut Chance) -> String {
    let d = format!("0{}", chance.digits(7));
    let sum: u32 = values(&d).zip([3, 7, 1, 3, 7, 1, 3, 7]).map(|(d, weight)| d * weight).sum();
    format!("{d}{}", (10 - sum % 10) % 10)
}

/// Verhoeff's tables as they are printed.
pub(crate) fn aadhaar(chance: &mut Chance) -> String {
    const D: [&str; 10] = [
        "0123456789",
        "1234067895",
        "2340178956",
        "3401289567",
        "4012395678",
        "5987604321",
        "6598710432",
        "7659821043",
        "8765932104",
        "9876543210",
    ];
    const P: [&str; 8] = [
        "0123456789",
        "1576283094",
        "5803796142",
        "8916043527",
        "9453126870",
        "4286573901",
        "2793806415",
        "7046913258",
    ];
    let at = |table: &str, n: u32| u32::from(table.as_bytes()[n as usize] - b'0');
    let body = format!("{}{}", chance.of("23456789", 1), chance.digits(10));
    let sum =
        values(&body).rev().enumerate().fold(0, |sum, (i, d)| at(D[sum as usize], at(P[(i + 1) % 8], d)));
    let last = (0..10).find(|n| at(D[sum as usize], *n) == 0).unwrap();
    let all = format!("{body}{last}");
    format!("{} {} {}", &all[..4], &all[4..8], &all[8..])
}

pub(crate) fn codice_fiscale(chance: &mut Chance) -> String {
    const ODD: [u32; 36] = [
        1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12,
        14, 16, 10, 22, 25, 24, 23,
    ];
    let (names, year, month) = (chance.of("BCDFGLMNPRST", 6), chance.digits(2), chance.of("ABCDEHLMPRST", 1));
    let body = format!(
        "{names}{year}{month}{:02}{}{}",
        1 + chance.below(28),
        chance.of("ABCDEFGH", 1),
        chance.digits(3)
    );
    let sum: u32 = body
        .chars()
        .enumerate()
        .map(|(i, c)| {
            let n = c.to_digit(36).unwrap();
            if i % 2 == 0 {
                ODD[n as usize]
            } else if n < 10 {
                n
            } else {
                n - 10
            }
        })
        .sum();
    format!("{body}{}", char::from(b'A' + (sum % 26) as u8))
}

/// GitHub's checksum, by a table instead of bit by bit.
pub(crate) fn github(chance: &mut Chance) -> String {
    let table: Vec<u32> = (0..256u32)
        .map(|n| (0..8).fold(n, |c, _| if c % 2 == 1 { 0xedb8_8320 ^ (c >> 1) } else { c >> 1 }))
        .collect();
    let body = chance.alnum(30);
    let mut n = !body.bytes().fold(u32::MAX, |c, b| table[((c ^ u32::from(b)) & 255) as usize] ^ (c >> 8));
    let mut sum = String::new();
    for _ in 0..6 {
        sum.insert(
            0,
            char::from(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"[(n % 62) as usize]),
        );
        n /= 62;
    }
    format!("{}_{body}{sum}", chance.pick(&["ghp", "gho", "ghu", "ghs", "ghr"]))
}
