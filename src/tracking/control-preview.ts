// What a track looks like: the mesh over the frame, and the feature map that steers the model, side by side.

import type { ActivatedField, GaussianBinding, SplatImages } from '../gaussians/index.ts';
import { placeGaussians, Splatter } from '../gaussians/index.ts';
import { createHeadPoser, type HeadModel, type HeadTrack, parametersAt, trackCamera } from '../head/index.ts';
import type { RgbImage } from '../media/index.ts';
import { sideBySide } from '../media/index.ts';
import { featureColours, paintFeatures } from './feature-colours.ts';
import { createMeshOverlay } from './mesh-overlay.ts';

/** Renders control maps and previews of the frames of one track. */
export type ControlPreview = {
  /** The map that steers the model, at the size of the track's frames. */
  splat(frame: number): SplatImages;
  /**
   * Frame, mesh over the frame, feature map. Without a picture, the mesh stands on grey and the first pane
   * is left out.
   * @param image the track's frame, of the track's size
   * @param map what `splat` gave for the frame, where it is there already
   */
  render(frame: number, image: RgbImage | null, map?: SplatImages): RgbImage;
};

/** Prepares previews of a track. */
export function createControlPreview(
  head: HeadModel,
  track: HeadTrack,
  binding: GaussianBinding,
  field: ActivatedField,
): ControlPreview {
  const poser = createHeadPoser(head);
  const splatter = new Splatter();
  const overlay = createMeshOverlay(head, track);
  const colours = featureColours(field);
  const camera = trackCamera(track);
  const splat = (frame: number): SplatImages => {
    const placement = placeGaussians(binding, field, poser.pose(parametersAt(track, frame)));
    return splatter.forward({ camera, ...placement, ...field });
  };
  return {
    splat,
    render(frame, image, map = splat(frame)) {
      const mesh = overlay.render(frame, image);
      const painted = paintFeatures(colours, map.features, map.alpha);
      return sideBySide(image === null ? [mesh, painted] : [image, mesh, painted], track.height);
    },
  };
}
