//! What numbers of a page are worth, read as a page is.

use crate::columns::number::Number;
use crate::columns::number::tests::numbers;
use crate::json::cursor::Cursor;

fn read(text: &str) -> Number {
    Cursor::new(text.as_bytes()).number().unwrap_or(Number::Long)
}

#[test]
fn floats_are_rounded_as_the_exact_parser_does() {
    for state in numbers().take(200_000) {
        let digits = state >> (state % 60);
        let point = (state >> 8) % 24;
        let exponent = (state >> 16) as i64 % 30 - 15;
        let text = format!("{}.{:0width$}e{exponent}", digits, point, width = point as usize + 1);
        let wanted: f64 = text.parse().unwrap_or(f64::NAN);
        if let Number::Float(found) = read(&text) {
            assert_eq!(found, wanted, "{text}");
        }
    }
}

#[test]
fn every_shortest_text_of_a_float_is_that_float() {
    for state in numbers().take(100_000) {
        let value = f64::from_bits(state);
        if value.is_finite() {
            assert_eq!(read(ryu::Buffer::new().format_finite(value)), Number::Float(value));
        }
    }
    for power in -1074..1024 {
        let value = 2f64.powi(power);
        assert_eq!(read(ryu::Buffer::new().format_finite(value)), Number::Float(value));
    }
}

#[test]
fn numbers_that_no_float_holds_keep_their_digits() {
    let exact = "0.1000000000000000055511151231257827021181583404541015625";
    for (text, number) in [
        ("0.10000000000000001", Number::Float(0.1)),
        (exact, Number::Float(0.1)),
        (&exact[..30], Number::Long),
        ("1234567890123456.7", Number::Long),
        ("1234567890123456.8", Number::Float(1234567890123456.75)),
        ("0.1234567890123456789", Number::Long),
        ("9007199254740993.0", Number::Int(9007199254740993)),
        ("-9007199254740993e0", Number::Int(-9007199254740993)),
        ("9223372036854775807", Number::Int(i64::MAX)),
        ("9223372036854775808", Number::Long),
        ("1e400", Number::Long),
        ("1e-400", Number::Long),
        ("0e400", Number::Float(0.0)),
        ("-0.0", Number::Float(-0.0)),
        ("1e99999999999999999999", Number::Long),
    ] {
        assert_eq!(read(text), number, "{text}");
    }
}
