// One frame's photometric residuals: what the picture shows at every followed point, less the frame's light
// and the point's albedo, and how that changes with the frame's and the shared unknowns.

import type { FrameState } from './head-state.ts';
import type { LandmarkModel } from './landmark-model.ts';
import {
  frameUnknowns,
  type ImageCentre,
  LandmarkProjection,
  type ShapedLandmarks,
  sharedUnknowns,
} from './landmark-projection.ts';
import { type PhotometricLevel, sampleLevel } from './photometric-image.ts';

/** What a frame shows at the points: values and their gradients by the unknowns. */
export class PhotometricFrame {
  readonly #model: LandmarkModel;
  readonly #projection: LandmarkProjection;
  readonly #byPixel: Float64Array[];
  readonly #ones: Float64Array;
  readonly #gradients: Float64Array;
  readonly #sample = new Float64Array(3);
  /** `N`: logarithms of grey at the last look. */
  readonly values: Float64Array;
  /** `N`: 1 where the point lay within the crop. */
  readonly isInside: Uint8Array;

  constructor(points: LandmarkModel, options: { readonly withShared: boolean }) {
    const count = points.pointCount;
    const unknowns = frameUnknowns(points) + (options.withShared ? sharedUnknowns(points) : 0);
    this.#model = points;
    this.#projection = new LandmarkProjection(points);
    this.#byPixel = Array.from({ length: unknowns }, () => new Float64Array(2 * count));
    this.#ones = new Float64Array(count).fill(1);
    this.#gradients = new Float64Array(2 * count);
    this.values = new Float64Array(count);
    this.isInside = new Uint8Array(count);
  }

  /** Projects the points of a state and looks them up; fills `values` and `isInside`. */
  look(
    level: PhotometricLevel,
    frame: FrameState,
    shaped: ShapedLandmarks,
    focalPx: number,
    centre: ImageCentre,
  ): void {
    this.#projection.project(frame, shaped, focalPx, centre);
    const { pixels } = this.#projection;
    for (let t = 0; t < this.#model.pointCount; t++) {
      const isInside = sampleLevel(level, pixels[2 * t]!, pixels[2 * t + 1]!, this.#sample);
      this.isInside[t] = isInside ? 1 : 0;
      this.values[t] = isInside ? this.#sample[0]! : 0;
      this.#gradients[2 * t] = isInside ? this.#sample[1]! : 0;
      this.#gradients[2 * t + 1] = isInside ? this.#sample[2]! : 0;
    }
  }

  /**
   * Derivatives of `values` at the last look, for each of `unknowns` `N` values.
   * @param only `pose` where no other unknowns are asked for
   */
  differentiate(unknowns: readonly number[], only: 'all' | 'pose' = 'all'): Float64Array[] {
    this.#projection.differentiate(this.#ones, this.#byPixel, only);
    const gradients = this.#gradients;
    return unknowns.map((unknown) => {
      const column = this.#byPixel[unknown]!;
      const row = new Float64Array(this.values.length);
      for (let t = 0; t < row.length; t++) {
        row[t] = gradients[2 * t]! * column[2 * t]! + gradients[2 * t + 1]! * column[2 * t + 1]!;
      }
      return row;
    });
  }
}
