use std::net::Ipv4Addr;

use proptest::prelude::*;

use super::*;

fn limiter(text: &str) -> RateLimiter {
    RateLimiter::new(text.parse().unwrap())
}

fn ana() -> RateKey {
    RateKey::email("ana@example.com")
}

fn at(seconds: f64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(20_000) + TimeDelta::microseconds((seconds * 1e6) as i64)
}

#[test]
fn so_many_pass_and_one_more_when_the_first_is_a_window_ago() {
    let limiter = limiter("3/1m");
    for (second, left) in [(0.0, 2), (10.0, 1), (20.0, 0)] {
        let quota = limiter.take(ana(), at(second)).unwrap().unwrap();
        assert_eq!((quota.most, quota.left, quota.window), (3, left, Duration::from_mins(1)));
        assert_eq!(quota.more_in, Duration::from_secs(60 - second as u64));
    }
    for second in [20.0, 30.0, 59.999] {
        let full = limiter.take(ana(), at(second)).unwrap_err();
        assert_eq!(
            (full.left, full.more_in),
            (0, Duration::from_micros(((60.0 - second) * 1e6).round() as u64))
        );
        assert_eq!(limiter.check(ana(), at(second)), Err(full));
    }
    assert_eq!(limiter.take(ana(), at(60.0)).unwrap().unwrap().left, 0, "what was refused did not count");
    assert!(limiter.take(ana(), at(60.0)).is_err());
    assert_eq!(limiter.take(ana(), at(500.0)).unwrap().unwrap().left, 2, "all of it is back");
}

#[test]
fn others_are_counted_by_themselves() {
    let limiter = limiter("1/1m");
    let user = UserId::new(at(0.0));
    let keys = [
        ana(),
        RateKey::email("ben@example.com"),
        RateKey::user(user),
        RateKey::client("10.0.0.1".parse().unwrap()),
        RateKey::client("10.0.0.2".parse().unwrap()),
        RateKey::client("2001:db8:0:1::1".parse().unwrap()),
        RateKey::client("2001:db8:0:2::1".parse().unwrap()),
    ];
    for key in keys {
        assert!(limiter.check(key, at(0.0)).is_ok());
        assert!(limiter.take(key, at(0.0)).is_ok());
    }
    let same = [
        RateKey::email(" ANA@Example.com"),
        RateKey::user(user),
        RateKey::client("::ffff:10.0.0.1".parse().unwrap()),
        RateKey::client("2001:db8:0:1:ffff:ffff:ffff:ffff".parse().unwrap()),
    ];
    for key in same {
        assert!(limiter.take(key, at(0.0)).is_err(), "{key:?}");
    }
}

#[test]
fn of_several_windows_the_fullest_decides_and_the_longest_wait_is_told() {
    let limiter = limiter("2/1s, 3/1m");
    assert_eq!(limiter.take(ana(), at(0.0)).unwrap().unwrap().most, 2);
    assert_eq!(limiter.take(ana(), at(0.0)).unwrap().unwrap().left, 0);
    assert_eq!(limiter.take(ana(), at(0.5)).unwrap_err().more_in, Duration::from_millis(500));
    let third = limiter.take(ana(), at(1.0)).unwrap().unwrap();
    assert_eq!((third.most, third.left), (3, 0));
    assert_eq!(limiter.take(ana(), at(1.0)).unwrap_err().more_in, Duration::from_secs(59));
    assert!(limiter.take(ana(), at(60.0)).is_ok());
}

#[test]
fn without_a_limit_nothing_is_counted() {
    let limiter = limiter("off");
    for _ in 0..1000 {
        assert_eq!(limiter.take(ana(), at(0.0)), Ok(None));
    }
    assert_eq!(limiter.check(ana(), at(0.0)), Ok(()));
    limiter.logs.run_pending_tasks();
    assert_eq!(limiter.logs.entry_count(), 0);
}

#[test]
fn limits_are_written_as_people_write_them() {
    for (text, windows) in [
        ("100/1m", vec![(100, 60)]),
        (" 60/1m , 1000/1h ", vec![(60, 60), (1000, 3600)]),
        ("5/15m", vec![(5, 900)]),
        ("1 / 90 s", vec![(1, 90)]),
        ("1000000/31d", vec![(1_000_000, 31 * 86_400)]),
        ("off", vec![]),
    ] {
        let parsed: RateLimit = text.parse().unwrap();
        let parsed: Vec<_> = parsed.0.iter().map(|it| (it.most, it.length.num_seconds())).collect();
        assert_eq!(parsed, windows, "{text}");
    }
    for wrong in [
        "",
        "on",
        "100",
        "100/m",
        "0/1m",
        "-1/1m",
        "100/0s",
        "100/1",
        "100/1y",
        "100/1m,",
        "1.5/1m",
        "100/32d",
        "1000001/1m",
        "100/99999999999999999999d",
        "100/9223372036854775807d",
    ] {
        assert!(wrong.parse::<RateLimit>().is_err(), "{wrong}");
    }
}

#[test]
fn of_many_at_once_no_more_than_are_allowed_come_through() {
    let limiter = limiter("50/1m");
    let passed: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| (0..50).filter(|_| limiter.take(ana(), at(0.0)).is_ok()).count()))
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(passed, 50);
}

#[test]
fn a_stranger_with_many_addresses_fills_no_memory_and_frees_nobody_who_calls_on() {
    let limiter = limiter("2/1m");
    limiter.take(ana(), at(0.0)).unwrap();
    limiter.take(ana(), at(0.0)).unwrap();
    let addresses = u32::try_from(2 * MOST_BYTES / 192).unwrap();
    for address in 0..addresses {
        limiter.take(RateKey::client(Ipv4Addr::from(address).into()), at(0.0)).unwrap();
        if address % 1000 == 0 {
            assert!(limiter.take(ana(), at(0.0)).is_err(), "after {address} addresses");
        }
    }
    limiter.logs.run_pending_tasks();
    assert!(limiter.logs.weighted_size() <= MOST_BYTES);
    assert!(limiter.logs.entry_count() < u64::from(addresses) / 2, "{}", limiter.logs.entry_count());
}

#[test]
fn a_log_stays_small_however_many_are_allowed() {
    let limiter = limiter("1000000/1h");
    for call in 0..100_000 {
        limiter.take(ana(), at(f64::from(call) / 100.0)).unwrap();
    }
    let log = limiter.logs.get(&ana()).unwrap();
    assert!(log.bytes() < 40_000, "{} bytes", log.bytes());
    assert_eq!(limiter.take(ana(), at(1000.0)).unwrap().unwrap().left, 1_000_000 - 100_001);
}

#[test]
fn a_clock_that_was_set_back_holds_nobody_for_longer() {
    let limiter = limiter("1/1m");
    limiter.take(ana(), at(86_400.0)).unwrap();
    assert_eq!(limiter.take(ana(), at(0.0)).unwrap_err().more_in, Duration::from_mins(1));
}

proptest! {
    /// Against the definition: in no window up to now were more let through, and nobody was refused for less.
    #[test]
    fn a_call_is_refused_exactly_where_the_window_is_full(
        most in 1_u32..6, steps in prop::collection::vec(0_u32..40, 1..60)
    ) {
        let limiter = limiter(&format!("{most}/1m"));
        let mut passed: Vec<u32> = Vec::new();
        let mut now = 0;
        for step in steps {
            now += step;
            let within = passed.iter().filter(|then| now - **then < 60).count();
            let taken = limiter.take(ana(), at(f64::from(now)));
            prop_assert_eq!(taken.is_ok(), within < most as usize, "at {}: {:?}", now, passed);
            if taken.is_ok() {
                passed.push(now);
            }
        }
    }
}
