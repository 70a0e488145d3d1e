//! What is on the picture.

use std::time::Duration;

use rusty_h264_common::YuvFrame;

use super::glyphs;

/// Pixels from left to right.
pub(super) const WIDTH: usize = 320;

/// Pixels from top to bottom.
pub(super) const HEIGHT: usize = 180;

/// Draws the pictures.
#[derive(Debug)]
pub(super) struct Painter {
    /// What does not move.
    background: YuvFrame,
}

impl Painter {
    pub(super) fn new() -> Self {
        let mut background = YuvFrame::black(WIDTH, HEIGHT);
        let bar = WIDTH / BARS.len();
        for (index, colour) in BARS.into_iter().enumerate() {
            fill(
                &mut background,
                (index * bar, 0),
                (bar, BARS_HEIGHT),
                colour,
            );
        }
        Self { background }
    }

    /// The picture of a moment: `at` is its media time, `clock` the time of day, `number` its place among
    /// the pictures.
    pub(super) fn paint(&self, at: Duration, clock: Duration, number: u64) -> YuvFrame {
        let mut picture = self.background.clone();
        let way = (WIDTH - BALL) as u128;
        let there = at.as_millis() * PIXELS_PER_SECOND / 1_000 % (2 * way);
        let x = usize::try_from(there.min(2 * way - there)).unwrap_or(0);
        // Chroma has half the resolution.
        fill(&mut picture, (x & !1, BALL_TOP), (BALL, BALL), YELLOW);
        if is_lit(at) {
            let corner = (WIDTH - FLASH - 8, BALL_TOP + BALL + 4);
            fill(&mut picture, corner, (FLASH, FLASH), WHITE);
        }
        let text = TextAt { x: 8, y: TEXT_TOP };
        text.write(&mut picture, &time_of_day(clock));
        let text = TextAt {
            x: 8,
            y: TEXT_TOP + LINE,
        };
        text.write(&mut picture, &format!("#{number}"));
        picture
    }
}

/// Whether square and tone are on: the first tenth of each second of the media's time.
pub(super) fn is_lit(at: Duration) -> bool {
    at.subsec_millis() < 100
}

/// `HH:MM:SS.mmm` in UTC.
fn time_of_day(clock: Duration) -> String {
    let seconds = clock.as_secs() % 86_400;
    let (hours, minutes) = (seconds / 3_600, seconds / 60 % 60);
    let (seconds, millis) = (seconds % 60, clock.subsec_millis());
    format!("{hours:02}:{minutes:02}:{seconds:02}.{millis:03}")
}

/// Where a text begins.
struct TextAt {
    x: usize,
    y: usize,
}

impl TextAt {
    fn write(self, picture: &mut YuvFrame, text: &str) {
        for (place, character) in text.chars().enumerate() {
            let left = self.x + place * (glyphs::WIDTH + 1) * DOT;
            for (row, dots) in glyphs::rows(character).into_iter().enumerate() {
                for column in 0..glyphs::WIDTH {
                    if dots >> (glyphs::WIDTH - 1 - column) & 1 == 1 {
                        let corner = (left + column * DOT, self.y + row * DOT);
                        fill(picture, corner, (DOT, DOT), WHITE);
                    }
                }
            }
        }
    }
}

/// Brightness, blueness and redness.
type Colour = [u8; 3];

/// Paints a rectangle, as far as it is on the picture. All figures are even.
fn fill(picture: &mut YuvFrame, corner: (usize, usize), size: (usize, usize), colour: Colour) {
    let (width, height) = (picture.width, picture.height);
    let [y, u, v] = colour;
    plane(&mut picture.y, (width, height), corner, size, y);
    let half = |(a, b): (usize, usize)| (a / 2, b / 2);
    let (all, corner, size) = (half((width, height)), half(corner), half(size));
    plane(&mut picture.u, all, corner, size, u);
    plane(&mut picture.v, all, corner, size, v);
}

fn plane(
    pixels: &mut [u8],
    (width, height): (usize, usize),
    (left, top): (usize, usize),
    size: (usize, usize),
    value: u8,
) {
    let right = (left + size.0).min(width);
    for row in top..(top + size.1).min(height) {
        if let Some(line) = pixels.get_mut(row * width + left.min(right)..row * width + right) {
            line.fill(value);
        }
    }
}

/// White, yellow, cyan, green, magenta, red, blue, black.
const BARS: [Colour; 8] = [
    [180, 128, 128],
    [162, 44, 142],
    [131, 156, 44],
    [112, 72, 58],
    [84, 184, 198],
    [65, 100, 212],
    [35, 212, 114],
    [16, 128, 128],
];

const BARS_HEIGHT: usize = 80;

const WHITE: Colour = [235, 128, 128];

const YELLOW: Colour = [210, 16, 146];

const BALL: usize = 24;

const BALL_TOP: usize = 84;

/// It crosses the picture in about two seconds.
const PIXELS_PER_SECOND: u128 = 150;

const FLASH: usize = 56;

const TEXT_TOP: usize = 120;

/// Pixels of a character's dot.
const DOT: usize = 2;

/// From one line of text to the next.
const LINE: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;

    fn bright(picture: &YuvFrame, x: usize, y: usize) -> bool {
        picture.y[y * WIDTH + x] > 200
    }

    #[test]
    fn square_lights_up_for_a_tenth_of_a_second() {
        let painter = Painter::new();
        let lit = |millis| {
            let at = Duration::from_millis(millis);
            bright(&painter.paint(at, at, 0), WIDTH - 10, BALL_TOP + BALL + 8)
        };
        assert!(lit(0) && lit(99) && lit(3_000));
        assert!(!lit(100) && !lit(999));
    }

    #[test]
    fn something_moves_and_the_number_counts() {
        let painter = Painter::new();
        let paint = |millis, number| {
            let at = Duration::from_millis(millis);
            painter.paint(at, Duration::ZERO, number)
        };
        assert_ne!(paint(200, 0).y, paint(240, 0).y);
        assert_ne!(paint(200, 1).y, paint(200, 2).y);
        assert_eq!(paint(200, 1).y, paint(200, 1).y);
    }

    #[test]
    fn clock_is_the_time_of_day() {
        let clock = Duration::from_millis(86_400_000 + 3_723_004);
        assert_eq!(time_of_day(clock), "01:02:03.004");
    }
}
