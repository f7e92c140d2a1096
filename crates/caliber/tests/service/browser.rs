//! The service as a person meets it: in a browser, Debian's Chromium without a window.
//!
//! Both databases are behind the same pages, so SQLite is enough here.

mod accessibility;
mod driver;
mod keys;
mod pictures;
mod session_end;
mod story;
mod trader;
mod window;
