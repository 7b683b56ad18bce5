// Many pictures on one: the sheets that people look at after a run.

import { pasteImage, type RgbColour, solidImage } from './compose.ts';
import type { RgbImage } from './image.ts';
import { drawText, textHeight, textWidth } from './pixel-font.ts';
import { resizeImage, sizeToFit } from './resize.ts';

/** How a contact sheet is laid out. */
export type ContactSheetOptions = {
  readonly columns: number;
  /** One under each picture, in its order; cut where it is too long. */
  readonly labels?: readonly string[];
  /** Size of a cell; the default is that of the first picture. Other shapes are fitted into it. */
  readonly cellWidth?: number;
  readonly cellHeight?: number;
  /** Pixels between cells. */
  readonly gap?: number;
  readonly background?: RgbColour;
};

const TEXT_SCALE = 2;

/** Lays pictures out in rows. An empty list gives one empty cell's worth of background. */
export function contactSheet(images: readonly RgbImage[], options: ContactSheetOptions): RgbImage {
  const { labels, gap = 4, background = [24, 24, 24] } = options;
  const cellWidth = options.cellWidth ?? images[0]?.width ?? 64;
  const cellHeight = options.cellHeight ?? images[0]?.height ?? 64;
  const columns = Math.max(1, Math.min(options.columns, images.length));
  const rows = Math.max(1, Math.ceil(images.length / columns));
  const labelHeight = labels === undefined ? 0 : textHeight(TEXT_SCALE) + 4;
  const stepX = cellWidth + gap;
  const stepY = cellHeight + labelHeight + gap;
  const sheet = solidImage(columns * stepX + gap, rows * stepY + gap, background);

  images.forEach((image, index) => {
    const left = gap + (index % columns) * stepX;
    const top = gap + Math.floor(index / columns) * stepY;
    const { width, height } = sizeToFit(image, { width: cellWidth, height: cellHeight });
    const offsetX = (cellWidth - width) >> 1;
    const offsetY = (cellHeight - height) >> 1;
    pasteImage(sheet, resizeImage(image, width, height), left + offsetX, top + offsetY);
    const label = fitText(labels?.[index] ?? '', cellWidth);
    drawText(sheet, label, { left, top: top + cellHeight + 2, scale: TEXT_SCALE });
  });
  return sheet;
}

function fitText(text: string, width: number): string {
  let fitted = text;
  while (textWidth(fitted, TEXT_SCALE) > width) fitted = fitted.slice(0, -1);
  return fitted;
}
