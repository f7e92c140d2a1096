use std::path::Path;

use super::*;

fn sources(folder: &Path, environment: &[(&str, &str)], flags: &[(&str, &str)]) -> Sources {
    let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let flags: Vec<(&str, Option<String>)> =
        flags.iter().map(|(name, value)| (*name, Some((*value).to_owned()))).collect();
    Sources::of(folder, environment, &flags).unwrap()
}

fn parsed(environment: &[(&str, &str)]) -> Result<Settings> {
    let folder = tempfile::tempdir().unwrap();
    Settings::parse(&sources(folder.path(), environment, &[]))
}

const STRONG: &str = "nV3x0PqkS7fYt2WmRz8LdGhJcB5aEuQ1";

#[test]
fn flags_go_over_environment_over_dotenv_over_the_file_over_defaults() {
    let folder = tempfile::tempdir().unwrap();
    let looked = |environment: &[(&str, &str)], flags: &[(&str, &str)]| {
        let sources = sources(folder.path(), environment, flags);
        let setting = SETTINGS.iter().find(|setting| setting.name == "CALIBER_BIND").unwrap();
        let found = sources.found(setting);
        (found.text.clone(), found.source.clone())
    };
    assert_eq!(looked(&[], &[]), ("127.0.0.1:8000".into(), "default".into()));
    std::fs::write(folder.path().join("caliber.toml"), "bind = \"127.0.0.1:1\"\nworkers = 3\n").unwrap();
    assert_eq!(looked(&[], &[]), ("127.0.0.1:1".into(), "caliber.toml".into()));
    std::fs::write(folder.path().join(".env"), "CALIBER_BIND=127.0.0.1:2\n").unwrap();
    assert_eq!(looked(&[], &[]), ("127.0.0.1:2".into(), ".env".into()));
    let environment = [("CALIBER_BIND", "127.0.0.1:3"), ("BIND", "127.0.0.1:9")];
    assert_eq!(looked(&environment, &[]), ("127.0.0.1:3".into(), "environment".into()));
    let flags = [("CALIBER_BIND", "127.0.0.1:4")];
    assert_eq!(looked(&environment, &flags), ("127.0.0.1:4".into(), "flag".into()));
    let settings = Settings::parse(&sources(folder.path(), &[], &[])).unwrap();
    assert_eq!(settings.workers, 3);
}

#[test]
fn nothing_is_guessed_of_a_secret_that_looks_like_a_number() {
    use secrecy::ExposeSecret;
    let settings = parsed(&[("CALIBER_SECRET_KEY", "0012345678901234567890123456789012")]).unwrap();
    assert_eq!(settings.secret_key.unwrap().expose_secret(), "0012345678901234567890123456789012");
}

#[test]
fn names_that_are_no_settings_are_told_with_their_place() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("caliber.toml"), "bnd = \"127.0.0.1:1\"\n").unwrap();
    std::fs::write(folder.path().join(".env"), "CALIBER_DATTA=x\nOTHER=y\n").unwrap();
    let sources = sources(folder.path(), &[("CALIBER_WORKER", "2"), ("PATH", "/bin")], &[]);
    let unknown: Vec<(&str, &str)> =
        sources.unknown.iter().map(|(name, place)| (name.as_str(), place.as_str())).collect();
    assert_eq!(
        unknown,
        [("CALIBER_WORKER", "the environment"), ("CALIBER_DATTA", ".env"), ("bnd", "caliber.toml")]
    );
}

#[test]
fn without_settings_everything_is_embedded_and_local() {
    let settings = parsed(&[]).unwrap();
    assert_eq!(settings.database_url, "sqlite:./caliber-data/caliber.db");
    assert_eq!(settings.storage, "./caliber-data/files");
    assert_eq!(settings.allowed_hosts, ["localhost", "127.0.0.1", "[::1]"]);
    assert_eq!(settings.max_upload, 50_000_000);
    assert!(settings.dev_sign_in && settings.secret_key.is_none());
    assert!(settings.workers >= 1);
}

#[test]
fn a_value_that_does_not_fit_names_its_setting_and_source() {
    for (name, value) in [
        ("CALIBER_BIND", "everywhere"),
        ("CALIBER_ENVIRONMENT", "prod"),
        ("CALIBER_MAX_UPLOAD", "much"),
        ("CALIBER_MAX_UPLOAD", "0"),
        ("CALIBER_WORKERS", "-1"),
        ("CALIBER_DEV_SIGN_IN", "maybe"),
        ("DATABASE_URL", "mysql://db/caliber"),
        ("CALIBER_OIDC_ISSUERS", "https://accounts.example.com"),
        ("CALIBER_OIDC_ISSUERS", "http://accounts.example.com=my-client"),
        ("CALIBER_FIREBASE_PROJECT", "my/project"),
        ("CALIBER_TRUSTED_PROXIES", "proxy"),
        ("CALIBER_RATE_LIMIT", "many"),
        ("CALIBER_PAGE_RATE_LIMIT", "0/1m"),
        ("CALIBER_AUTH_RATE_LIMIT", "5"),
        ("CALIBER_AI_RATE_LIMIT", "60/1m;1000/1h"),
    ] {
        let error = parsed(&[(name, value)]).unwrap_err();
        assert_eq!(error.code, Code::BadOption);
        for part in [name, value, "environment"] {
            assert!(error.message.contains(part), "{}", error.message);
        }
    }
}

#[test]
fn the_development_sign_in_stays_on_this_machine() {
    assert!(!parsed(&[("CALIBER_BIND", "0.0.0.0:8000")]).unwrap().dev_sign_in);
    let error = parsed(&[("CALIBER_BIND", "0.0.0.0:8000"), ("CALIBER_DEV_SIGN_IN", "on")]).unwrap_err();
    assert!(error.message.contains("loopback"), "{}", error.message);
    assert!(parsed(&[("CALIBER_BIND", "[::1]:8000")]).unwrap().dev_sign_in);
    assert!(!parsed(&[("CALIBER_DEV_SIGN_IN", "off")]).unwrap().dev_sign_in);
}

#[test]
fn production_refuses_what_is_not_safe() {
    let production = |more: &[(&str, &str)]| {
        let mut all = vec![("CALIBER_ENVIRONMENT", "production")];
        all.extend_from_slice(more);
        parsed(&all)
    };
    let settings = production(&[("CALIBER_SECRET_KEY", STRONG)]).unwrap();
    assert!(!settings.dev_sign_in);
    for (more, word) in [
        (vec![], "CALIBER_SECRET_KEY"),
        (vec![("CALIBER_SECRET_KEY", "short")], "fewer"),
        (vec![("CALIBER_SECRET_KEY", "changeme-changeme-changeme-changeme")], "placeholder"),
        (vec![("CALIBER_SECRET_KEY", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")], "repeats"),
        (vec![("CALIBER_SECRET_KEY", STRONG), ("CALIBER_CORS_ORIGINS", "*")], "CALIBER_CORS_ORIGINS"),
        (vec![("CALIBER_SECRET_KEY", STRONG), ("CALIBER_ALLOWED_HOSTS", "*")], "CALIBER_ALLOWED_HOSTS"),
        (vec![("CALIBER_SECRET_KEY", STRONG), ("CALIBER_DEV_SIGN_IN", "on")], "development sign-in"),
    ] {
        let error = production(&more).unwrap_err();
        assert!(error.message.contains(word), "{word}: {}", error.message);
    }
}

#[test]
fn issuers_come_from_both_settings() {
    let settings = parsed(&[
        ("CALIBER_OIDC_ISSUERS", "https://accounts.example.com=one,http://127.0.0.1:9=two"),
        ("CALIBER_FIREBASE_PROJECT", "my-project"),
    ]);
    let issuers = settings.unwrap().issuers;
    let audiences: Vec<&str> = issuers.iter().map(|issuer| issuer.audience.as_str()).collect();
    assert_eq!(audiences, ["one", "two", "my-project"]);
}

#[test]
fn sizes_are_written_as_people_write_them() {
    for (text, bytes) in
        [("50MB", 50_000_000), ("1.5 GB", 1_500_000_000), ("64MiB", 67_108_864), ("1000", 1000)]
    {
        assert_eq!(values::bytes(text), Ok(bytes), "{text}");
    }
    for wrong in ["", "MB", "-1MB", "5 parsecs", "0", "1e3"] {
        assert!(values::bytes(wrong).is_err(), "{wrong}");
    }
}
