//! A small deterministic model that needs no download.
