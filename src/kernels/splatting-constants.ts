// The fixed numbers of the splatting, shared by the kernel (which AssemblyScript compiles from this very
// file) and by the plain reference. Source: the conventions of gsplat (Ye et al., "gsplat", 2024).

/** Gaussians nearer to the camera than this are not drawn; metres. */
export const NEAR_DEPTH = 0.01;
/** Variance added to both axes of every projected Gaussian, so that none falls between pixels; px^2. */
export const LOW_PASS_PX2 = 0.3;
/** The perspective Jacobian is taken at most this share of half the field of view outside the image. */
export const FIELD_MARGIN = 0.3;
/** No Gaussian covers a pixel by more than this. */
export const ALPHA_MAX = 0.99;
/** A Gaussian that covers a pixel by less is skipped; with opacities up to 1 this cuts at 3.33 sigma. */
export const ALPHA_MIN = 0.00392156862745098; // 1/255
/** A pixel is finished before the Gaussian that would bring its transmittance to this or below. */
export const TRANSMITTANCE_MIN = 1e-4;
/** Gaussians whose covariance on the image has a larger determinant are not drawn: numbers would overflow; px^4. */
export const DETERMINANT_MAX = 1e30;
/** Side of the blocks of pixels that have lists of Gaussians. The kernel is written for 4. */
export const BLOCK_SIZE = 4;
