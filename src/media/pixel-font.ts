// A 3 x 5 pixel font for the labels of contact sheets: the same everywhere, without a text engine.

import type { RgbColour } from './compose.ts';
import type { RgbImage } from './image.ts';

/** Five octal digits a glyph: one row of three pixels each, from the top. */
const GLYPHS: Readonly<Record<string, string>> = {
  ...{ '0': '75557', '1': '26227', '2': '71747', '3': '71717', '4': '55711' },
  ...{ '5': '74717', '6': '74757', '7': '71122', '8': '75757', '9': '75717' },
  ...{ A: '25755', B: '65656', C: '34443', D: '65556', E: '74647', F: '74644', G: '34553', H: '55755' },
  ...{ I: '72227', J: '11152', K: '55655', L: '44447', M: '57755', N: '65555', O: '25552', P: '65644' },
  ...{ Q: '25563', R: '65655', S: '34216', T: '72222', U: '55557', V: '55552', W: '55775', X: '55255' },
  ...{ Y: '55222', Z: '71247', ' ': '00000', '.': '00002', ',': '00024', ':': '02020', '-': '00700' },
  ...{ '+': '02720', '/': '11244', '%': '51245', '(': '12221', ')': '42224', '=': '07070', _: '00007' },
  ...{ '#': '57575', "'": '22000', '!': '22202', '?': '71202', '*': '05250', '<': '12421', '>': '42124' },
};
const ADVANCE = 4;

/** Height of a line of text in pixels at a scale. */
export function textHeight(scale: number): number {
  return 5 * scale;
}

/** Width of a text in pixels at a scale. */
export function textWidth(text: string, scale: number): number {
  return Math.max(0, text.length * ADVANCE - 1) * scale;
}

/** Writes one line into a picture, in place; small letters appear as capitals, unknown ones as `?`. */
export function drawText(
  image: RgbImage,
  text: string,
  {
    left,
    top,
    scale = 2,
    colour = [255, 255, 255],
  }: { readonly left: number; readonly top: number; readonly scale?: number; readonly colour?: RgbColour },
): void {
  [...text.toUpperCase()].forEach((letter, index) => {
    const rows = GLYPHS[letter] ?? GLYPHS['?']!;
    for (let y = 0; y < 5 * scale; y++) {
      const bits = Number(rows[Math.floor(y / scale)]);
      for (let x = 0; x < 3 * scale; x++) {
        const isInk = (bits >> (2 - Math.floor(x / scale))) & 1;
        const px = left + index * ADVANCE * scale + x;
        const py = top + y;
        if (isInk && px >= 0 && py >= 0 && px < image.width && py < image.height) {
          image.data.set(colour, (py * image.width + px) * 3);
        }
      }
    }
  });
}
