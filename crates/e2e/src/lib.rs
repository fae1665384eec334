//! Black-box tests: HTTP, command line, a real browser.
