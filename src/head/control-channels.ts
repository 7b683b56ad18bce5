// The channels of the pictures that a head gives to steer by: stated once, for what makes them and what sees them.

/** Normals, depth and landmarks: three of the normal in camera axes, one of depth, one of landmarks. */
export const HEAD_MAP_CHANNELS = 5;

/** Painted Gaussians: three colours times the trust in them, and the trust. */
export const PAINT_CHANNELS = 4;
