//! The sentiment-analysis API: a Spin component.
