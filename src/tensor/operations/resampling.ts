// Pictures made larger or smaller by whole factors.

import { applyOne, constant, graphError, type Operator, type Value } from '../graph/value.ts';
import { mul } from './elementwise.ts';
import { expectFourAxes } from './shape.ts';

const RESIZE: Operator = {
  type: 'Resize',
  gradient: ({ inputs: [x], outputs: [y] }, [g]) => {
    const factor = y!.shape[2]! / x!.shape[2]!;
    return [mul(averagePool2d(g!, factor), factor ** 2)];
  },
};

const AVERAGE_POOL: Operator = {
  type: 'AveragePool',
  gradient: ({ attributes }, [g]) => {
    const [factor] = attributes.kernel_shape as readonly [number, number];
    return [mul(upsampleNearest(g!, factor), 1 / factor ** 2)];
  },
};

/** Repeats each pixel `factor` x `factor` times. */
export function upsampleNearest(x: Value, factor: number): Value {
  const [batch, channels, height, width] = expectFourAxes(x, 'upsampleNearest');
  if (factor === 1) return x;
  const scales = constant({ dtype: 'float32', shape: [4], data: Float32Array.of(1, 1, factor, factor) });
  const noRegion = constant({ dtype: 'float32', shape: [0], data: new Float32Array() });
  return applyOne(RESIZE, [x, noRegion, scales], [batch, channels, height * factor, width * factor], {
    mode: 'nearest',
    coordinate_transformation_mode: 'asymmetric',
    nearest_mode: 'floor',
  });
}

/** The mean of each block of `factor` x `factor` pixels. */
export function averagePool2d(x: Value, factor: number): Value {
  const [batch, channels, height, width] = expectFourAxes(x, 'averagePool2d');
  if (height % factor !== 0 || width % factor !== 0) {
    throw graphError(
      `averagePool2d expected height and width divisible by ${factor}, got ${height} x ${width}`,
    );
  }
  if (factor === 1) return x;
  const window = [factor, factor];
  const shape = [batch, channels, height / factor, width / factor];
  return applyOne(AVERAGE_POOL, [x], shape, { kernel_shape: window, strides: window });
}
