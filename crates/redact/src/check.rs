//! Proofs that a match is what it looks like: check digits, lengths, checksums, entropy. All linear, none allocates.

use crate::unwrap;

/// Cards: a known issuer's range, a length it issues, and the Luhn check (ISO/IEC 7812-1).
pub(crate) fn card(digits: &[u8]) -> bool {
    let prefix = |n: usize| digits[..n].iter().fold(0u32, |sum, d| sum * 10 + u32::from(d - b'0'));
    if !(14..=19).contains(&digits.len()) {
        return false;
    }
    let length = digits.len();
    let issued = match prefix(4) {
        4000..=4999 => matches!(length, 16 | 19),
        5100..=5599 | 2221..=2720 => length == 16,
        3400..=3499 | 3700..=3799 => length == 15,
        3000..=3059 | 3095 | 3600..=3699 | 3800..=3999 => length == 14,
        2200..=2204 | 3528..=3589 | 6011 | 6200..=6299 | 6440..=6599 => length >= 16,
        // Maestro; shorter ones exist, but look like any number.
        5018 | 5020 | 5038 | 5893 | 6304 | 6759 | 6761..=6763 => length >= 16,
        // RuPay.
        6080..=6099 | 8100..=8299 => length == 16,
        _ => false,
    };
    issued && luhn(digits)
}

/// ISO/IEC 7812-1, annex B. `digits` are ASCII digits.
pub(crate) fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits.iter().rev().enumerate().map(|(i, d)| doubled(i, u32::from(d - b'0'))).sum();
    sum.is_multiple_of(10)
}

fn doubled(at: usize, digit: u32) -> u32 {
    match (at % 2, digit) {
        (0, digit) => digit,
        (_, digit) if digit > 4 => digit * 2 - 9,
        (_, digit) => digit * 2,
    }
}

/// The shortest IBAN is Norway's.
pub(crate) const IBAN_MIN: usize = 15;

/// ISO 13616: 1 modulo 97. Marks are passed over; the length is [`iban_length`]'s matter.
pub(crate) fn iban(text: &[u8]) -> bool {
    let mut compact = text.iter().filter(|b| b.is_ascii_alphanumeric());
    let head: Vec<u8> = compact.by_ref().take(4).copied().collect();
    let rest = compact.chain(&head).fold(0u32, |rest, b| match b.to_ascii_uppercase() {
        b @ b'0'..=b'9' => (rest * 10 + u32::from(b - b'0')) % 97,
        b => (rest * 100 + u32::from(b - b'A') + 10) % 97,
    });
    rest == 1
}

/// Letters and digits of a country's IBANs. From the IBAN registry of SWIFT, release 99.
pub(crate) fn iban_length(country: &[u8]) -> Option<usize> {
    const LENGTHS: &[(usize, &str)] = &[
        (15, "NO"),
        (16, "BE"),
        (18, "DK FI FK FO GL NL SD"),
        (19, "MK SI"),
        (20, "AT BA EE KZ LT LU MN XK"),
        (21, "CH HR LI LV"),
        (22, "BG BH CR DE GB GE IE ME RS VA"),
        (23, "AE GI IL IQ OM SO TL"),
        (24, "AD CZ ES MD PK RO SA SE SK TN VG"),
        (25, "LY PT ST"),
        (26, "IS TR"),
        (27, "BI DJ FR GR IT MC MR SM"),
        (28, "AL AZ BY CY DO GT HU LB NI PL SV"),
        (29, "BR EG PS QA UA"),
        (30, "JO KW MU YE"),
        (31, "MT SC"),
        (32, "LC"),
        (33, "RU"),
    ];
    let named = |names: &str| names.as_bytes().chunks(3).any(|name| &name[..2] == country);
    LENGTHS.iter().find(|(_, names)| named(names)).map(|(length, _)| *length)
}

/// GitHub's tokens end in the CRC-32 of the rest, in base 62. One that was mistyped or cut still gives the most of itself
/// away, so a wrong sum only excuses what is plainly no token, such as a row of x.
pub(crate) fn github(text: &str) -> bool {
    let body = text.split_once('_').map_or(text, |(_, body)| body).as_bytes();
    let sealed = body.len() == 36 && base62(crc32(&body[..30])) == body[30..];
    sealed || entropy(text) >= 3.5
}

fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 & 0u32.wrapping_sub(crc & 1));
        }
    }
    !crc
}

fn base62(mut n: u32) -> [u8; 6] {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut out = [b'0'; 6];
    for place in out.iter_mut().rev() {
        *place = DIGITS[(n % 62) as usize];
        n /= 62;
    }
    out
}

/// A JWT's first part is a JSON object that says how it is signed or encrypted (RFC 7515, RFC 7516).
pub(crate) fn jwt(text: &str) -> bool {
    let header = text.split('.').next().unwrap_or_default();
    unwrap::base64(header.as_bytes()).is_some_and(|json| json.contains("\"alg\""))
}

/// Basic credentials are `user:password` in base64 (RFC 7617).
pub(crate) fn basic(text: &str) -> bool {
    unwrap::base64(text.as_bytes()).is_some_and(|pair| pair.contains(':'))
}

/// Not a word: it has a digit, or letters of both cases that are not just a capital at the start.
pub(crate) fn mixed(text: &str) -> bool {
    let has = |range: fn(&u8) -> bool| text.as_bytes().iter().skip(1).any(range);
    let digit = text.bytes().any(|b| b.is_ascii_digit());
    digit || (has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase))
}

/// Letters and digits both.
pub(crate) fn letters_and_digits(text: &str) -> bool {
    text.bytes().any(|b| b.is_ascii_digit()) && text.bytes().any(|b| b.is_ascii_alphabetic())
}

/// What follows `password:` in prose, and is none.
const WORDS_AFTER: &[&str] = &[
    "a",
    "an",
    "and",
    "are",
    "at",
    "authentication",
    "be",
    "can",
    "cannot",
    "change",
    "changed",
    "does",
    "empty",
    "expired",
    "false",
    "field",
    "for",
    "forgotten",
    "from",
    "has",
    "if",
    "in",
    "incorrect",
    "invalid",
    "is",
    "it",
    "length",
    "login",
    "may",
    "min",
    "minimum",
    "missing",
    "must",
    "n/a",
    "needs",
    "new",
    "nil",
    "no",
    "none",
    "not",
    "null",
    "old",
    "only",
    "optional",
    "or",
    "please",
    "policy",
    "required",
    "reset",
    "rotated",
    "set",
    "should",
    "string",
    "the",
    "this",
    "to",
    "too",
    "true",
    "undefined",
    "unset",
    "update",
    "updated",
    "use",
    "user",
    "valid",
    "was",
    "we",
    "weak",
    "when",
    "will",
    "with",
    "wrong",
    "you",
    "your",
];

/// A password in text after `password:` may be anything but the next word of a sentence, a placeholder or a mask.
pub(crate) fn password(text: &str) -> bool {
    !is_mask(text) && WORDS_AFTER.binary_search(&text.to_ascii_lowercase().trim_end_matches('.')).is_err()
}

/// Stars, dots, `<password>`, `${PASSWORD}`, `[redacted]`: somebody else's mask, or a hole in a template.
pub(crate) fn is_mask(text: &str) -> bool {
    let text = text.trim();
    let inner =
        text.trim_matches(|c| matches!(c, '<' | '>' | '[' | ']' | '{' | '}' | '(' | ')' | '$' | '%' | '*'));
    let stars = |b: u8| matches!(b, b'*' | b'.' | b'x' | b'X' | b'-' | b'_' | b'#' | b' ');
    let wrapped = inner.len() < text.len();
    text.bytes().all(stars)
        || text.chars().all(|c| c == '•' || c == '●' || c == '…')
        || ["redacted", "masked", "hidden", "filtered", "removed"]
            .iter()
            .any(|w| inner.eq_ignore_ascii_case(w))
        || (wrapped
            && text.starts_with(['<', '$', '{', '%'])
            && inner.bytes().all(|b| b.is_ascii_alphabetic() || matches!(b, b'_' | b'-' | b'.' | b' ')))
}

/// A secret in text after `token=` or the like.
pub(crate) fn assigned(text: &str) -> bool {
    letters_and_digits(text) && !is_mask(text)
}

/// The value of an `Authorization` header.
pub(crate) fn authorization(text: &str) -> bool {
    (text.contains(' ') || mixed(text)) && !is_mask(text)
}

/// Cookies are pairs (RFC 6265).
pub(crate) fn cookie(text: &str) -> bool {
    text.contains('=')
}

/// `user:password` in front of a host, unless the password is a mask.
pub(crate) fn userinfo(text: &str) -> bool {
    text.split_once(':').is_some_and(|(_, password)| !password.is_empty() && !is_mask(password))
}

/// Not the name of a file, nor the user that every Git remote has.
pub(crate) fn email(text: &str) -> bool {
    const FILES: &[&str] = &[
        "png", "jpg", "jpeg", "gif", "svg", "webp", "css", "js", "ts", "json", "md", "txt", "log", "py",
        "rs", "html",
    ];
    let file =
        text.rsplit('.').next().is_some_and(|end| FILES.iter().any(|name| end.eq_ignore_ascii_case(name)));
    !file && !text.starts_with("git@") && !text.contains("..")
}

fn digits_of<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut out = [0; N];
    let mut digits = text.bytes().filter(u8::is_ascii_digit);
    for place in &mut out {
        *place = digits.next()? - b'0';
    }
    digits.next().is_none().then_some(out)
}

/// E.164 allows 15 digits; fewer than seven are no number one can call from abroad.
pub(crate) fn phone(text: &str) -> bool {
    (7..=15).contains(&text.bytes().filter(u8::is_ascii_digit).count())
}

/// Area and exchange of the North American plan never end in 11.
pub(crate) fn nanp(text: &str) -> bool {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_digit).collect();
    let ten = &digits[digits.len().saturating_sub(10)..];
    ten.len() == 10 && &ten[1..3] != b"11" && &ten[4..6] != b"11"
}

/// United States: areas 000, 666 and 9xx, group 00 and serial 0000 were never given out.
pub(crate) fn ssn(text: &str) -> bool {
    digits_of::<9>(text).is_some_and(|d| {
        let part = |range: std::ops::Range<usize>| d[range].iter().fold(0u32, |n, d| n * 10 + u32::from(*d));
        !matches!(part(0..3), 0 | 666 | 900..) && part(3..5) != 0 && part(5..9) != 0
    })
}

/// Brazil: two digits modulo 11.
pub(crate) fn cpf(text: &str) -> bool {
    let Some(d) = digits_of::<11>(text) else { return false };
    let check = |n: usize| {
        let sum: usize = d[..n].iter().enumerate().map(|(i, d)| (n + 1 - i) * usize::from(*d)).sum();
        (sum * 10 % 11) % 10 == usize::from(d[n])
    };
    check(9) && check(10) && d.iter().any(|x| *x != d[0])
}

/// Italy: the last letter is a sum over the other fifteen.
pub(crate) fn codice_fiscale(text: &str) -> bool {
    const ODD: [u32; 26] =
        [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];
    let text = text.as_bytes();
    if text.len() != 16 {
        return false;
    }
    let sum: u32 = text[..15]
        .iter()
        .enumerate()
        .map(|(i, b)| {
            let n = match b {
                b'0'..=b'9' => b - b'0',
                _ => b.to_ascii_uppercase().wrapping_sub(b'A').min(25),
            };
            if i % 2 == 0 { ODD[usize::from(n)] } else { u32::from(n) }
        })
        .sum();
    u32::from(text[15].to_ascii_uppercase().wrapping_sub(b'A')) == sum % 26
}

/// Spain: the letter is the number modulo 23; X, Y and Z stand for 0, 1 and 2.
pub(crate) fn dni(text: &str) -> bool {
    let bytes: Vec<u8> = text.bytes().filter(u8::is_ascii_alphanumeric).collect();
    let [body @ .., letter] = bytes.as_slice() else { return false };
    let number = body.iter().try_fold(0usize, |n, b| match b.to_ascii_uppercase() {
        b @ b'0'..=b'9' => Some(n * 10 + usize::from(b - b'0')),
        b @ b'X'..=b'Z' => Some(n * 10 + usize::from(b - b'X')),
        _ => None,
    });
    body.len() == 8
        && number.is_some_and(|n| b"TRWAGMYFPDXBNJZSQVHLCKE"[n % 23] == letter.to_ascii_uppercase())
}

/// France: the last two of fifteen are 97 less the rest modulo 97 (Corsica's letters are left out).
pub(crate) fn nir(text: &str) -> bool {
    digits_of::<15>(text).is_some_and(|d| {
        let part = |range: std::ops::Range<usize>| d[range].iter().fold(0u64, |n, d| n * 10 + u64::from(*d));
        97 - part(0..13) % 97 == part(13..15)
    })
}

/// Germany's tax id: ISO 7064, MOD 11,10.
pub(crate) fn steuer_id(text: &str) -> bool {
    let Some(d) = digits_of::<11>(text) else { return false };
    let product = d[..10].iter().fold(10u32, |product, d| {
        let sum = (u32::from(*d) + product) % 10;
        (if sum == 0 { 10 } else { sum }) * 2 % 11
    });
    d[0] != 0 && (11 - product) % 10 == u32::from(d[10])
}

/// India: Verhoeff's check digit.
pub(crate) fn aadhaar(text: &str) -> bool {
    const NEXT: [u8; 10] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];
    let Some(d) = digits_of::<12>(text) else { return false };
    let sum = d.iter().rev().enumerate().fold(0u8, |sum, (i, d)| {
        let moved = (0..i % 8).fold(*d, |d, _| NEXT[usize::from(d)]);
        dihedral(sum, moved)
    });
    d[0] > 1 && sum == 0
}

/// Multiplication in the dihedral group of order ten.
fn dihedral(a: u8, b: u8) -> u8 {
    match (a < 5, b < 5) {
        (true, true) => (a + b) % 5,
        (true, false) => (a + b - 5) % 5 + 5,
        (false, true) => (a - 5 + 5 - b) % 5 + 5,
        (false, false) => (a + 5 - b) % 5,
    }
}

/// Canada: nine digits with a Luhn check.
pub(crate) fn sin(text: &str) -> bool {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_digit).collect();
    digits.len() == 9 && digits[0] != b'0' && luhn(&digits)
}

/// The NHS number: ten digits, weights 10 to 2, modulo 11.
pub(crate) fn nhs(text: &str) -> bool {
    digits_of::<10>(text).is_some_and(|d| {
        let sum: u32 = d[..9].iter().zip((2..=10).rev()).map(|(d, weight)| u32::from(*d) * weight).sum();
        (11 - sum % 11) % 11 == u32::from(d[9]) && d.iter().any(|x| *x != d[0])
    })
}

/// The National Provider Identifier: Luhn over 80840 and its ten digits.
pub(crate) fn npi(text: &str) -> bool {
    let digits: Vec<u8> = b"80840".iter().copied().chain(text.bytes().filter(u8::is_ascii_digit)).collect();
    digits.len() == 15 && luhn(&digits)
}

/// DEA: first, third and fifth digit and twice the others give the seventh.
pub(crate) fn dea(text: &str) -> bool {
    digits_of::<7>(text).is_some_and(|d| {
        let d = d.map(u32::from);
        (d[0] + d[2] + d[4] + 2 * (d[1] + d[3] + d[5])) % 10 == d[6]
    })
}

/// The routing number of the American Bankers Association: weights 3, 7, 1, modulo 10.
pub(crate) fn routing(text: &str) -> bool {
    digits_of::<9>(text).is_some_and(|d| {
        let sum: u32 = d.iter().zip([3, 7, 1].iter().cycle()).map(|(d, weight)| u32::from(*d) * weight).sum();
        sum.is_multiple_of(10) && d.iter().any(|x| *x != 0)
    })
}

/// Has at least four digits: an account or record number.
pub(crate) fn some_digits(text: &str) -> bool {
    text.bytes().filter(u8::is_ascii_digit).count() >= 4
}

/// Shannon's entropy of the bytes, in bits per byte.
pub(crate) fn entropy(text: &str) -> f32 {
    let mut counts = [0u32; 256];
    for b in text.bytes() {
        counts[usize::from(b)] += 1;
    }
    let total = text.len() as f32;
    counts
        .iter()
        .filter(|n| **n > 0)
        .map(|n| {
            let share = *n as f32 / total;
            -share * share.log2()
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_digits_are_those_of_the_public_examples() {
        for good in
            ["4111111111111111", "5555555555554444", "378282246310005", "6011111111111117", "30569309025904"]
        {
            assert!(card(good.as_bytes()), "{good}");
        }
        for bad in ["4111111111111112", "1234567812345670", "411111111111111", "9999999999999995"] {
            assert!(!card(bad.as_bytes()), "{bad}");
        }
        assert!(iban(b"GB82 WEST 1234 5698 7654 32") && iban(b"DE89370400440532013000"));
        assert!(!iban(b"GB82 WEST 1234 5698 7654 33") && !iban(b""));
        assert_eq!((iban_length(b"GB"), iban_length(b"NO"), iban_length(b"ZZ")), (Some(22), Some(15), None));
        assert!(nhs("943 476 5919") && !nhs("943 476 5918"));
        assert!(npi("1234567893") && !npi("1234567890"));
        assert!(cpf("529.982.247-25") && !cpf("529.982.247-26") && !cpf("111.111.111-11"));
        assert!(codice_fiscale("RSSMRA85T10A562S") && !codice_fiscale("RSSMRA85T10A562T"));
        assert!(dni("12345678Z") && dni("X1234567L") && !dni("12345678A"));
        assert!(nir("255081416802538") && !nir("255081416802539"));
        assert!(steuer_id("86095742719") && !steuer_id("86095742718"));
        assert!(aadhaar("2341 2341 2346") && !aadhaar("2341 2341 2347"));
        assert!(sin("130 692 544") && !sin("130 692 545"));
        assert!(dea("AB1234563") && !dea("AB1234564"));
        assert!(routing("021000021") && !routing("021000022"));
        assert!(ssn("123-45-6789") && !ssn("666-45-6789") && !ssn("923-45-6789") && !ssn("123-00-6789"));
    }

    #[test]
    fn githubs_own_example_has_the_right_sum() {
        let body = b"zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ";
        assert_eq!(&base62(crc32(body)), b"0mLq17");
        assert!(!github("ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"));
    }

    #[test]
    fn words_are_in_order_and_masks_are_known() {
        assert!(WORDS_AFTER.windows(2).all(|w| w[0] < w[1]));
        for mask in ["********", "<password>", "${DB_PASSWORD}", "[REDACTED]", "{{secret}}", "xxxx", "•••"]
        {
            assert!(is_mask(mask), "{mask}");
        }
        for real in ["hunter2", "<hunter2>", "[redacted1]", "pa$$word", "$ecret1"] {
            assert!(!is_mask(real), "{real}");
        }
    }

    #[test]
    fn entropy_is_shannons() {
        assert_eq!(entropy("aaaa"), 0.0);
        assert_eq!(entropy("abcd"), 2.0);
    }
}
