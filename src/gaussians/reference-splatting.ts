// Splatting of 3D Gaussians in plain TypeScript and float64: the definition that the WebAssembly
// kernel is held against. One Gaussian after the other, near to far, over the pixels of its ellipse.
// Source: Kerbl et al., "3D Gaussian Splatting", 2023, with the conventions of gsplat (splatting-constants).

import {
  ALPHA_MAX,
  ALPHA_MIN,
  DETERMINANT_MAX,
  LOW_PASS_PX2,
  NEAR_DEPTH,
  TRANSMITTANCE_MIN,
} from '../kernels/index.ts';
import type { GaussianView, ScreenGradient } from './gaussian-projection.ts';
import { projectBackward, viewGaussian } from './gaussian-projection.ts';
import type { Reals, SplatGradients, SplatScene } from './splat-scene.ts';
import { expectScene, gaussianCount } from './splat-scene.ts';

/** The images of the reference: `C H W` and `H W`. */
export type ReferenceImages = {
  readonly features: Float64Array;
  readonly alpha: Float64Array;
};

/** Splats a scene. @throws BadInputError if the arrays do not fit. */
export function splatReference(scene: SplatScene<Reals>): ReferenceImages {
  expectScene(scene);
  const { camera, channels } = scene;
  const pixels = camera.width * camera.height;
  const features = new Float64Array(channels * pixels);
  const transmittance = blendFrontToBack(scene, ({ gaussian, pixel, alpha, light }) => {
    for (let c = 0; c < channels; c++) {
      features[c * pixels + pixel]! += light * alpha * scene.features[gaussian * channels + c]!;
    }
  });
  return { features, alpha: transmittance.map((t) => 1 - t) };
}

/**
 * Gradients of sum(gradFeatures * features) + sum(gradAlpha * alpha) with respect to the scene.
 * The cap at `ALPHA_MAX`, the skips and the order by depth are constants to it.
 * @param gradient `features` is `C H W`, `alpha` is `H W`
 */
export function splatReferenceBackward(
  scene: SplatScene<Reals>,
  gradient: { readonly features: Reals; readonly alpha?: Reals },
): SplatGradients<Float64Array> {
  const { camera, channels } = scene;
  const count = gaussianCount(scene);
  const pixels = camera.width * camera.height;
  const forward = splatReference(scene);
  const gradients = {
    means: new Float64Array(count * 3),
    scales: new Float64Array(scene.scales.length),
    ...(scene.rotations && { rotations: new Float64Array(count * 4) }),
    opacities: new Float64Array(count),
    features: new Float64Array(count * channels),
  };
  const screen = Array.from(
    { length: count },
    (): ScreenGradient => ({ x: 0, y: 0, kxx: 0, kxy: 0, kyy: 0 }),
  );

  // What lies behind the current Gaussian: its part of sum_c(dC_c C_c), and the untouched light's of dA A.
  const behind = new Float64Array(pixels);
  for (let p = 0; p < pixels; p++) {
    behind[p] = -(gradient.alpha?.[p] ?? 0) * (1 - forward.alpha[p]!);
    for (let c = 0; c < channels; c++) {
      behind[p]! += gradient.features[c * pixels + p]! * forward.features[c * pixels + p]!;
    }
  }
  blendFrontToBack(scene, ({ gaussian, view, pixel, dx, dy, falloff, alpha, light }) => {
    let dot = 0;
    for (let c = 0; c < channels; c++) {
      const gradientHere = gradient.features[c * pixels + pixel]!;
      dot += gradientHere * scene.features[gaussian * channels + c]!;
      gradients.features[gaussian * channels + c]! += light * alpha * gradientHere;
    }
    behind[pixel]! -= light * alpha * dot;
    const gradAlpha = light * dot - behind[pixel]! / (1 - alpha);
    const opacity = scene.opacities[gaussian]!;
    if (opacity * falloff > ALPHA_MAX) return;
    gradients.opacities[gaussian]! += falloff * gradAlpha;
    const gradSigma = -opacity * falloff * gradAlpha;
    const at = screen[gaussian]!;
    at.x += gradSigma * (view.kxx * dx + view.kxy * dy);
    at.y += gradSigma * (view.kxy * dx + view.kyy * dy);
    at.kxx += gradSigma * 0.5 * dx * dx;
    at.kxy += gradSigma * dx * dy;
    at.kyy += gradSigma * 0.5 * dy * dy;
  });
  for (const { gaussian, view } of sortedViews(scene)) {
    const { mean, scale, rotation } = projectBackward(scene, gaussian, view, screen[gaussian]!);
    gradients.means.set(mean, gaussian * 3);
    gradients.scales.set(scale, gaussian * scale.length);
    gradients.rotations?.set(rotation, gaussian * 4);
  }
  return gradients;
}

/** A Gaussian's contribution to a pixel. */
type Contribution = {
  gaussian: number;
  view: GaussianView;
  pixel: number;
  /** From the pixel's centre to the mean, pixels. */
  dx: number;
  dy: number;
  /** exp(-sigma). */
  falloff: number;
  /** min(0.99, opacity * falloff). */
  alpha: number;
  /** The transmittance before this Gaussian. */
  light: number;
};

/** Calls back for every contribution, near to far; returns the transmittance left, `H W`. */
function blendFrontToBack(
  scene: SplatScene<Reals>,
  visit: (contribution: Contribution) => void,
): Float64Array {
  const { width, height } = scene.camera;
  const transmittance = new Float64Array(width * height).fill(1);
  const isFinished = new Uint8Array(width * height);
  for (const { gaussian, view } of sortedViews(scene)) {
    const opacity = scene.opacities[gaussian]!;
    const reach = Math.sqrt(2 * Math.log(opacity / ALPHA_MIN)); // in sigmas; at most 3.33
    const radiusX = reach * Math.sqrt(view.covXX + LOW_PASS_PX2);
    const radiusY = reach * Math.sqrt(view.covYY + LOW_PASS_PX2);
    const firstColumn = Math.max(0, Math.floor(view.meanX - radiusX - 0.5));
    const lastColumn = Math.min(width - 1, Math.ceil(view.meanX + radiusX - 0.5));
    const firstRow = Math.max(0, Math.floor(view.meanY - radiusY - 0.5));
    const lastRow = Math.min(height - 1, Math.ceil(view.meanY + radiusY - 0.5));
    for (let row = firstRow; row <= lastRow; row++) {
      for (let column = firstColumn; column <= lastColumn; column++) {
        const pixel = row * width + column;
        const dx = view.meanX - (column + 0.5);
        const dy = view.meanY - (row + 0.5);
        const sigma = 0.5 * (view.kxx * dx * dx + view.kyy * dy * dy) + view.kxy * dx * dy;
        const falloff = Math.exp(-sigma);
        const alpha = Math.min(ALPHA_MAX, opacity * falloff);
        if (isFinished[pixel] === 1 || alpha < ALPHA_MIN) continue;
        const light = transmittance[pixel]!;
        if (light * (1 - alpha) <= TRANSMITTANCE_MIN) {
          isFinished[pixel] = 1;
          continue;
        }
        visit({ gaussian, view, pixel, dx, dy, falloff, alpha, light });
        transmittance[pixel] = light * (1 - alpha);
      }
    }
  }
  return transmittance;
}

/** The Gaussians that can be drawn, near to far; equal float32 depths keep the order of their indices. */
function sortedViews(scene: SplatScene<Reals>): { gaussian: number; view: GaussianView }[] {
  const views: { gaussian: number; view: GaussianView; depth: number }[] = [];
  for (let gaussian = 0; gaussian < gaussianCount(scene); gaussian++) {
    if (!(scene.opacities[gaussian]! >= ALPHA_MIN)) continue;
    const view = viewGaussian(scene, gaussian);
    const isDrawable = view.z >= NEAR_DEPTH && view.determinant > 0 && view.determinant < DETERMINANT_MAX;
    if (isDrawable) views.push({ gaussian, view, depth: Math.fround(view.z) });
  }
  return views.sort((a, b) => a.depth - b.depth);
}
