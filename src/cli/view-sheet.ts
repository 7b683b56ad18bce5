// The head of several views over each of them.

import type { HeadModel } from '../head/index.ts';
import { contactSheet, type RgbImage, resizeImage, sizeToFit } from '../media/index.ts';
import type { ViewsFileTrack } from '../node/index.ts';
import { createMeshOverlay } from '../tracking/index.ts';

const [COLUMNS, CELL_PX] = [4, 360];

/** All views with the mesh over them; those whose camera is not known as they are. */
export function viewsSheet(
  head: HeadModel,
  { track, views }: ViewsFileTrack,
  images: readonly RgbImage[],
): RgbImage {
  const drawn = images.map((image, i) => {
    const { camera } = views[i]!;
    const mesh =
      camera === null
        ? image
        : createMeshOverlay(head, { ...track, width: image.width, height: image.height }, camera).render(
            0,
            image,
            {
              hasLandmarks: false,
            },
          );
    const { width, height } = sizeToFit(image, { width: CELL_PX, height: CELL_PX });
    return resizeImage(mesh, width, height);
  });
  const labels = views.map(({ name, hasFace }) => `${name}${hasFace ? '' : ', no face'}`);
  return contactSheet(drawn, { columns: COLUMNS, labels, cellWidth: CELL_PX, cellHeight: CELL_PX });
}
