// How many numbers of how many digits go side by side on a screen, so that they are as large as can
// be. Knows no page.

const digit_width = 0.62; // of a digit, in font sizes
const line_height = 1.15;

/// For `count` numbers of at most `digits` digits in a box `width` by `height` (any one unit): how
/// many columns and rows, for the largest digits.
export function layout(count, digits, width, height) {
  let best = { across: 1, down: Math.max(1, count), size: 0 };
  for (let across = 1; across <= Math.max(1, count); ++across) {
    const down = Math.max(1, Math.ceil(count / across));
    const size = Math.min(
      width / across / (digits * digit_width + 0.35),
      height / down / line_height,
    );
    if (size > best.size) best = { across, down, size };
  }
  return best;
}
