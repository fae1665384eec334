//! One prompt in, one completion out: the only component that may use a model.
