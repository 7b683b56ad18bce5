// The outline of a lifted head without stairs: a surface covers pixels wholly or not at all, a camera's do by their share.

/**
 * Mixes, in place, pixels at the head's rim with those beside the head: each counts by how much of the 3 x 3 pixels
 * around it is head.
 * @param isHead `H W`, 1 on the head, 0 beside it
 * @param data `H W 3`
 * @param mask `H W`, mixed alike
 */
export function softenOutline(
  isHead: Uint8Array,
  { width, height, data, mask }: { width: number; height: number; data: Uint8Array; mask: Uint8Array | null },
): void {
  const beside = new Float64Array(4);
  for (let y = 1; y + 1 < height; y++) {
    for (let x = 1; x + 1 < width; x++) {
      const pixel = y * width + x;
      if (isHead[pixel] === 0 || isWithin(isHead, pixel, width)) continue;
      beside.fill(0);
      let count = 0;
      for (let row = pixel - width; row <= pixel + width; row += width) {
        for (let other = row - 1; other <= row + 1; other++) {
          if (isHead[other] === 1) continue;
          count++;
          for (let k = 0; k < 3; k++) beside[k]! += data[3 * other + k]!;
          if (mask !== null) beside[3]! += mask[other]!;
        }
      }
      for (let k = 0; k < 3; k++) {
        const at = 3 * pixel + k;
        data[at] = ((AROUND - count) * data[at]! + beside[k]!) / AROUND + 0.5;
      }
      if (mask !== null) mask[pixel] = ((AROUND - count) * mask[pixel]! + beside[3]!) / AROUND + 0.5;
    }
  }
}

const AROUND = 9;

function isWithin(isHead: Uint8Array, pixel: number, width: number): boolean {
  for (let row = pixel - width; row <= pixel + width; row += width)
    if ((isHead[row - 1]! & isHead[row]! & isHead[row + 1]!) === 0) return false;
  return true;
}
