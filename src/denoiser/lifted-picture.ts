// The lifted picture as networks take it.

/** Where visibility is zero the lifted picture is zero too: networks never see what is declared unknown. */
export function hideInvisible(lifted: Float32Array, visibility: Float32Array): void {
  const area = visibility.length;
  for (let i = 0; i < area; i++) {
    if (visibility[i]! > 0) continue;
    lifted[i] = 0;
    lifted[area + i] = 0;
    lifted[2 * area + i] = 0;
  }
}
