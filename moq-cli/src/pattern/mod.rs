//! A test pattern: a picture that moves and a beep, made without a camera.
//!
//! Once a second, at the same moment of the media's time, a square lights up and a tone begins, so that
//! a viewer sees and hears whether both are in step. Clock and frame number are in the picture.

mod feed;
mod glyphs;
mod picture;
mod sound;
mod video;

pub(crate) use feed::Pattern;
